import ServiceLifecycle

/// Work without a socket of its own, as a service: it ends when the group shuts down.
struct BackgroundService: Service {
    let name: String
    let work: @Sendable () async throws -> Void

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError where Task.isCancelled {
                // The end that was asked for.
            }
        }
    }
}
