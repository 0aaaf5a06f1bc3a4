import Application

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Threads of their own for work that takes milliseconds of CPU, so that none of it runs on the cooperative pool.
///
/// They yield to the rest of the process: a flood of logins makes logins slow, not reading posts. What does not fit
/// is refused at once. The threads end with ``shutdown()`` or with this object, each after the job it is at.
final class HashingThreads: Sendable {
    /// A job of 16 ms (measured: 19 MiB, 2 passes) behind 40 others of its thread waits 0.64 s on an idle machine:
    /// under the second after which people press the button again, with room for a slower one.
    static let waitingPerThread = 40
    /// On a busy machine jobs take longer than the limit above assumes. Past this the wait is not worth its end.
    static let patience: Duration = .seconds(2)
    /// In the scheduler's terms about a tenth of the CPU of a normal thread while both want it, all of it otherwise.
    static let niceness: Int32 = 10

    struct Job: Sendable {
        /// Does the work and returns how to tell its result.
        let run: @Sendable () -> @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    typealias Queue = Monitor<HashingQueue<Job>>

    let queue: Queue

    /// - Throws: ``ApplicationError`` `defect` if a thread cannot be made.
    init(count: Int, waitingLimit: Int, patience: Duration = HashingThreads.patience) throws {
        precondition(count > 0 && waitingLimit >= 0)
        queue = Queue(HashingQueue(threads: count, waitingLimit: waitingLimit, patience: patience))
        do {
            for _ in 0..<count { try startThread(serving: queue) }
        } catch {
            shutdown()
            throw error
        }
    }

    deinit {
        shutdown()
    }

    /// Runs `work` on one of the threads. A caller that is cancelled while it waits leaves the queue; work that has
    /// begun is finished.
    ///
    /// - Throws: What `work` throws; ``ApplicationError`` `overloaded` if the queue is full or the wait was too long,
    ///   `unavailable` after ``shutdown()``; `CancellationError`.
    func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        let ticket = queue.withLock { $0.ticket() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let job = Job(
                    run: {
                        let result = Swift.Result { try work() }
                        return { continuation.resume(with: result) }
                    },
                    refuse: { continuation.resume(throwing: $0) }
                )
                switch queue.withLock({ $0.admit(job, ticket: ticket, at: .now) }) {
                case .admitted: queue.signal()
                case .full: job.refuse(ApplicationError.tooManyLogins)
                case .closed: job.refuse(ApplicationError.hashingEnded)
                }
                // A cancellation before the admission found nobody to take out.
                if Task.isCancelled { leave(ticket) }
            }
        } onCancel: {
            leave(ticket)
        }
    }

    /// How many jobs wait and how many run.
    var load: (waiting: Int, running: Int) {
        queue.withLock { ($0.waitingCount, $0.runningCount) }
    }

    /// Turns away who waits and everybody after.
    func shutdown() {
        let turnedAway = queue.withLock { $0.close() }
        queue.broadcast()
        for job in turnedAway { job.refuse(ApplicationError.hashingEnded) }
    }

    private func leave(_ ticket: HashingQueue<Job>.Ticket) {
        queue.withLock { $0.leave(ticket) }?.refuse(CancellationError())
    }
}

/// The body of a thread. It holds the queue but not the ``HashingThreads``, whose end is what stops it.
private func serve(_ queue: HashingThreads.Queue) {
    #if canImport(Darwin)
        pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
    #else
        // On Linux "this process" is this thread (setpriority(2), C library/kernel differences). Without the right to be
        // nicer it stays as it is, which is slower for others and not wrong.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, HashingThreads.niceness)
    #endif
    while true {
        switch queue.wait(until: { $0.next(at: .now) }) {
        case .run(let job):
            let tellResult = job.run()
            // Before the caller knows: whoever comes next because of it must find the place free.
            queue.withLock { $0.finish() }
            tellResult()
        case .tooLate(let job):
            job.refuse(ApplicationError.tooManyLogins)
        case .stop:
            return
        }
    }
}

private func startThread(serving queue: HashingThreads.Queue) throws {
    let argument = Unmanaged.passRetained(queue)
    #if canImport(Darwin)
        var thread: pthread_t?
    #else
        var thread = pthread_t()
    #endif
    let status = pthread_create(
        &thread, nil,
        { argument in
            let pointer: UnsafeMutableRawPointer? = argument
            if let pointer { serve(Unmanaged<HashingThreads.Queue>.fromOpaque(pointer).takeRetainedValue()) }
            return nil
        },
        argument.toOpaque()
    )
    guard status == 0 else {
        argument.release()
        throw ApplicationError.defect("No thread for hashing passwords: errno \(status).")
    }
    #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
    #else
        pthread_detach(thread)
    #endif
}

extension ApplicationError {
    static var tooManyLogins: ApplicationError {
        ApplicationError(.overloaded, "too_many_logins", "Too many people log in right now: try again in a moment.")
    }

    fileprivate static var hashingEnded: ApplicationError {
        ApplicationError(.unavailable, "shutting_down", "The service is stopping.")
    }
}
