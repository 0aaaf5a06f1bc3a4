import DequeModule
import Dispatch
import SQL
import Synchronization

/// Connections with a thread each, for work that decides on one answer what to ask next: one hop for all of it.
final class BlockingPool: Sendable {
    private struct Job {
        let run: @Sendable (BlockingSession) -> Void
        let fail: @Sendable (SQLError) -> Void
        let isAbandoned: @Sendable () -> Bool
        let deadline: ContinuousClock.Instant
    }

    private struct State {
        var jobs = Deque<Job>()
        var workers = 0
        var idleWorkers = 0
        var isClosed = false

        mutating func takeJobs() -> Deque<Job> {
            defer { jobs = [] }
            return jobs
        }
    }

    /// What the threads share, which is why they do not keep the pool alive.
    private final class Shared: Sendable {
        let state = Mutex(State())
        let work = DispatchSemaphore(value: 0)
    }

    private let shared = Shared()
    private let threads = RunningThreads()
    private let configuration: PostgresConfiguration
    private let role: ConnectionRole
    private let size: Int
    private let log: ConnectionLog
    private let logID: Int?

    /// - Parameter logID: as which connection the log knows all of them; nil if each is its own.
    init(
        _ configuration: PostgresConfiguration,
        role: ConnectionRole,
        size: Int,
        log: ConnectionLog,
        logID: Int? = nil
    ) {
        self.configuration = configuration
        self.role = role
        self.size = size
        self.log = log
        self.logID = logID
    }

    deinit {
        shut()
    }

    /// Runs `body` on a thread that holds a connection. A caller that is cancelled stops waiting; `body`, once begun,
    /// goes on and its outcome is dropped.
    func run<Outcome: Sendable>(
        _ body: @escaping @Sendable (BlockingSession) throws -> Outcome
    ) async throws -> Outcome {
        try await Waiter<Outcome>.wait { waiter in
            let job = Job(
                run: { session in waiter.settle(Result { try body(session) }) },
                fail: { waiter.settle(.failure($0)) },
                isAbandoned: { waiter.isSettled },
                deadline: .now + configuration.callTimeLimit
            )
            try submit(job)
        }
    }

    /// Refuses what waits and returns when the threads have ended.
    func close() async {
        shut()
        await threads.allEnded()
    }

    private func submit(_ job: Job) throws(SQLError) {
        let needsWorker = try shared.state.withLock { state throws(SQLError) in
            guard !state.isClosed else { throw .unavailable("closed") }
            guard state.jobs.count < configuration.waitingCalls else { throw .unavailable("too many calls wait") }
            state.jobs.append(job)
            guard state.idleWorkers < state.jobs.count, state.workers < size else { return false }
            state.workers += 1
            return true
        }
        if needsWorker { startWorker() }
        shared.work.signal()
    }

    private func startWorker() {
        let isStarted = threads.start("postgres-\(role.rawValue)") { [shared, configuration, role, log, logID] in
            let id = logID ?? log.newConnectionID()
            let session = BlockingSession(configuration, role: role, log: log, logID: id)
            while let job = Self.nextJob(shared) { job.run(session) }
            if logID == nil { log.forget(id) }
        }
        guard !isStarted else { return }
        let refused = shared.state.withLock { state in
            state.workers -= 1
            return state.workers == 0 ? state.takeJobs() : []
        }
        for job in refused { job.fail(.unavailable("no thread left")) }
    }

    /// Waits for a job that somebody still waits for.
    /// - Returns: nil when the pool is closed.
    private static func nextJob(_ shared: Shared) -> Job? {
        shared.state.withLock { $0.idleWorkers += 1 }
        defer { shared.state.withLock { $0.idleWorkers -= 1 } }
        while true {
            shared.work.wait()
            let (job, isClosed) = shared.state.withLock { ($0.jobs.popFirst(), $0.isClosed) }
            if isClosed { return nil }
            guard let job, !job.isAbandoned() else { continue }
            guard job.deadline > .now else {
                job.fail(.unavailable("no connection free in time"))
                continue
            }
            return job
        }
    }

    private func shut() {
        let (jobs, workers) = shared.state.withLock { state in
            state.isClosed = true
            return (state.takeJobs(), state.workers)
        }
        for job in jobs { job.fail(.unavailable("closed")) }
        for _ in 0..<workers { shared.work.signal() }
    }
}
