package import Application
package import Domain

/// Follows in a relational database, with the counts of both users kept in the same transaction.
package struct SQLFollowStore: FollowStore {
    private let database: any SQLDatabase
    private let clock: any WallClock

    package init(database: any SQLDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    package func insert(_ follow: Follow) async throws {
        let now = clock.now()
        try await translatingSQLErrors {
            do {
                try await database.transaction { connection in
                    let insertion = try connection.run(
                        """
                        INSERT INTO follows (follower_id, followee_id, created_at) VALUES ($1, $2, $3)
                        ON CONFLICT (follower_id, followee_id) DO NOTHING
                        """,
                        [
                            .int(follow.follower.rawValue), .int(follow.followee.rawValue),
                            .int(follow.createdAt.millisecondsSinceEpoch),
                        ]
                    )
                    guard insertion.affectedRows > 0 else { return }
                    try connection.append(.followed(follow.followee, by: follow.follower), at: now)
                    try connection.count(1, follower: follow.follower, followee: follow.followee)
                }
            } catch SQLError.foreignKeyViolation {
                throw ApplicationError.notFound("user")
            }
        }
    }

    package func remove(follower: UserID, followee: UserID) async throws {
        let now = clock.now()
        try await translatingSQLErrors {
            try await database.transaction { connection in
                let removal = try connection.run(
                    "DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2",
                    [.int(follower.rawValue), .int(followee.rawValue)]
                )
                guard removal.affectedRows > 0 else { return }
                try connection.append(.unfollowed(followee, by: follower), at: now)
                try connection.count(-1, follower: follower, followee: followee)
            }
        }
    }

    package func followers(of user: UserID, page: PageRequest) async throws -> Page<Profile> {
        try await self.page(
            """
            SELECT \(raw: UserColumns.list), f.sequence FROM follows f JOIN users u ON u.id = f.follower_id
            WHERE f.followee_id = $1 AND f.sequence < $2 ORDER BY f.sequence DESC LIMIT $3
            """,
            user,
            page
        )
    }

    package func following(of user: UserID, page: PageRequest) async throws -> Page<Profile> {
        try await self.page(
            """
            SELECT \(raw: UserColumns.list), f.sequence FROM follows f JOIN users u ON u.id = f.followee_id
            WHERE f.follower_id = $1 AND f.sequence < $2 ORDER BY f.sequence DESC LIMIT $3
            """,
            user,
            page
        )
    }

    private func page(_ statement: SQLStatement, _ user: UserID, _ page: PageRequest) async throws -> Page<Profile> {
        try await translatingSQLErrors {
            let rows = try await database.read(
                statement,
                [.int(user.rawValue), .after(page.cursor), .int(Int64(page.limit + 1))]
            )
            let entries = try rows.map { row in
                (profile: try UserColumns.profile(row), sequence: try row.int(UserColumns.count))
            }
            return Page(surplus: entries, limit: page.limit) { $0.sequence }.map { $0.profile }
        }
    }

    package func followees(of user: UserID) async throws -> [UserID] {
        try await translatingSQLErrors {
            let rows = try await database.read(
                "SELECT followee_id FROM follows WHERE follower_id = $1",
                [.int(user.rawValue)]
            )
            return try rows.map { UserID(rawValue: try $0.int(0)) }
        }
    }
}

extension SQLConnection {
    /// Moves both counters, the lower id first: two users who follow each other at once lock in one order.
    fileprivate func count(_ step: Int64, follower: UserID, followee: UserID) throws {
        let following: (SQLStatement, UserID) = (
            "UPDATE users SET following_count = following_count + $2 WHERE id = $1", follower
        )
        let followed: (SQLStatement, UserID) = (
            "UPDATE users SET follower_count = follower_count + $2 WHERE id = $1", followee
        )
        for (statement, user) in follower < followee ? [following, followed] : [followed, following] {
            try run(statement, [.int(user.rawValue), .int(step)])
        }
    }
}
