import Application
package import Domain

/// Logins in a relational database.
package struct SQLSessionStore: SessionStore {
    /// Removed in bounded bites: a long delete would meet the statement's time limit, and begin anew an hour later.
    private static let removalChunk: Int64 = 10_000

    private let database: any SQLDatabase

    package init(database: any SQLDatabase) {
        self.database = database
    }

    package func insert(_ session: Session) async throws {
        let insertion: SQLStatement = """
            INSERT INTO sessions (id, user_id, generation, created_at, expires_at, revoked_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """
        let arguments: [SQLValue] = [
            .int(session.id.rawValue), .int(session.userID.rawValue), .int(session.generation),
            .int(session.createdAt.millisecondsSinceEpoch), .int(session.expiresAt.millisecondsSinceEpoch),
            session.revokedAt.map { .int($0.millisecondsSinceEpoch) } ?? .null,
        ]
        try await translatingSQLErrors {
            do {
                _ = try await database.batch([BoundStatement(insertion, arguments)])
            } catch SQLError.foreignKeyViolation {
                throw ApplicationError.accountGone
            }
        }
    }

    package func session(_ id: SessionID) async throws -> Session? {
        try await translatingSQLErrors {
            let rows = try await database.read(
                "SELECT user_id, generation, created_at, expires_at, revoked_at FROM sessions WHERE id = $1",
                [.int(id.rawValue)]
            )
            return try rows.first.map { row in
                Session(
                    id: id,
                    userID: UserID(rawValue: try row.int(0)),
                    generation: try row.int(1),
                    createdAt: Timestamp(millisecondsSinceEpoch: try row.int(2)),
                    expiresAt: Timestamp(millisecondsSinceEpoch: try row.int(3)),
                    revokedAt: try row.optionalInt(4).map(Timestamp.init(millisecondsSinceEpoch:))
                )
            }
        }
    }

    package func rotate(_ id: SessionID, from generation: Int64, expiresAt: Timestamp) async throws -> Bool {
        let rotation: SQLStatement = """
            UPDATE sessions SET generation = generation + 1, expires_at = $3
            WHERE id = $1 AND generation = $2 AND revoked_at IS NULL
            """
        let arguments: [SQLValue] = [
            .int(id.rawValue), .int(generation), .int(expiresAt.millisecondsSinceEpoch),
        ]
        return try await translatingSQLErrors {
            try await database.batch([BoundStatement(rotation, arguments)]).first?.affectedRows == 1
        }
    }

    package func revoke(_ id: SessionID, of user: UserID, at now: Timestamp) async throws {
        try await translatingSQLErrors {
            try await database.transaction { connection in
                let revocation = try connection.run(
                    "UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
                    [.int(id.rawValue), .int(user.rawValue), .int(now.millisecondsSinceEpoch)]
                )
                guard revocation.affectedRows > 0 else { return }
                try connection.append(.sessionRevoked(id, of: user), at: now)
            }
        }
    }

    package func removeExpired(before moment: Timestamp) async throws -> Int {
        let removal = BoundStatement(
            """
            DELETE FROM sessions WHERE id IN (
                SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
            )
            """,
            [.int(moment.millisecondsSinceEpoch), .int(Self.removalChunk)]
        )
        var total = 0
        while true {
            let removed = try await translatingSQLErrors { try await database.batch([removal])[0].affectedRows }
            total += removed
            if removed < Int(Self.removalChunk) { return total }
        }
    }
}
