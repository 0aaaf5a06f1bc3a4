import Domain
package import Logging

/// Removes what nobody needs any more: events past their retention, sessions past their end.
package struct Housekeeping: Sendable {
    /// How far back a live client may resume.
    package static let eventRetention: Duration = .seconds(7 * 86_400)
    private static let interval: Duration = .seconds(3600)

    private let log: any EventLog
    private let sessions: any SessionStore
    private let clock: any WallClock
    private let logger: Logger

    package init(log: any EventLog, sessions: any SessionStore, clock: any WallClock, logger: Logger) {
        self.log = log
        self.sessions = sessions
        self.clock = clock
        self.logger = logger
    }

    /// Cleans up now and every hour until cancelled. Several processes may do so at once.
    package func run() async throws {
        while !Task.isCancelled {
            do {
                try await cleanUp()
            } catch let error where !(error is CancellationError) {
                logger.warning(
                    "Housekeeping failed; it tries again in an hour", metadata: ["reason": "\(LogDescription(error))"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    package func cleanUp() async throws {
        let now = clock.now()
        let events = try await log.removePublished(before: now.advanced(by: .zero - Self.eventRetention))
        let ended = try await sessions.removeExpired(before: now)
        if events + ended > 0 {
            logger.info("Housekeeping done", metadata: ["events": "\(events)", "sessions": "\(ended)"])
        }
    }
}
