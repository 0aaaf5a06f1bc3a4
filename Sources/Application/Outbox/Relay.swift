import Domain
package import Logging
import Synchronization

/// Carries committed events to the bus: gives them their positions, publishes them in order, and remembers how far it
/// got. Any number of processes may run one; a lease lets one work at a time.
///
/// It keeps no state worth saving. Whatever fails, it lets go of the lease, waits, and begins again from what the log
/// says was published; what was published twice thereby is dropped by position at the other end.
package struct Relay: Sendable {
    /// Bounds a transaction and what a broker without answer holds in memory.
    static let batchLimit = 256
    /// How late an event is found that another process committed; each look is one index probe.
    private static let pollInterval: Duration = .milliseconds(100)
    /// How often live servers hear of the head, and the log of what was published.
    private static let pollsPerTick = 10
    private static let shortestBackoff: Duration = .milliseconds(200)
    private static let longestBackoff: Duration = .seconds(5)

    private let log: any EventLog
    private let bus: any EventBus
    private let signal: OutboxSignal
    private let logger: Logger

    package init(log: any EventLog, bus: any EventBus, signal: OutboxSignal, logger: Logger) {
        self.log = log
        self.bus = bus
        self.signal = signal
        self.logger = logger
    }

    /// Relays until cancelled.
    package func run() async throws {
        var backoff = Self.shortestBackoff
        while !Task.isCancelled {
            let progress = Progress()
            do {
                try await log.withRelayLease { try await relay(progress) }
            } catch  where Task.isCancelled {
                return  // Whatever the end that was asked for made of the call under way.
            } catch {
                if progress.published != nil { backoff = Self.shortestBackoff }
                logger.error(
                    "Relay stopped; events wait in the database and it tries again",
                    metadata: ["reason": "\(LogDescription(error))", "retryIn": "\(backoff)"]
                )
                try await Task.sleep(for: backoff * Double.random(in: 0.5...1))
                backoff = min(backoff * 2, Self.longestBackoff)
            }
        }
    }

    private func relay(_ progress: Progress) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publish(progress) }
            group.addTask { try await poll(progress) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func publish(_ progress: Progress) async throws {
        var published = try await log.publishedPosition()
        // First what was stamped and not, or not surely, published: by a predecessor or before a failure.
        while true {
            let left = try await log.events(after: published, limit: Self.batchLimit)
            guard let last = left.last else { break }
            try await bus.publish(left)
            published = last.position
        }
        progress.reach(published)
        logger.info("Relay works", metadata: ["position": "\(published.rawValue)"])

        while true {
            let events = try await log.stamp(limit: Self.batchLimit, published: published)
            if let last = events.last {
                try await bus.publish(events)
                published = last.position
                progress.reach(published)
            }
            if events.count < Self.batchLimit { try await signal.wait() }
        }
    }

    /// Looks for what other processes committed, and tells the head now and then.
    private func poll(_ progress: Progress) async throws {
        var polls = 0
        var marked: Position?
        while true {
            try await Task.sleep(for: Self.pollInterval)
            if try await log.hasUnstamped() { signal.signal() }
            polls += 1
            guard polls.isMultiple(of: Self.pollsPerTick), let published = progress.published else { continue }
            if published != marked {
                try await log.markPublished(upTo: published)
                marked = published
            }
            try await bus.announce(head: published)
        }
    }

    private final class Progress: Sendable {
        private let position = Mutex<Position?>(nil)

        /// `nil` until everything left behind has been published.
        var published: Position? { position.withLock { $0 } }

        func reach(_ reached: Position) {
            position.withLock { $0 = reached }
        }
    }
}
