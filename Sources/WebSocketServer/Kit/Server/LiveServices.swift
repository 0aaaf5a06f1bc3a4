import Application
import Domain
import Logging
import Synchronization

/// What every connection of a server shares.
final class LiveServices: Sendable {
    let configuration: LiveServerConfiguration
    let authenticator: Authenticator
    let follows: any FollowStore
    let clock: any WallClock
    let dependencies: [Dependency]
    let logger: Logger
    let hub: Hub
    let jobs: JobQueue
    /// Apart from `jobs`, so that a flood of connections does not make the server look ill.
    let healthJobs: JobQueue
    let quota: ConnectionQuota

    init(
        configuration: LiveServerConfiguration,
        authenticator: Authenticator,
        follows: any FollowStore,
        clock: any WallClock,
        dependencies: [Dependency],
        logger: Logger,
        hub: Hub
    ) {
        self.configuration = configuration
        self.authenticator = authenticator
        self.follows = follows
        self.clock = clock
        self.dependencies = dependencies
        self.logger = logger
        self.hub = hub
        let concurrency = configuration.maximumConcurrentJobs
        self.jobs = JobQueue(concurrency: concurrency, capacity: concurrency * 20)
        self.healthJobs = JobQueue(concurrency: 16, capacity: 64)
        self.quota = ConnectionQuota(
            maximumConnections: configuration.maximumConnections,
            maximumPerUser: configuration.maximumConnectionsPerUser
        )
    }
}

/// Counts connections over all event loops.
final class ConnectionQuota: Sendable {
    private let maximumConnections: Int
    private let maximumPerUser: Int
    private let open = Atomic<Int>(0)
    private let users = Mutex<[UserID: Int]>([:])

    init(maximumConnections: Int, maximumPerUser: Int) {
        self.maximumConnections = maximumConnections
        self.maximumPerUser = maximumPerUser
    }

    /// Counts an accepted connection; gives `false`, and counts it all the same, if that is too many.
    func connectionOpened() -> Bool {
        open.add(1, ordering: .relaxed).newValue <= maximumConnections
    }

    func connectionClosed() {
        open.subtract(1, ordering: .relaxed)
    }

    /// Counts a connection of `user`, unless that is too many.
    func admit(_ user: UserID) -> Bool {
        users.withLock { users in
            let count = users[user, default: 0]
            guard count < maximumPerUser else { return false }
            users[user] = count + 1
            return true
        }
    }

    func release(_ user: UserID) {
        users.withLock { users in
            let count = users[user, default: 0]
            users[user] = count > 1 ? count - 1 : nil
        }
    }
}
