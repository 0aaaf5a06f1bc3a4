/// Carries work from the event loops to where it may await: so many jobs at once, so many waiting, no more.
final class JobQueue: Sendable {
    typealias Job = @Sendable () async -> Void

    private let jobs: AsyncStream<Job>
    private let continuation: AsyncStream<Job>.Continuation
    private let concurrency: Int

    init(concurrency: Int, capacity: Int) {
        (jobs, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(capacity))
        self.concurrency = concurrency
    }

    /// Gives `false` if too many wait already.
    func submit(_ job: @escaping Job) -> Bool {
        if case .enqueued = continuation.yield(job) { true } else { false }
    }

    /// Runs jobs until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in jobs {
                if running == concurrency {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await job() }
            }
            group.cancelAll()
        }
    }
}
