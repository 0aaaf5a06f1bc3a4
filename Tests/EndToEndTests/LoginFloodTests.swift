import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A flood of logins")
struct LoginFloodTests {
    /// Far more than run and wait at once, which goes with the cores.
    private static let count = max(300, 60 * ProcessInfo.processInfo.activeProcessorCount)

    @Test("is turned away in part, with 503 and Retry-After, and leaves the rest of the API alone")
    func flood() async throws {
        try await Topology.allInOne.withServers { servers in
            let rest = servers.rest
            let ann = try await rest.register("ann")
            let flood = Flood(count: Self.count)
            let answers = try await withThrowingTaskGroup(of: RestClient.Answer.self) { group in
                for _ in 0..<Self.count {
                    group.addTask {
                        defer { flood.ebb() }
                        return try await rest.logIn(ann.name, "wrong horse")
                    }
                }
                var others = 0
                repeat {
                    _ = try await rest.send("GET", "/v1/users/me", by: ann).expecting(200)
                    others += 1
                } while flood.isOn
                #expect(others > 1, "nothing was asked while the flood ran")
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let refused = answers.filter { $0.status == 503 }
            #expect(!refused.isEmpty)
            #expect(refused.allSatisfy { $0.isUnavailable(retryAfter: "1") })
            #expect(answers.contains { $0.status == 401 })
            #expect(answers.allSatisfy { $0.status == 401 || $0.status == 503 })
            // It is over: the right password gets in again.
            _ = try await rest.logIn(ann.name, RestClient.password).expecting(200)
        }
    }

    @Test("an unknown name and a wrong password are answered alike")
    func enumeration() async throws {
        try await Topology.allInOne.withServers { servers in
            let ann = try await servers.rest.register("ann")
            let wrong = try await servers.rest.logIn(ann.name, "wrong horse").expecting(401)
            let unknown = try await servers.rest.logIn("nobody_\(ann.name)", "wrong horse").expecting(401)
            let varying: Set = ["date", "x-request-id"]
            let headers = [wrong, unknown].map { answer in
                answer.headers.map { "\($0.name): \($0.value)" }.filter { header in
                    !varying.contains { header.lowercased().hasPrefix($0) }
                }
            }
            #expect(headers[0] == headers[1])
            #expect(try wrong.problem() == unknown.problem())
            #expect(try wrong.problem()["error"] == "invalid_credentials")
        }
    }
}

private final class Flood: Sendable {
    private let unanswered: Mutex<Int>

    init(count: Int) {
        unanswered = Mutex(count)
    }

    var isOn: Bool { unanswered.withLock { $0 > 0 } }

    func ebb() {
        unanswered.withLock { $0 -= 1 }
    }
}
