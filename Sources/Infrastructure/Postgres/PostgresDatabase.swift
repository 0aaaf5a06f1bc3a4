package import Logging
package import SQL

/// PostgreSQL through libpq.
///
/// - Reads share a few connections and travel together, as many as came while the last ones were under way.
/// - Batches have connections of their own, each batch a transaction.
/// - Batches that may share a transaction go through one connection, as many at once as came while the last ones were
///   under way: one commit for all of them.
/// - Transactions have a thread and a connection each while they run.
///
/// Usable at once, also while the server is away: calls then wait for at most
/// ``PostgresConfiguration/outageTimeLimit`` and fail with ``SQLError/unavailable(_:)``. Connections come back by themselves.
package final class PostgresDatabase: SQLDatabase {
    package let dialect = SQLDialect.postgres

    /// A server that has not ended a statement this long after its limit is taken for dead.
    static let serverGrace = Duration.seconds(1)
    /// Enough to write at once after a pause, and all that a process which seldom writes takes of the server's connections.
    static let standingWriteConnections = 1
    /// The protocol counts them in 16 bits.
    static let argumentLimit = 65_535

    private let configuration: PostgresConfiguration
    private let log: ConnectionLog
    private let reads: PipelinePool
    private let batches: PipelinePool
    private let groups: PipelinePool
    private let transactions: BlockingPool
    /// One for all leases, so that a holder that tries again and again is not logged again and again.
    private let leaseLogID: Int

    /// Starts to connect.
    /// - Throws: ``SQLError/unavailable(_:)`` if this process has no thread or descriptor left.
    package init(_ configuration: PostgresConfiguration, logger: Logger) throws(SQLError) {
        self.configuration = configuration
        log = ConnectionLog(logger: logger, endpoint: configuration.endpoint)
        leaseLogID = log.newConnectionID()
        var limits = PipelineMachine<PipelineCall>.Limits(
            connections: configuration.readConnections,
            standing: configuration.readConnections,
            idleLimit: configuration.idleLimit,
            callsPerSegment: configuration.readsPerSegment,
            callsWrite: false,
            depth: 1,
            waitingCalls: configuration.waitingCalls,
            callTimeLimit: configuration.callTimeLimit,
            silenceLimit: configuration.statementTimeLimit + Self.serverGrace,
            outageTimeLimit: configuration.outageTimeLimit,
            rerunsLostCalls: true
        )
        reads = try PipelinePool(configuration, role: .read, limits: limits, log: log)
        limits.connections = configuration.writeConnections
        limits.standing = min(Self.standingWriteConnections, configuration.writeConnections)
        limits.callsPerSegment = 1
        limits.callsWrite = true
        limits.depth = configuration.batchDepth
        limits.rerunsLostCalls = false
        batches = try PipelinePool(configuration, role: .write, limits: limits, log: log)
        // One connection: its groups cannot wait for each other, and the more callers there are the larger they get.
        limits.connections = 1
        limits.standing = 1
        limits.callsPerSegment = configuration.batchesPerGroup
        limits.depth = 1
        groups = try PipelinePool(configuration, role: .write, limits: limits, log: log)
        transactions = BlockingPool(
            configuration,
            role: .transaction,
            size: configuration.transactionConnections,
            log: log
        )
    }

    /// Waits until its task is cancelled, then closes everything; calls after that fail.
    package func run() async throws {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
        await close()
    }

    /// Closes all connections and fails what waits. Returns when the threads have ended.
    package func close() async {
        await reads.close()
        await batches.close()
        await groups.close()
        await transactions.close()
    }

    package func read(_ statement: SQLStatement, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        let bound = BoundStatement(statement, arguments)
        try check([bound])
        return try await reads.run([bound])[0].rows
    }

    package func batch(_ statements: [BoundStatement], lockOrder: Int64?) async throws -> [SQLResult] {
        guard !statements.isEmpty else { return [] }
        try check(statements)
        guard let lockOrder else { return try await batches.run(statements) }
        return try await groups.run(statements, lockOrder: lockOrder)
    }

    package func transaction<Outcome: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Outcome
    ) async throws -> Outcome {
        try await transactions.run { [configuration] session in
            try Transaction.run(on: session, configuration, body)
        }
    }

    package func withLease(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let pool = BlockingPool(configuration, role: .lease, size: 1, log: log, logID: leaseLogID)
        let lease = Lease(name, pool)
        let outcome: Result<Void, any Error>
        do {
            try await lease.acquire()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await lease.watch() }
                group.addTask { try await body() }
                defer { group.cancelAll() }
                try await group.next()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // The lock goes with its connection.
        await pool.close()
        try outcome.get()
    }

    private func check(_ statements: [BoundStatement]) throws(SQLError) {
        for statement in statements where statement.arguments.count > Self.argumentLimit {
            throw .defect("a statement has at most \(Self.argumentLimit) arguments")
        }
    }
}
