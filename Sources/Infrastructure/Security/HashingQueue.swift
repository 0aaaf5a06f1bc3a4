/// Who is hashed, who waits and who is turned away. A value without I/O; ``HashingThreads`` acts on what it returns.
struct HashingQueue<Job: Sendable>: Sendable {
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    enum Admission: Hashable, Sendable {
        case admitted
        case full
        case closed
    }

    enum Next: Sendable {
        case run(Job)
        /// It waited longer than ``patience``: whoever asked has likely given up, and others can still be served.
        case tooLate(Job)
        /// Nothing will come any more.
        case stop
    }

    private struct Waiting: Sendable {
        let ticket: Ticket
        let job: Job
        let since: ContinuousClock.Instant
    }

    private let limit: Int
    private let patience: Duration
    private var waiting: [Waiting] = []
    private var issuedTickets: UInt64 = 0
    private var isClosed = false
    private(set) var runningCount = 0

    /// - Parameters:
    ///   - threads: How many jobs run at once.
    ///   - waitingLimit: How many more may wait.
    ///   - patience: How long a job may wait and still be run.
    init(threads: Int, waitingLimit: Int, patience: Duration) {
        // Running and waiting are counted together, so that a thread which has not woken up yet counts as free.
        self.limit = threads + waitingLimit
        self.patience = patience
    }

    var waitingCount: Int { waiting.count }

    mutating func ticket() -> Ticket {
        issuedTickets += 1
        return Ticket(number: issuedTickets)
    }

    mutating func admit(_ job: Job, ticket: Ticket, at now: ContinuousClock.Instant) -> Admission {
        guard !isClosed else { return .closed }
        guard runningCount + waiting.count < limit else { return .full }
        waiting.append(Waiting(ticket: ticket, job: job, since: now))
        return .admitted
    }

    /// The job of `ticket`, if it still waits: it is out of the queue then.
    mutating func leave(_ ticket: Ticket) -> Job? {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiting.remove(at: index).job
    }

    /// What a free thread does now; `nil` is to wait. After ``Next/run(_:)`` it owes a ``finish()``.
    mutating func next(at now: ContinuousClock.Instant) -> Next? {
        guard !waiting.isEmpty else { return isClosed ? .stop : nil }
        let first = waiting.removeFirst()
        guard now - first.since <= patience else { return .tooLate(first.job) }
        runningCount += 1
        return .run(first.job)
    }

    mutating func finish() {
        runningCount -= 1
    }

    /// Takes nothing more and gives back what waits.
    mutating func close() -> [Job] {
        isClosed = true
        defer { waiting = [] }
        return waiting.map(\.job)
    }
}
