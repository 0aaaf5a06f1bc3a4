import Foundation
import HummingbirdTesting
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import RestServerKit

/// Over a real socket, since what is tested is when the server ends the connection.
@Suite("Clients that do not keep to HTTP, or to its pace")
struct RawClientTests {
    @Test("an early refusal ends the connection of a body that never does", arguments: [false, true])
    func endlessBody(isHalfClosed: Bool) async throws {
        try await withServer { port in
            let head = "POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            for length in ["Content-Length: 1000000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n"] {
                // Either a byte of the body, or a chunk of one.
                let trickle = length.hasPrefix("Content") ? " " : "1\r\n \r\n"
                let answer = try await exchange(
                    port, sending: head + length, thenAgainAndAgain: trickle, ignoringEnd: isHalfClosed)
                #expect(answer.hasPrefix("HTTP/1.1 401 "))
                #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
                #expect(answer.hasSuffix("}"))
            }
        }
    }

    @Test("a refusal of a body that has arrived keeps the connection, and so does a request without one")
    func keepAlive() async throws {
        try await withServer { port in
            let post =
                "POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
            let get = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            let last = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let answer = try await exchange(port, sending: post + get + get + last)
            #expect(answer.components(separatedBy: "HTTP/1.1 401 ").count == 2)
            #expect(answer.components(separatedBy: "HTTP/1.1 200 ").count == 4)
            #expect(answer.lowercased().components(separatedBy: "connection: close").count == 2)
        }
    }

    @Test("a client that asked to close and goes on sending is dropped")
    func closeRequested() async throws {
        try await withServer { port in
            let request = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let answer = try await exchange(
                port, sending: request, thenAgainAndAgain: "GET /health HTTP/1.1\r\n\r\n", ignoringEnd: true)
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
        }
    }

    @Test(
        "what is not HTTP is a 400 problem, and a head beyond the limit a 431",
        arguments: [
            ("hello there\r\n\r\n", 400, "malformed_request"),
            ("GET /health HTTP/1.1\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n", 431, "headers_too_large"),
            (
                "POST /v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                400, "malformed_request"
            ),
        ])
    func noHTTP(bytes: String, status: Int, word: String) async throws {
        try await withServer { port in
            let answer = try await exchange(port, sending: bytes)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            let parts = answer.components(separatedBy: "\r\n\r\n")
            try #require(parts.count == 2, "\(answer)")
            let headers = parts[0].lowercased()
            let problem = try JSON(parsing: parts[1])
            #expect(problem["error"].text == word)
            let requestID = try #require(problem["requestId"].text)
            #expect(!requestID.isEmpty)
            #expect(headers.contains("\r\nx-request-id: \(requestID)"))
            #expect(headers.contains("\r\ncontent-type: application/problem+json"))
            #expect(headers.contains("\r\ncontent-length: \(parts[1].utf8.count)"))
            #expect(headers.contains("\r\nconnection: close"))
            #expect(headers.contains("\r\nx-content-type-options: nosniff"))
        }
    }

    /// Runs `body` with the port of a server of its own.
    private func withServer(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await Engine.sqlite.withStores { stores in
            var configuration = RestServerConfiguration()
            configuration.closeTimeout = .milliseconds(200)
            let services = RestServices(try await Services(stores))
            try await restApplication(services, configuration: configuration).test(.live) { client in
                try await body(try #require(client.port))
            }
        }
    }

    /// Sends bytes as they are and gathers what comes back until the connection ends.
    ///
    /// - Parameters:
    ///   - trickle: What to send ten times a second, as long as the connection lasts.
    ///   - ignoresEnd: Not to take the end of what the server sends for the end of the connection.
    private func exchange(
        _ port: Int,
        sending text: String,
        thenAgainAndAgain trickle: String? = nil,
        ignoringEnd ignoresEnd: Bool = false
    ) async throws -> String {
        let received = Received()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: ignoresEnd)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Gatherer(received))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        if let trickle {
            channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(100)) { task in
                guard channel.isActive else { return task.cancel() }
                channel.writeAndFlush(ByteBuffer(string: trickle), promise: nil)
            }
        }
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(10)) {
            Issue.record("the server did not end the connection")
            channel.close(promise: nil)
        }
        try await channel.closeFuture.get()
        deadline.cancel()
        return received.text.withLock { $0 }
    }
}

private final class Received: Sendable {
    let text = Mutex("")
}

private final class Gatherer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: Received

    init(_ received: Received) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data))
        received.text.withLock { $0 += text }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)  // The server reset the connection, which is one way to end it.
    }
}
