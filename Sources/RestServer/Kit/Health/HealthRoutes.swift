import APIModel
import Application
import HTTPTypes
import Hummingbird
import Logging

/// `/health`: whether the process runs, and whether it can do its work.
struct HealthRoutes: Sendable {
    /// A dependency that takes longer is as good as out, and probes themselves rarely wait longer.
    static let checkTimeout: Duration = .seconds(1)

    let dependencies: [Dependency]
    let logger: Logger

    func add(to router: Router<MartletRequestContext>) {
        router.get("/health", use: live)
        router.get("/health/live", use: live)
        router.get("/health/ready", use: ready)
    }

    @Sendable private func live(_: Request, _: MartletRequestContext) -> Response {
        .json { HealthResponse.writeAlive(to: &$0) }
    }

    @Sendable private func ready(_: Request, _: MartletRequestContext) async throws -> Response {
        let states = await withTaskGroup(of: (index: Int, isUp: Bool).self) { group in
            for (index, dependency) in dependencies.enumerated() {
                group.addTask { (index, await isUp(dependency)) }
            }
            var states = Array(repeating: false, count: dependencies.count)
            for await state in group { states[state.index] = state.isUp }
            return states
        }
        let isReady = states.allSatisfy { $0 }
        var response = Response.json(isReady ? .ok : .serviceUnavailable) { json in
            HealthResponse.writeReadiness(
                zip(dependencies, states).map { (name: $0.name, isUp: $1) }, to: &json)
        }
        if !isReady {
            let seconds = String(HealthResponse.retryAfterSeconds)
            response.headers.append(HTTPField(name: .retryAfter, value: seconds))
        }
        return response
    }

    /// - Note: A check that ignores cancellation is waited for beyond the timeout.
    private func isUp(_ dependency: Dependency) async -> Bool {
        do {
            return try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await dependency.check()
                    return true
                }
                group.addTask {
                    try await Task.sleep(for: Self.checkTimeout)
                    return false
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        } catch {
            logger.warning(
                "Dependency is out",
                metadata: ["dependency": "\(dependency.name)", "error": "\(LogDescription(error))"]
            )
            return false
        }
    }
}
