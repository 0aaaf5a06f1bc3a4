import Logging
import Synchronization

/// Keeps one connection to the broker up, on one thread, and knows how it is doing.
final class BrokerLink: Sendable {
    let wake: WakeUp
    private let configuration: RabbitMQConfiguration
    /// Shows in logs and in the broker's list of connections.
    private let name: String
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var isStopped = false
        /// Why there is no connection; `nil` while there is one.
        var outage: String? = "not connected yet"
        /// When the thread last went through its loop.
        var lastTurn = ContinuousClock.now
    }

    /// What happens on the link's thread.
    struct Callbacks: Sendable {
        /// Runs a connection that is open until ``BrokerLink/isStopped``.
        let serve: @Sendable (AMQPConnection) throws(AMQPFailure) -> Void
        /// There is no connection any more, or an attempt failed.
        let lost: @Sendable (AMQPFailure) -> Void
    }

    init(_ configuration: RabbitMQConfiguration, name: String, logger: Logger) throws(AMQPFailure) {
        self.wake = try WakeUp()
        self.configuration = configuration
        self.name = name
        self.logger = logger
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Ends ``run(_:)`` soon, also from another thread.
    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    /// Connects, and again after each loss, until ``stop()``.
    func run(_ callbacks: Callbacks) async throws {
        try await onDedicatedThread { self.loop(callbacks) }
    }

    /// To be called by `serve` when everything is set up.
    func isUp() {
        state.withLock {
            $0.outage = nil
            $0.lastTurn = .now
        }
        logger.info("connected to the broker", metadata: ["link": "\(name)"])
    }

    /// To be called by `serve` in each turn of its loop, at least every ``AMQPConnection/pollInterval``.
    func turned() {
        state.withLock { $0.lastTurn = .now }
    }

    /// The connection works, or cannot take messages for now and says why.
    func setOutage(_ outage: String?) {
        state.withLock { $0.outage = outage }
    }

    /// `nil` if the connection is up as far as heartbeats can tell: a silent broker is noticed after two.
    var outage: String? {
        state.withLock { state in
            if let outage = state.outage { return "\(name): \(outage)" }
            // Two heartbeats and a little: then librabbitmq would have ended a blocking write.
            let silence = ContinuousClock.now - state.lastTurn
            guard silence > max(.seconds(1), configuration.heartbeat) * 2 + .seconds(1) else { return nil }
            return "\(name): its thread is stuck in a write"
        }
    }

    private func loop(_ callbacks: Callbacks) {
        var backoff = Backoff()
        while !isStopped {
            let failure: AMQPFailure
            do {
                let connection = try AMQPConnection.open(configuration, name: "martlet \(name)")
                try callbacks.serve(connection)
                connection.close()
                failure = .stopped
            } catch let error {
                failure = error
            }
            let wasUp = state.withLock { state in
                defer { state.outage = failure.description }
                return state.outage == nil
            }
            callbacks.lost(failure)
            if isStopped { break }
            if wasUp { backoff.reset() }
            let delay = backoff.delay()
            logger.warning(
                "no connection to the broker",
                metadata: ["link": "\(name)", "reason": "\(failure)", "retryAfter": "\(delay)"]
            )
            sleep(delay)
        }
        callbacks.lost(.stopped)
    }

    /// Ends early only for ``stop()``: other signals of ``wake`` do not hurry a reconnect.
    private func sleep(_ delay: Duration) {
        let end = ContinuousClock.now + delay
        while !isStopped {
            let rest = end - .now
            guard rest > .zero else { return }
            wake.wait(timeout: rest)
        }
    }
}
