import Application
import HTTPTypes
import Testing

@testable import RestServerKit

@Suite("Health")
struct HealthTests {
    private struct Out: Error {}

    @Test("A process that runs is up, whatever its dependencies do")
    func live() async throws {
        try await API.run(dependencies: [Dependency(name: "database") { throw Out() }]) { api in
            for path in ["/health", "/health/live"] {
                let answer = try await api.send(.get, path)
                #expect(answer.status == 200)
                #expect(answer.body == #"{"status":"up"}"#)
            }
        }
    }

    @Test("It is ready when every dependency is up")
    func ready() async throws {
        try await API.run(dependencies: [Dependency(name: "database") {}, Dependency(name: "messages") {}]) { api in
            let answer = try await api.send(.get, "/health/ready")
            #expect(answer.status == 200)
            #expect(answer.json["dependencies"].elements.map { $0["name"].text } == ["database", "messages"])
        }
    }

    @Test("It names the dependency that is out, and gives up on one that hangs")
    func notReady() async throws {
        let dependencies = [
            Dependency(name: "database") {},
            Dependency(name: "messages") { throw Out() },
            Dependency(name: "cache") { try await Task.sleep(for: .seconds(60)) },
            Dependency(name: "media") { try await Task.sleep(for: .seconds(60)) },
        ]
        try await API.run(dependencies: dependencies) { api in
            let start = ContinuousClock.now
            let answer = try await api.send(.get, "/health/ready")
            #expect(answer.status == 503)
            #expect(answer.json["dependencies"].elements.map { $0["status"].text } == ["up", "down", "down", "down"])
            #expect(ContinuousClock.now - start < .seconds(30), "a hanging check was waited for")
        }
    }
}
