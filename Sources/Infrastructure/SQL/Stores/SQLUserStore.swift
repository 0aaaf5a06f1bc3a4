package import Application
package import Domain

/// Accounts in a relational database.
package struct SQLUserStore: UserStore {
    private let database: any SQLDatabase
    private let clock: any WallClock

    package init(database: any SQLDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    package func insert(_ user: User, passwordHash: PasswordHash) async throws {
        let insertion: SQLStatement = """
            INSERT INTO users
                (id, username, display_name, biography, email, role, is_suspended, password_hash, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """
        let arguments: [SQLValue] = [
            .int(user.id.rawValue), .text(user.username.description), .text(user.displayName.description),
            .text(user.biography.description), .optional(user.email?.description), .text(user.role.rawValue),
            .bool(user.isSuspended), .text(passwordHash.phcString), .int(user.createdAt.millisecondsSinceEpoch),
        ]
        try await translatingSQLErrors {
            _ = try await database.batch([BoundStatement(insertion, arguments)])
        }
    }

    package func user(_ id: UserID) async throws -> User? {
        try await translatingSQLErrors {
            let rows = try await database.read(
                "SELECT \(raw: UserColumns.list) FROM users u WHERE u.id = $1",
                [.int(id.rawValue)]
            )
            return try rows.first.map { try UserColumns.user($0) }
        }
    }

    package func user(named username: Username) async throws -> User? {
        try await translatingSQLErrors {
            let rows = try await database.read(
                "SELECT \(raw: UserColumns.list) FROM users u WHERE u.username = $1",
                [.text(username.description)]
            )
            return try rows.first.map { try UserColumns.user($0) }
        }
    }

    package func credentials(of username: Username) async throws -> Credentials? {
        try await credentials(
            "SELECT \(raw: UserColumns.list), u.password_hash FROM users u WHERE u.username = $1",
            .text(username.description)
        )
    }

    package func credentials(of id: UserID) async throws -> Credentials? {
        try await credentials(
            "SELECT \(raw: UserColumns.list), u.password_hash FROM users u WHERE u.id = $1",
            .int(id.rawValue)
        )
    }

    private func credentials(_ statement: SQLStatement, _ key: SQLValue) async throws -> Credentials? {
        try await translatingSQLErrors {
            try await database.read(statement, [key]).first.map { row in
                Credentials(
                    user: try UserColumns.user(row),
                    passwordHash: PasswordHash(phcString: try row.text(UserColumns.count))
                )
            }
        }
    }

    package func profile(_ reference: UserReference, viewedBy viewer: UserID) async throws -> Profile? {
        let (condition, key): (String, SQLValue) =
            switch reference {
            case .id(let id): ("u.id = $1", .int(id.rawValue))
            case .name(let name): ("u.username = $1", .text(name.description))
            }
        return try await translatingSQLErrors {
            let rows = try await database.read(
                """
                SELECT \(raw: UserColumns.list),
                    EXISTS (SELECT 1 FROM follows WHERE follower_id = $2 AND followee_id = u.id),
                    EXISTS (SELECT 1 FROM follows WHERE follower_id = u.id AND followee_id = $2)
                FROM users u WHERE \(raw: condition)
                """,
                [key, .int(viewer.rawValue)]
            )
            return try rows.first.map { row in
                let relationship = Relationship(
                    following: try row.bool(UserColumns.count),
                    followedBy: try row.bool(UserColumns.count + 1)
                )
                let isSelf = try row.int(0) == viewer.rawValue
                return try UserColumns.profile(row, relationship: isSelf ? nil : relationship)
            }
        }
    }

    package func update(_ id: UserID, _ change: ProfileChange) async throws -> User? {
        let update: SQLStatement = """
            UPDATE users SET
                username = coalesce($2, username),
                display_name = coalesce($3, display_name),
                biography = coalesce($4, biography),
                email = CASE WHEN $5 THEN $6 ELSE email END
            WHERE id = $1
            RETURNING \(raw: UserColumns.returning)
            """
        let arguments: [SQLValue] = [
            .int(id.rawValue), .optional(change.username?.description), .optional(change.displayName?.description),
            .optional(change.biography?.description), .bool(change.email != nil),
            .optional(change.email.flatMap { $0 }?.description),
        ]
        return try await translatingSQLErrors {
            let results = try await database.batch([BoundStatement(update, arguments)])
            return try results.first?.rows.first.map { try UserColumns.user($0) }
        }
    }

    package func delete(_ id: UserID) async throws {
        // Locked first, so that no follow can slip in between the counting and the deletion.
        let lock: SQLStatement =
            switch database.dialect {
            case .postgres: "SELECT id FROM users WHERE id = $1 FOR UPDATE"
            case .sqlite: "SELECT id FROM users WHERE id = $1"
            }
        let now = clock.now()
        try await translatingSQLErrors {
            try await database.transaction { connection in
                let key: [SQLValue] = [.int(id.rawValue)]
                guard try !connection.run(lock, key).rows.isEmpty else { return }
                try connection.run(
                    """
                    UPDATE users SET follower_count = follower_count - 1
                    WHERE id IN (SELECT followee_id FROM follows WHERE follower_id = $1)
                    """,
                    key
                )
                try connection.run(
                    """
                    UPDATE users SET following_count = following_count - 1
                    WHERE id IN (SELECT follower_id FROM follows WHERE followee_id = $1)
                    """,
                    key
                )
                try connection.run("DELETE FROM users WHERE id = $1", key)
                try connection.append(.userDeleted(id), at: now)
            }
        }
    }

    package func users(matching query: String?, page: PageRequest) async throws -> Page<Profile> {
        // No name holds a NUL, and PostgreSQL refuses a text that does.
        if let query, query.utf8.contains(0) { return Page(items: [], next: nil) }
        let condition =
            query == nil ? "" : "AND (u.username LIKE $3 ESCAPE '\\' OR lower(u.display_name) LIKE $3 ESCAPE '\\')"
        var arguments: [SQLValue] = [.after(page.cursor), .int(Int64(page.limit + 1))]
        if let query { arguments.append(.text("%\(query.lowercased().escapedForLike)%")) }
        return try await translatingSQLErrors {
            let rows = try await database.read(
                """
                SELECT \(raw: UserColumns.list) FROM users u
                WHERE u.id < $1 \(raw: condition) ORDER BY u.id DESC LIMIT $2
                """,
                arguments
            )
            let profiles = try rows.map { try UserColumns.profile($0) }
            return Page(surplus: profiles, limit: page.limit) { $0.user.id.rawValue }
        }
    }
}

extension String {
    /// `%` and `_` stand for themselves.
    fileprivate var escapedForLike: String {
        var escaped = ""
        for character in self {
            if character == "%" || character == "_" || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
