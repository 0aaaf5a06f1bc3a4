package import Application
import Domain
package import Logging

/// Brings a database's schema to what this build needs. Any number of processes may try at once: each run is one
/// transaction behind one lock, and what another has done by then is not done again.
package struct Migrator: Sendable {
    private let database: any SQLDatabase
    private let migrations: [Migration]
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase,
        migrations: [Migration] = Migration.all,
        clock: any WallClock,
        logger: Logger
    ) {
        self.database = database
        self.migrations = migrations
        self.clock = clock
        self.logger = logger
    }

    package struct Status: Hashable, Sendable {
        package let version: Int
        package let name: String
        /// `nil` if it was not applied.
        package let appliedAt: Int64?
    }

    /// Every step of this build, and which were applied.
    ///
    /// - Throws: ``MigrationError`` if the database does not fit this build; ``ApplicationError``.
    package func status() async throws -> [Status] {
        try await inLockedTransaction { _, applied in
            migrations.map { migration in
                Status(version: migration.version, name: migration.name, appliedAt: applied[migration.version]?.at)
            }
        }
    }

    /// Applies every step that is missing: all of them or none. Gives how many.
    ///
    /// - Throws: ``MigrationError`` if the database does not fit this build; ``ApplicationError``.
    @discardableResult
    package func up() async throws -> Int {
        let now = clock.now()
        let dialect = database.dialect
        let done = try await inLockedTransaction { connection, applied in
            let missing = migrations.filter { applied[$0.version] == nil }
            for migration in missing {
                let scripts = try migration.script(dialect)
                try connection.runScript(scripts.up)
                try connection.run(
                    "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                    [
                        .int(Int64(migration.version)), .text(migration.name), .text(scripts.checksum),
                        .int(now.millisecondsSinceEpoch),
                    ]
                )
            }
            return missing
        }
        for migration in done {
            logger.info("Schema migrated", metadata: ["version": "\(migration.version)", "name": "\(migration.name)"])
        }
        return done.count
    }

    /// Takes back the last applied step, and its data with it. Gives its version, or `nil` if none was applied.
    ///
    /// - Throws: ``MigrationError`` if the database does not fit this build; ``ApplicationError``.
    package func down() async throws -> Int? {
        let dialect = database.dialect
        return try await inLockedTransaction { connection, applied in
            guard let last = migrations.last(where: { applied[$0.version] != nil }) else { return nil }
            try connection.runScript(try last.script(dialect).down)
            try connection.run("DELETE FROM schema_migrations WHERE version = $1", [.int(Int64(last.version))])
            return last.version
        }
    }

    private struct Applied: Sendable {
        let checksum: String
        let at: Int64
    }

    private func inLockedTransaction<Outcome: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection, [Int: Applied]) throws -> Outcome
    ) async throws -> Outcome {
        let dialect = database.dialect
        return try await translatingSQLErrors {
            try await database.transaction { connection in
                if dialect == .postgres {
                    // SQLite's transaction is a lock by itself. The cast makes a value of the function's "void".
                    try connection.run(
                        "SELECT pg_advisory_xact_lock($1)::text",
                        [.int(Self.lockKey)]
                    )
                }
                try connection.runScript(Self.bookkeeping)
                let applied = try Self.applied(connection)
                try check(applied, dialect)
                return try body(connection, applied)
            }
        }
    }

    private static func applied(_ connection: any SQLConnection) throws -> [Int: Applied] {
        let rows = try connection.run("SELECT version, checksum, applied_at FROM schema_migrations", []).rows
        return try rows.reduce(into: [:]) { applied, row in
            applied[Int(try row.int(0))] = Applied(checksum: try row.text(1), at: try row.int(2))
        }
    }

    private func check(_ applied: [Int: Applied], _ dialect: SQLDialect) throws {
        for (version, record) in applied {
            guard let migration = migrations.first(where: { $0.version == version }) else {
                throw MigrationError.fromNewerBuild(version: version)
            }
            guard try migration.script(dialect).checksum == record.checksum else {
                throw MigrationError.changedAfterwards(version: version, name: migration.name)
            }
        }
    }

    /// "martlet" in ASCII: the key of PostgreSQL's advisory lock.
    private static let lockKey: Int64 = 0x6d_6172_746c_6574

    private static let bookkeeping = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    bigint PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at bigint NOT NULL
        )
        """
}

/// Why a database cannot be used with this build.
package enum MigrationError: Error, Hashable, Sendable, CustomStringConvertible {
    case fromNewerBuild(version: Int)
    case changedAfterwards(version: Int, name: String)

    package var description: String {
        switch self {
        case .fromNewerBuild(let version):
            "The database has migration \(version), which this build does not know: start a newer Martlet."
        case .changedAfterwards(let version, let name):
            "Migration \(version) (\(name)) is not the one that was applied: restore its file and add a new migration."
        }
    }
}
