import DequeModule
import SQL

/// Which command each reply of a pipeline belongs to, and what the replies say about the statements.
///
/// A statement is one command or two: it may have to be prepared first.
struct PipelineSteps {
    enum Outcome {
        case statement(StatementOutcome)
        /// All statements of the segment are told, and what they did is committed unless one failed.
        case synced
    }

    private enum Step {
        case prepare(SQLStatement)
        case execute(SQLStatement)
        case sync
    }

    private var steps = Deque<Step>()
    /// Preparing failed and was told as the statement's failure; its execution will be skipped and must not be told too.
    private var isExecutionTold = false

    var isEmpty: Bool { steps.isEmpty }

    mutating func sent(_ statement: SQLStatement, prepared: Bool) {
        if prepared { steps.append(.prepare(statement)) }
        steps.append(.execute(statement))
    }

    mutating func sentSync() {
        steps.append(.sync)
    }

    /// What a reply means.
    /// - Parameter forget: called with a statement that is not prepared after all, or whose plan is stale.
    /// - Throws: ``PostgresFailure/lost(_:)`` if the reply fits nothing that was sent.
    mutating func received(
        _ reply: Reply,
        forget: (SQLStatement) -> Void
    ) throws(PostgresFailure) -> Outcome? {
        guard let step = steps.first else { throw .lost("reply to nothing") }
        switch (step, reply) {
        case (.sync, .synced):
            _ = steps.popFirst()
            return .synced
        case (.sync, .refused(let error)):
            // A constraint that is checked at commit.
            return .statement(.refused(error))
        case (.sync, _), (_, .synced):
            throw .lost("replies out of step")
        case (.prepare, .completed):
            return nil
        case (.prepare(let statement), .refused(let error)):
            forget(statement)
            isExecutionTold = true
            return .statement(.refused(error))
        case (.prepare(let statement), .skipped):
            forget(statement)
            return nil
        case (.prepare, .undecodable):
            throw .lost("replies out of step")
        case (.execute, .completed(let result)):
            return .statement(.completed(result))
        case (.execute, .undecodable(let reason)):
            return .statement(.undecodable(reason))
        case (.execute(let statement), .refused(let error)):
            if error.isStalePlan { forget(statement) }
            return .statement(.refused(error))
        case (.execute, .skipped):
            return isExecutionTold ? nil : .statement(.skipped)
        }
    }

    /// The replies to the current command are over.
    mutating func endOfReplies() {
        switch steps.first {
        case .execute:
            isExecutionTold = false
            _ = steps.popFirst()
        case .prepare:
            _ = steps.popFirst()
        case .sync, nil:
            // An error at commit ends like a command's replies, with its sync still to come.
            break
        }
    }
}

enum StatementOutcome {
    case completed(SQLResult)
    case undecodable(String)
    case refused(ServerError)
    /// Not run, since one before it in the segment failed.
    case skipped
}
