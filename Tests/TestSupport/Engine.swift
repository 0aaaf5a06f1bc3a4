package import Application
import Domain
import Foundation
package import Logging
import Postgres
package import SQL
import SQLite
import Testing

/// The databases that every store must work on, unchanged.
package enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case postgres

    package var testDescription: String { rawValue }

    /// Runs `body` with a fresh database that holds the schema and nothing else, and removes it afterwards.
    package func withDatabase<Outcome: Sendable>(
        _ body: @Sendable (any SQLDatabase) async throws -> Outcome
    ) async throws -> Outcome {
        try await withDatabase(isMigrated: true, body)
    }

    /// Runs `body` with a fresh database that holds nothing, and removes it afterwards.
    package func withEmptyDatabase<Outcome: Sendable>(
        _ body: @Sendable (any SQLDatabase) async throws -> Outcome
    ) async throws -> Outcome {
        try await withDatabase(isMigrated: false, body)
    }

    private func withDatabase<Outcome: Sendable>(
        isMigrated: Bool,
        _ body: @Sendable (any SQLDatabase) async throws -> Outcome
    ) async throws -> Outcome {
        try await Self.places.withPlace {
            switch self {
            case .sqlite: try await withSQLite(isMigrated: isMigrated, body)
            case .postgres: try await withPostgres(isMigrated: isMigrated, body)
            }
        }
    }

    /// Runs `body` with every store over a fresh database.
    package func withStores<Outcome: Sendable>(
        _ body: @Sendable (Stores) async throws -> Outcome
    ) async throws -> Outcome {
        try await withDatabase { try await body(Stores($0)) }
    }

    /// Each database of PostgreSQL takes a dozen connections, and the server has some hundreds.
    private static let places = Places(8)

    private func withSQLite<Outcome>(
        isMigrated: Bool,
        _ body: (any SQLDatabase) async throws -> Outcome
    ) async throws -> Outcome {
        try await withTemporaryFolder { folder in
            let database = try SQLiteDatabase(path: "\(folder)/martlet.sqlite")
            if isMigrated { try await Migrator(database: database, clock: ManualClock(), logger: .quiet).up() }
            let outcome: Outcome
            do {
                outcome = try await body(database)
            } catch {
                try database.close()
                throw error
            }
            try database.close()
            return outcome
        }
    }

    private func withPostgres<Outcome: Sendable>(
        isMigrated: Bool,
        _ body: @Sendable (any SQLDatabase) async throws -> Outcome
    ) async throws -> Outcome {
        try await PostgresServer.shared.withDatabase(isMigrated: isMigrated) { url in
            let database = try PostgresDatabase(PostgresConfiguration(url), logger: .quiet)
            return try await withRunning({ try await database.run() }) { try await body(database) }
        }
    }
}

/// Every store over one database, as the ports that they are.
package struct Stores: Sendable {
    package let database: any SQLDatabase
    package let clock = ManualClock()
    package var users: any UserStore { SQLUserStore(database: database, clock: clock) }
    package var sessions: any SessionStore { SQLSessionStore(database: database) }
    package var posts: any PostStore { SQLPostStore(database: database, clock: clock) }
    package var follows: any FollowStore { SQLFollowStore(database: database, clock: clock) }
    package var events: any EventLog { SQLEventLog(database: database) }

    package init(_ database: any SQLDatabase) {
        self.database = database
    }
}

extension Logger {
    /// Says nothing: a test reads results, not logs.
    package static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
