import SQL

/// What libpq or the server said, before it is told as the port's ``SQLError``.
enum PostgresFailure: Error, Hashable {
    /// The connection is gone or useless. Whether what was under way took effect is unknown.
    case lost(String)
    /// The server refused a statement; the connection is fine and the statement's transaction is rolled back.
    case refused(ServerError)
    /// The server did what was asked, but the answer holds a type that the port does not know.
    case undecodable(String)
}

/// The parts of an error message of the server that are safe to keep: DETAIL and CONTEXT quote rows.
struct ServerError: Hashable {
    let sqlState: String
    let message: String
    let constraint: String?

    /// The prepared statement is gone (26000), or the table it reads has changed under it: preparing it anew helps.
    var isStalePlan: Bool {
        sqlState == "26000" || (sqlState == "0A000" && message.hasPrefix("cached plan"))
    }

    /// The same transaction, tried again, is likely to pass (serialization failure, deadlock).
    var isConflict: Bool {
        sqlState == "40001" || sqlState == "40P01"
    }
}

extension SQLError {
    init(_ failure: PostgresFailure) {
        switch failure {
        case .lost(let reason): self = .unavailable(reason)
        case .refused(let error): self.init(error)
        case .undecodable(let reason): self = .defect(reason)
        }
    }

    init(_ error: ServerError) {
        switch error.sqlState {
        case "23505":
            self = .uniqueViolation(error.constraint ?? "")
        case "23503":
            self = .foreignKeyViolation(error.constraint ?? "")
        case let state where Self.isTransient(state):
            self = .unavailable("\(state): \(error.message)")
        case let state where state.hasPrefix("22"):
            // A data exception's message quotes the argument.
            self = .defect("\(state): data exception")
        default:
            self = .defect("\(error.sqlState): \(error.message)")
        }
    }

    /// Connection (08), conflict that a retry did not cure (40), resources (53), lock not to be had (55P03), statement
    /// time limit (57014) and shutdown (57P0x): nothing wrong with the statement, later it may pass.
    private static func isTransient(_ sqlState: String) -> Bool {
        ["08", "40", "53"].contains(String(sqlState.prefix(2)))
            || sqlState == "55P03" || sqlState == "57014" || sqlState.hasPrefix("57P0")
    }
}
