import Domain
import Foundation
import NIOCore
import NIOPosix
import Testing
import WebSocketServerKit

@Suite("Clients that do not keep to HTTP")
struct RawClientTests {
    /// Sends bytes as they are and gathers what comes back until the server ends the connection.
    private func exchange(_ server: RunningServer, to text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                try await channel.executeThenClose { inbound, outbound in
                    var received = ""
                    do {
                        try await outbound.write(ByteBuffer(string: text))
                    } catch ChannelError.ioOnClosedChannel {
                        return received  // The server was quicker to hang up than we to write.
                    }
                    do {
                        for try await piece in inbound { received += String(buffer: piece) }
                    } catch let error as IOError where error.errnoCode == ECONNRESET {
                        // Dropped with bytes of ours unread, which is how TCP tells of that.
                    }
                    return received
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(10))
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try #require(await group.next())
        }
    }

    private func requestID(of answer: String) throws -> String {
        let name = "X-Request-Id: "
        let line = try #require(answer.split(separator: "\r\n").first { $0.hasPrefix(name) }, "\(answer)")
        return String(line.dropFirst(name.count))
    }

    @Test("a request id that was sent comes back; one unfit for a log is replaced")
    func requestIDs() async throws {
        try await withLiveServer { server in
            for (sent, isFit) in [("client-1.a_B", true), ("a~b", false), ("a b", false), ("{}", false)] {
                let answer = try await exchange(server, to: "GET /health HTTP/1.1\r\nX-Request-Id: \(sent)\r\n\r\n")
                #expect((try requestID(of: answer) == sent) == isFit, "\(sent)")
            }
        }
    }

    @Test("who trickles a request is dropped when its time is up")
    func slowRequest() async throws {
        try await withLiveServer(World()) {
            $0.requestTimeout = .milliseconds(50)
        } _: { server in
            let answer = try await exchange(server, to: "GET /v1/live HTTP/1.1\r\nHost: x\r\n")
            #expect(answer == "")
        }
    }

    @Test("a head without end is refused with 431")
    func longHead() async throws {
        try await withLiveServer { server in
            let many = (0..<50).map { "X-\($0): \(String(repeating: "x", count: 500))\r\n" }.joined()
            let answer = try await exchange(server, to: "GET /health HTTP/1.1\r\n\(many)")
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
            #expect(try requestID(of: answer) != "")
        }
    }

    @Test("what is not HTTP is refused with 400")
    func noHTTP() async throws {
        try await withLiveServer { server in
            let answer = try await exchange(server, to: "hello there\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
            let requestID = try requestID(of: answer)
            #expect(requestID != "")
            #expect(answer.contains(#""requestId":"\#(requestID)""#))
        }
    }

    @Test("a body is refused before it is read")
    func body() async throws {
        try await withLiveServer { server in
            let request = "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc"
            let answer = try await exchange(server, to: request)
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test("frames sent along with the request are taken, and broken ones closed with 1002")
    func framesWithRequest() async throws {
        try await withLiveServer { server in
            let request =
                "GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            for credentials in ["", "Authorization: Bearer \(server.world.token(1))\r\n"] {
                // An unmasked text frame.
                let answer = try await exchange(server, to: request + credentials + "\r\n\u{1}\u{1}a")
                #expect(answer.hasPrefix("HTTP/1.1 101 "))
                // 88 02 03 EA: the first and the last byte are no UTF-8 and read as replacement characters.
                #expect(answer.hasSuffix("\u{fffd}\u{2}\u{3}\u{fffd}"))
            }
        }
    }
}
