import Domain
import FoundationEssentials
import NIOCore
import NIOHTTP1
import LiveClient
import Testing
import WebSocketServerKit

@Suite("Opening a live connection")
struct HandshakeTests {
    @Test("a token in the header is enough")
    func header() async throws {
        let world = World()
        world.post(by: 9, "before")
        try await withLiveServer(world) { server in
            let client = try await server.open(token: world.token(1))
            let ready = try await client.nextFrame()
            #expect(ready.type == "ready")
            #expect(ready.position == "1")
            #expect(ready.recovered == false)
            #expect(ready.replayed == 0)
            #expect(ready.catchUp == nil)
        }
    }

    @Test("a token in the first frame is enough")
    func firstFrame() async throws {
        try await withLiveServer { server in
            let client = try await server.open()
            try await client.send(#"{"type":"auth","token":"\#(server.world.token(1))","since":"0"}"#)
            let ready = try await client.nextFrame()
            #expect(ready.type == "ready")
            #expect(ready.recovered == true)
        }
    }

    @Test("a client that missed something is told so, and where to catch up")
    func notRecovered() async throws {
        let world = World()
        world.post(by: 9, "missed")
        try await withLiveServer(world) { server in
            let client = try await server.open(token: world.token(1), query: "?since=0")
            let ready = try await client.nextFrame()
            #expect(ready.recovered == false)
            #expect(ready.catchUp == "/v1/timelines/home")
        }
    }

    @Test("bad credentials in the header are refused before the upgrade")
    func unauthorized() async throws {
        try await withLiveServer { server in
            let expired = server.world.token(1, expiresIn: .seconds(-1))
            for (token, word) in [("nonsense", "invalid_token"), (expired, "token_expired")] {
                let refusal = try await server.refusal(token: token)
                #expect(refusal.status == 401)
                #expect(refusal.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
                #expect(refusal.headers.first(name: "Content-Type") == "application/problem+json")
                #expect(refusal.body.contains(#""error":"\#(word)""#))
            }
            let basic = try await server.refusal(headers: ["Authorization": "Basic YTpi"])
            #expect(basic.status == 401)
        }
    }

    @Test("pages of a foreign origin are refused, those of a listed one or of the same host are not")
    func origin() async throws {
        try await withLiveServer(World()) {
            $0.allowedOrigins = ["https://app.example"]
        } _: { server in
            let token = server.world.token(1)
            for origin in ["https://evil.example", "null", "https://app.example.evil", "http://app.example"] {
                let refusal = try await server.refusal(token: token, headers: ["Origin": origin])
                #expect(refusal.status == 403, "\(origin)")
                #expect(refusal.body.contains("origin_not_allowed"))
            }
            for origin in ["https://app.example", "http://127.0.0.1:3000"] {
                let client = try await server.open(token: token, headers: ["Origin": origin])
                #expect(try await client.nextFrame().type == "ready", "\(origin)")
            }
        }
    }

    @Test(
        "a token in the URL is refused, however its name is written", arguments: ["token", "access_token", "%74oken"])
    func tokenInURL(_ name: String) async throws {
        try await withLiveServer { server in
            let refusal = try await server.refusal(query: "?\(name)=\(server.world.token(1))")
            #expect(refusal.status == 400)
            #expect(refusal.body.contains("token_in_url"))
        }
    }

    @Test("a session that has ended is refused")
    func revoked() async throws {
        try await withLiveServer { server in
            let token = server.world.token(1)
            server.world.record(.sessionRevoked(SessionID(rawValue: 1001), of: UserID(rawValue: 1)))
            let refusal = try await server.refusal(token: token)
            #expect(refusal.status == 401)
        }
    }

    @Test("who sends no credentials in time is closed with 4000")
    func authenticationTimeout() async throws {
        try await withLiveServer(World()) {
            $0.authenticationTimeout = .milliseconds(50)
        } _: { server in
            let client = try await server.open()
            #expect(try await client.nextFrame().error == "authentication_timeout")
            #expect(try await client.closeCode() == 4000)
        }
    }

    @Test(
        "a first frame that is no auth frame is answered with an error and 4000",
        arguments: [
            "hello", "{}", #"{"type":"auth"}"#, #"{"type":"post","token":"t"}"#,
            #"{"type":"auth","token":"t","more":"x"}"#, #"{"type":"auth","token":"t","since":"-1"}"#,
            #"{"type":"auth","token":7}"#, #"["auth"]"#,
        ]
    )
    func malformedAuthFrame(_ text: String) async throws {
        try await withLiveServer { server in
            let client = try await server.open()
            try await client.send(text)
            #expect(try await client.nextFrame().error == "malformed_frame")
            #expect(try await client.closeCode() == 4000)
        }
    }

    @Test("bad credentials in the first frame are closed with 4000, expired ones with 4001")
    func badAuthFrame() async throws {
        try await withLiveServer { server in
            let expired = server.world.token(1, expiresIn: .seconds(-1))
            for (token, code) in [("nonsense", UInt16(4000)), (expired, 4001)] {
                let client = try await server.open()
                try await client.send(#"{"type":"auth","token":"\#(token)"}"#)
                #expect(try await client.closeCode() == code)
            }
        }
    }

    @Test("a binary frame is closed with 1003, one too big with 1009")
    func unsupportedFrames() async throws {
        try await withLiveServer { server in
            let binary = try await server.open()
            try await binary.sendBinary(ByteBuffer(string: "x"))
            #expect(try await binary.closeCode() == 1003)
            let big = try await server.open()
            try await big.send(String(repeating: "x", count: 16 * 1024 + 1))
            #expect(try await big.closeCode() == 1009)
        }
    }

    @Test("a user's connections are bounded, and one that closes makes room")
    func perUserLimit() async throws {
        try await withLiveServer(World()) {
            $0.maximumConnectionsPerUser = 2
        } _: { server in
            let first = try await server.connect(1)
            _ = try await server.connect(1)
            let third = try await server.open(token: server.world.token(1))
            #expect(try await third.nextFrame().error == "too_many_connections")
            #expect(try await third.closeCode() == 4004)
            _ = try await server.connect(2)

            try await first.close()
            #expect(try await first.closeCode() == 1000)
            _ = try await server.connect(1)
        }
    }

    @Test("a database that is out closes with 4100, and the next attempt works")
    func databaseOut() async throws {
        try await withLiveServer { server in
            let token = server.world.token(1)
            server.world.failReads(1)
            let client = try await server.open(token: token)
            #expect(try await client.closeCode() == 4100)
            _ = try await server.connect(1)
        }
    }

    @Test("a shutdown closes every connection with 1001")
    func shutdown() async throws {
        let (clients, continuation) = AsyncStream.makeStream(of: WebSocketClient.self)
        try await withLiveServer { server in
            continuation.yield(try await server.connect(1))
            continuation.yield(try await server.open())
        }
        continuation.finish()
        for await client in clients {
            #expect(try await client.closeCode() == 1001)
        }
    }
}
