package import Application
package import Domain

/// Posts in a relational database.
package struct SQLPostStore: PostStore {
    private let database: any SQLDatabase
    private let clock: any WallClock

    package init(database: any SQLDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    package func insert(_ post: Post) async throws -> PostView {
        let statements = [
            BoundStatement(
                "INSERT INTO posts (id, author_id, text, visibility, created_at) VALUES ($1, $2, $3, $4, $5)",
                [
                    .int(post.id.rawValue), .int(post.authorID.rawValue), .text(post.text.description),
                    .text(post.visibility.rawValue), .int(post.createdAt.millisecondsSinceEpoch),
                ]
            ),
            EventRow.insertion(of: .postCreated(post.id, by: post.authorID), at: post.createdAt),
            BoundStatement(
                "UPDATE users SET post_count = post_count + 1 WHERE id = $1 RETURNING username, display_name",
                [.int(post.authorID.rawValue)]
            ),
        ]
        let author = try await translatingSQLErrors {
            do {
                let results = try await database.batch(statements, lockOrder: post.authorID.rawValue)
                return try results.last?.rows.first.map { row in
                    UserSummary(
                        id: post.authorID,
                        username: Username(stored: try row.text(0)),
                        displayName: DisplayName(stored: try row.text(1))
                    )
                }
            } catch SQLError.foreignKeyViolation {
                throw ApplicationError.accountGone
            }
        }
        guard let author else { throw ApplicationError.defect("a post was stored without its author") }
        return PostView(post: post, author: author)
    }

    package func post(_ id: PostID, viewedBy viewer: UserID) async throws -> PostView? {
        try await translatingSQLErrors {
            let rows = try await database.read(
                """
                SELECT \(raw: PostColumns.list) FROM posts p JOIN users u ON u.id = p.author_id
                WHERE p.id = $1 AND \(raw: Self.isVisibleToSecond)
                """,
                [.int(id.rawValue), .int(viewer.rawValue)]
            )
            return try rows.first.map { try PostColumns.view($0) }
        }
    }

    package func delete(_ id: PostID, by author: UserID) async throws -> Bool {
        let now = clock.now()
        return try await translatingSQLErrors {
            try await database.transaction { connection in
                let deletion = try connection.run(
                    "DELETE FROM posts WHERE id = $1 AND author_id = $2",
                    [.int(id.rawValue), .int(author.rawValue)]
                )
                guard deletion.affectedRows > 0 else { return false }
                try connection.append(.postDeleted(id, by: author), at: now)
                try connection.run(
                    "UPDATE users SET post_count = post_count - 1 WHERE id = $1",
                    [.int(author.rawValue)]
                )
                return true
            }
        }
    }

    package func posts(by author: UserID, viewedBy viewer: UserID, page: PageRequest) async throws -> Page<PostView> {
        try await self.page(
            """
            SELECT \(raw: PostColumns.list) FROM posts p JOIN users u ON u.id = p.author_id
            WHERE p.author_id = $4 AND p.id < $1 AND \(raw: Self.isVisibleToSecond)
            ORDER BY p.id DESC LIMIT $3
            """,
            viewer,
            page,
            [.int(author.rawValue)]
        )
    }

    package func homeTimeline(of viewer: UserID, page: PageRequest) async throws -> Page<PostView> {
        try await self.page(
            """
            SELECT \(raw: PostColumns.list) FROM posts p JOIN users u ON u.id = p.author_id
            WHERE p.id < $1
                AND (p.author_id = $2 OR p.author_id IN (SELECT followee_id FROM follows WHERE follower_id = $2))
                AND (p.author_id = $2 OR NOT u.is_suspended)
            ORDER BY p.id DESC LIMIT $3
            """,
            viewer,
            page
        )
    }

    private func page(
        _ statement: SQLStatement,
        _ viewer: UserID,
        _ page: PageRequest,
        _ others: [SQLValue] = []
    ) async throws -> Page<PostView> {
        try await translatingSQLErrors {
            let rows = try await database.read(
                statement,
                [.after(page.cursor), .int(viewer.rawValue), .int(Int64(page.limit + 1))] + others
            )
            let views = try rows.map { try PostColumns.view($0) }
            return Page(surplus: views, limit: page.limit) { $0.post.id.rawValue }
        }
    }

    /// ``Post/isVisible(to:followsAuthor:)`` for the viewer `$2`, of posts `p` by authors `u`.
    private static let isVisibleToSecond = """
        (p.author_id = $2 OR NOT u.is_suspended AND (p.visibility = 'public'
            OR EXISTS (SELECT 1 FROM follows f WHERE f.follower_id = $2 AND f.followee_id = p.author_id)))
        """
}
