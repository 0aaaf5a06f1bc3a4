import Application
import NIOCore
import NIOHTTP1
import LiveClient
import Testing
import WebSocketServerKit

@Suite("Plain HTTP on the live port")
struct HealthTests {
    private func answer(_ server: RunningServer, _ path: String) async throws -> WebSocketClient.Refusal {
        do {
            let client = try await WebSocketClient.connect("ws://127.0.0.1:\(server.port)\(path)")
            client.drop()
        } catch let refusal as WebSocketClient.Refusal {
            return refusal
        }
        Issue.record("upgraded where nothing is")
        throw WebSocketClient.Failure.timedOut
    }

    @Test("health answers while the server is up", arguments: ["/health", "/health/live"])
    func alive(_ path: String) async throws {
        try await withLiveServer { server in
            let health = try await answer(server, path)
            #expect(health.status == 200)
            #expect(health.body == #"{"status":"up"}"#)
        }
    }

    @Test("readiness names each dependency and is 503 when one is out")
    func ready() async throws {
        try await withLiveServer { server in
            let fine = try await answer(server, "/health/ready")
            #expect(fine.status == 200)
            server.world.breakHealth(true)
            let out = try await answer(server, "/health/ready")
            #expect(out.status == 503)
            let expected =
                #"{"status":"down","dependencies":[{"name":"database","status":"up"},"#
                + #"{"name":"broker","status":"down"}]}"#
            #expect(out.body == expected)
            #expect(out.headers.first(name: "Retry-After") == "5")
        }
    }

    @Test("a dependency that does not answer in time is out, and does not hold up the answer")
    func hanging() async throws {
        let hanging = Dependency(name: "database") { try await Task.sleep(for: .seconds(3600)) }
        try await withLiveServer(World(), { $0.healthCheckTimeout = .milliseconds(50) }, dependencies: [hanging]) {
            server in
            let out = try await answer(server, "/health/ready")
            #expect(out.status == 503)
            #expect(out.body.contains(#"{"name":"database","status":"down"}"#))
        }
    }

    @Test("anything else is a problem document", arguments: ["/", "/v1/live/", "/v1/posts"])
    func notFound(_ path: String) async throws {
        try await withLiveServer { server in
            let answer = try await answer(server, path)
            #expect(answer.status == 404)
            #expect(answer.headers.first(name: "Content-Type") == "application/problem+json")
            #expect(answer.body.contains(#""error":"not_found""#))
        }
    }
}
