import SQL

/// One transaction on a thread-bound connection, as the closure of ``SQLDatabase/transaction(_:)`` sees it.
final class Transaction: SQLConnection {
    /// A script is a migration, which may rewrite a large table.
    static let scriptTimeLimit = Duration.seconds(3600)

    private let session: BlockingSession
    private let configuration: PostgresConfiguration
    /// For the statements; a script and the commit have limits of their own.
    private var deadline: ContinuousClock.Instant
    private var hasBegun = false
    private var wasTriedAgain = false
    private var failure: SQLError?
    private var conflict: ServerError?

    private init(_ session: BlockingSession, _ configuration: PostgresConfiguration) {
        self.session = session
        self.configuration = configuration
        deadline = .now + configuration.callTimeLimit
    }

    /// Runs `body` in a transaction, and once more if it came into conflict with another.
    static func run<Outcome>(
        on session: BlockingSession,
        _ configuration: PostgresConfiguration,
        _ body: (any SQLConnection) throws -> Outcome
    ) throws -> Outcome {
        let first = Transaction(session, configuration)
        do {
            return try first.perform(body)
        } catch  where first.conflict != nil {
            return try Transaction(session, configuration).perform(body)
        }
    }

    private func perform<Outcome>(_ body: (any SQLConnection) throws -> Outcome) throws -> Outcome {
        let outcome: Outcome
        do {
            outcome = try body(self)
        } catch {
            rollBack()
            throw error
        }
        try commit()
        return outcome
    }

    func run(_ statement: SQLStatement, _ arguments: [SQLValue]) throws -> SQLResult {
        try keepingFailure { () throws(SQLError) in
            switch try send(BoundStatement(statement, arguments)) {
            case .completed(let result): return result
            case .undecodable(let reason): throw .defect(reason)
            case .refused(let error): throw SQLError(error)
            case .skipped: throw .defect("not run")
            }
        }
    }

    func runScript(_ script: String) throws {
        try keepingFailure { () throws(SQLError) in
            try begin()
            let began = ContinuousClock.now
            defer { deadline += .now - began }
            let unlimited = "SET LOCAL statement_timeout = 0;\n\(script)\n;SET LOCAL statement_timeout TO DEFAULT"
            do throws(PostgresFailure) {
                try session.runScript(unlimited, limit: Self.scriptTimeLimit)
            } catch {
                note(error)
                throw SQLError(error)
            }
        }
    }

    /// The server rolls a transaction back once a statement of it has failed, whatever the closure makes of the error.
    private func keepingFailure<Outcome>(_ body: () throws(SQLError) -> Outcome) throws(SQLError) -> Outcome {
        do throws(SQLError) {
            return try body()
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    /// BEGIN travels with the first statement, which saves a round trip.
    private func send(_ statement: BoundStatement) throws(SQLError) -> StatementOutcome {
        var statements = [statement]
        if !hasBegun { statements.insert(Self.begin, at: 0) }
        var outcome = try attempt(statements)
        if !hasBegun, case .refused(let error) = outcome, error.isStalePlan {
            // Nothing has happened in this transaction yet.
            rollBack()
            outcome = try attempt(statements)
        }
        hasBegun = true
        return outcome
    }

    private func begin() throws(SQLError) {
        guard !hasBegun else { return }
        hasBegun = true
        if case .refused(let error) = try attempt([Self.begin]) { throw SQLError(error) }
    }

    /// - Returns: the outcome of the last statement, or the first failure before it.
    private func attempt(_ statements: [BoundStatement]) throws(SQLError) -> StatementOutcome {
        try answered { () throws(PostgresFailure) in
            // A connection that broke while nobody used it shows only now; nothing is under way, so once more.
            let outcomes: [StatementOutcome]
            do throws(PostgresFailure) {
                outcomes = try session.run(statements, limit: min(timeLeft, statementLimit))
            } catch {
                guard !hasBegun, case .lost = error, !wasTriedAgain, timeLeft > .zero else { throw error }
                wasTriedAgain = true
                outcomes = try session.run(statements, limit: min(timeLeft, statementLimit))
            }
            return outcomes
        }
    }

    private func answered(
        _ ask: () throws(PostgresFailure) -> [StatementOutcome]
    ) throws(SQLError) -> StatementOutcome {
        do throws(PostgresFailure) {
            let outcomes = try ask()
            let failure = outcomes.first { if case .refused = $0 { true } else { false } }
            if case .refused(let error) = failure { note(.refused(error)) }
            return failure ?? outcomes.last ?? .skipped
        } catch {
            throw SQLError(error)
        }
    }

    /// A commit that is cut short may have happened or not: it always has the time of a whole statement.
    private func commit() throws(SQLError) {
        if let failure {
            rollBack()
            throw failure
        }
        guard hasBegun else { return }
        let outcome = try answered { () throws(PostgresFailure) in
            try session.run([Self.commit], limit: statementLimit)
        }
        switch outcome {
        case .completed: return
        case .refused(let error): throw SQLError(error)
        case .undecodable, .skipped: throw .defect("COMMIT was not understood")
        }
    }

    /// A connection that cannot roll back is of no use; closing it rolls back too.
    private func rollBack() {
        guard session.isConnected else { return }
        do throws(PostgresFailure) {
            _ = try session.run([Self.rollback], limit: configuration.outageTimeLimit)
        } catch {
            session.close()
        }
    }

    private func note(_ failure: PostgresFailure) {
        if case .refused(let error) = failure, error.isConflict { conflict = error }
    }

    private var timeLeft: Duration { deadline - .now }
    private var statementLimit: Duration { configuration.statementTimeLimit + PostgresDatabase.serverGrace }

    private static let begin = BoundStatement("BEGIN", [])
    private static let commit = BoundStatement("COMMIT", [])
    private static let rollback = BoundStatement("ROLLBACK", [])
}
