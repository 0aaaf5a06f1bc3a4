import SQL

/// A few connections in pipeline mode, driven by one thread of their own; callers wait without holding a thread.
final class PipelinePool: Sendable {
    private let inbox: Inbox
    private let threads = RunningThreads()

    /// - Throws: ``SQLError/unavailable(_:)`` if this process has no thread or descriptor left.
    init(
        _ configuration: PostgresConfiguration,
        role: ConnectionRole,
        limits: PipelineMachine<PipelineCall>.Limits,
        log: ConnectionLog
    ) throws(SQLError) {
        let inbox = try Inbox(limit: limits.waitingCalls)
        self.inbox = inbox
        // Made before the thread, which then cannot fail: nobody would answer the calls that came in meanwhile.
        let poll = try EventPoll()
        let isStarted = threads.start("postgres-\(role.rawValue)") {
            PipelineLoop(configuration, role: role, limits: limits, inbox: inbox, poll: poll, log: log).run()
        }
        guard isStarted else { throw .unavailable("no thread left") }
    }

    deinit {
        inbox.close()
    }

    func run(_ statements: [BoundStatement], lockOrder: Int64 = 0) async throws -> [SQLResult] {
        try await Waiter.wait { waiter in
            try inbox.put(PipelineCall(statements, lockOrder: lockOrder, waiter))
        }
    }

    /// Fails what waits and returns when the connections are closed.
    func close() async {
        inbox.close()
        await threads.allEnded()
    }
}
