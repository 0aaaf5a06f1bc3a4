import Logging
import Synchronization

/// Says once that the database went away and once that all connections are back, however many connections there are.
final class ConnectionLog: Sendable {
    private struct State {
        var nextID = 0
        var lost: Set<Int> = []
    }

    private let logger: Logger
    private let endpoint: String
    private let state = Mutex(State())

    init(logger: Logger, endpoint: String) {
        self.logger = logger
        self.endpoint = endpoint
    }

    func newConnectionID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    func lost(_ connection: Int, _ reason: String) {
        let isFirst = state.withLock { state in
            let wasEmpty = state.lost.isEmpty
            state.lost.insert(connection)
            return wasEmpty
        }
        guard isFirst else { return }
        logger.warning("PostgreSQL connection lost", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
    }

    func opened(_ connection: Int) {
        let isLast = state.withLock { state in
            state.lost.remove(connection) != nil && state.lost.isEmpty
        }
        guard isLast else { return }
        logger.notice("PostgreSQL connection restored", metadata: ["endpoint": "\(endpoint)"])
    }

    /// A connection that nobody will open again, so that it does not hold back "restored".
    func forget(_ connection: Int) {
        state.withLock { state in
            _ = state.lost.remove(connection)
        }
    }
}
