import Application

/// Runs a store's SQL and lets out only what the ports promise.
func translatingSQLErrors<Outcome>(_ body: () async throws -> Outcome) async throws -> Outcome {
    do {
        return try await body()
    } catch let error as SQLError {
        throw error.translated
    }
}

extension SQLError {
    fileprivate var translated: any Error {
        switch self {
        case .uniqueViolation(let name): StoreConflict(constraint: name) ?? self.asDefect
        case .foreignKeyViolation, .defect: asDefect
        case .unavailable(let reason): ApplicationError.unavailable("database", detail: reason)
        }
    }

    private var asDefect: any Error { ApplicationError.defect("database: \(self)") }
}

extension StoreConflict {
    /// PostgreSQL names the index, SQLite the columns or, where the index is on an expression, the index in a phrase.
    init?(constraint name: String) {
        switch name {
        case "users_username", "users.username": self = .username
        case "users_email", "index 'users_email'": self = .email
        case "users_pkey", "posts_pkey", "sessions_pkey", "users.id", "posts.id", "sessions.id": self = .identifier
        default: return nil
        }
    }
}
