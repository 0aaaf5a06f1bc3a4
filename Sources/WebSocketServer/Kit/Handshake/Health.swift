import APIModel
import Application
import Logging
import NIOCore
import NIOHTTP1

/// Asks every dependency at once. Who does not answer in time is out, whether or not its check ever ends; so the time
/// is kept by the loop, and not by the check.
final class HealthCheck {
    private let services: LiveServices
    private let eventLoop: any EventLoop
    private var isFine: [Bool?]
    private var completion: ((HTTPAnswer) -> Void)?

    init(services: LiveServices, eventLoop: any EventLoop) {
        self.services = services
        self.eventLoop = eventLoop
        isFine = services.dependencies.map { _ in nil }
    }

    static let alive = HTTPAnswer.json(.ok) { HealthResponse.writeAlive(to: &$0) }

    /// Calls `completion` once, on the loop.
    func run(_ completion: @escaping (HTTPAnswer) -> Void) {
        self.completion = completion
        let myself = NIOLoopBound(self, eventLoop: eventLoop)
        for (index, dependency) in services.dependencies.enumerated() {
            let services = services
            let isTaken = services.healthJobs.submit {
                let isFine: Bool
                do {
                    try await dependency.check()
                    isFine = true
                } catch {
                    services.logger.warning(
                        "a dependency is out", metadata: ["dependency": "\(dependency.name)", "error": "\(error)"])
                    isFine = false
                }
                myself.eventLoop.execute { myself.value.answered(index, isFine) }
            }
            if !isTaken { isFine[index] = false }
        }
        finishIfComplete()
        eventLoop.assumeIsolated().scheduleTask(in: services.configuration.healthCheckTimeout) { self.finish() }
    }

    private func answered(_ index: Int, _ fine: Bool) {
        isFine[index] = fine
        finishIfComplete()
    }

    private func finishIfComplete() {
        if isFine.allSatisfy({ $0 != nil }) { finish() }
    }

    private func finish() {
        guard let completion else { return }
        self.completion = nil
        let isReady = isFine.allSatisfy { $0 == true }
        let dependencies = zip(services.dependencies, isFine).map { (name: $0.name, isUp: $1 == true) }
        var answer = HTTPAnswer.json(isReady ? .ok : .serviceUnavailable) { json in
            HealthResponse.writeReadiness(dependencies, to: &json)
        }
        if !isReady { answer.headers.add(name: "Retry-After", value: String(HealthResponse.retryAfterSeconds)) }
        completion(answer)
    }
}
