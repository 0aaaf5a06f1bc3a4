package import Application
package import Domain

/// The event log in a relational database. `event_head` holds one row; whoever updates it first stamps alone.
package struct SQLEventLog: EventLog {
    private static let removalChunk: Int64 = 10_000

    private let database: any SQLDatabase

    package init(database: any SQLDatabase) {
        self.database = database
    }

    package func withRelayLease(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await translatingSQLErrors { try await database.withLease("relay", body) }
    }

    package func hasUnstamped() async throws -> Bool {
        try await translatingSQLErrors {
            try await !database.read("SELECT id FROM events WHERE position IS NULL LIMIT 1", []).isEmpty
        }
    }

    package func stamp(limit: Int, published: Position) async throws -> [RecordedEvent] {
        // Each statement sees what was committed before it began, so the second and all after it, which wait for the
        // lock that the first takes, see what a competitor has stamped.
        //
        // PostgreSQL plans without knowing how few rows there are, above all while it has no statistics: joined by id, it
        // compared every pair of a backlog. The row's address makes that one look-up a row, and the LIMIT keeps the
        // read-back from a plan for all events. Nobody else updates events, so no address moves meanwhile.
        let row = database.dialect == .postgres ? "ctid" : "id"
        let statements = [
            Self.moveWatermark(to: published),
            BoundStatement(
                """
                UPDATE events SET position = (SELECT position FROM event_head) + fresh.place
                FROM (
                    SELECT address, row_number() OVER (ORDER BY id) AS place
                    FROM (
                        SELECT id, \(raw: row) AS address FROM events WHERE position IS NULL ORDER BY id LIMIT $1
                    ) AS oldest
                ) AS fresh
                WHERE events.\(raw: row) = fresh.address AND events.position IS NULL
                """,
                [.int(Int64(limit))]
            ),
            BoundStatement(
                """
                \(raw: Self.selection) WHERE e.position IS NOT NULL AND e.position > (SELECT position FROM event_head)
                ORDER BY e.position LIMIT $1
                """,
                [.int(Int64(limit))]
            ),
            BoundStatement(
                """
                UPDATE event_head
                SET position = coalesce((SELECT max(position) FROM events WHERE position IS NOT NULL), position)
                WHERE EXISTS (SELECT 1 FROM events WHERE events.position > event_head.position)
                """,
                []
            ),
        ]
        return try await translatingSQLErrors {
            let results = try await database.batch(statements)
            return try results[2].rows.map { try Self.recordedEvent($0) }
        }
    }

    package func events(after position: Position, limit: Int) async throws -> [RecordedEvent] {
        try await translatingSQLErrors {
            let rows = try await database.read(
                """
                \(raw: Self.selection) WHERE e.position IS NOT NULL AND e.position > $1
                ORDER BY e.position LIMIT $2
                """,
                [.int(position.rawValue), .int(Int64(limit))]
            )
            return try rows.map { try Self.recordedEvent($0) }
        }
    }

    package func head() async throws -> Position { try await position("SELECT position FROM event_head") }

    package func publishedPosition() async throws -> Position {
        try await position("SELECT published FROM event_head")
    }

    private func position(_ statement: SQLStatement) async throws -> Position {
        try await translatingSQLErrors {
            guard let row = try await database.read(statement, []).first else {
                throw SQLError.defect("event_head is empty")
            }
            return Position(rawValue: try row.int(0))
        }
    }

    package func markPublished(upTo position: Position) async throws {
        try await translatingSQLErrors { _ = try await database.batch([Self.moveWatermark(to: position)]) }
    }

    package func removePublished(before moment: Timestamp) async throws -> Int {
        // From the oldest on in bounded bites, since a long delete would hold up the relay.
        let removal = BoundStatement(
            """
            DELETE FROM events WHERE position IN (
                SELECT position FROM events
                WHERE position IS NOT NULL AND position <= (SELECT published FROM event_head)
                ORDER BY position LIMIT $2
            ) AND recorded_at < $1
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

    private static func moveWatermark(to published: Position) -> BoundStatement {
        BoundStatement(
            "UPDATE event_head SET published = CASE WHEN published < $1 THEN $1 ELSE published END",
            [.int(published.rawValue)]
        )
    }

    private static let selection = """
        SELECT e.id, e.position, e.recorded_at, e.kind, e.actor_id, e.subject_id, \(PostColumns.list)
        FROM events e
        LEFT JOIN posts p ON e.kind = '\(EventRow.postCreated)' AND p.id = e.subject_id
        LEFT JOIN users u ON u.id = p.author_id
        """

    private static func recordedEvent(_ row: SQLRow) throws(SQLError) -> RecordedEvent {
        RecordedEvent(
            id: try row.int(0),
            position: Position(rawValue: try row.int(1)),
            recordedAt: Timestamp(millisecondsSinceEpoch: try row.int(2)),
            event: try EventRow.event(kind: try row.text(3), actor: try row.int(4), subject: try row.int(5)),
            post: row.values[6] == .null ? nil : try PostColumns.view(row, at: 6)
        )
    }
}
