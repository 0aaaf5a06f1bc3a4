import Application
import Domain
package import Logging
import Postgres
package import SQL
import SQLite
import MartletSecurity

/// The database for commands that run beside a server: PostgreSQL if one is configured, else the data folder's file.
package enum CommandLineDatabase {
    /// - Parameters:
    ///   - dataFolder: Overrides `DATA_DIR`.
    ///   - isAlone: Whether an all-in-one server may not run meanwhile. Who else is on PostgreSQL cannot be told.
    /// - Throws: ``SettingsError``; what `body` throws.
    package static func withDatabase<Outcome: Sendable>(
        _ source: ConfigurationSource,
        dataFolder: String?,
        isAlone: Bool = false,
        _ body: (any SQLDatabase, Logger) async throws -> Outcome
    ) async throws -> Outcome {
        var settings = try Settings(source, defaultAddress: "127.0.0.1")
        settings.logLevel = max(settings.logLevel, .warning)
        Log.start(settings)
        let logger = Logger(label: "martlet")
        if let url = try DistributedSettings.databaseURL(source) {
            let configuration = try DistributedSettings.database(url, applicationName: "martlet")
            let database = try PostgresDatabase(configuration, logger: logger)
            return try await closing({ await database.close() }) { try await body(database, logger) }
        }
        let folder = try DataFolder(dataFolder ?? source.string("data.dir", default: DataFolder.defaultPath))
        let lock = isAlone ? try folder.lock() : nil
        defer { lock?.release() }
        let database = try SQLiteDatabase(path: folder.databasePath)
        return try await closing({ try database.close() }) { try await body(database, logger) }
    }

    private static func closing<Outcome: Sendable>(
        _ close: () async throws -> Void,
        _ body: () async throws -> Outcome
    ) async throws -> Outcome {
        let result: Result<Outcome, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try await close()
        return try result.get()
    }

    package static func migrator(_ database: any SQLDatabase, logger: Logger) -> Migrator {
        Migrator(database: database, clock: SystemClock(), logger: logger)
    }

    /// Creates an admin, with the schema if need be, and gives the id.
    ///
    /// - Throws: ``SettingsError``; ``ApplicationError`` for a name or password that breaks a rule or is taken.
    package static func createAdmin(
        _ source: ConfigurationSource,
        dataFolder: String?,
        username: String,
        password: String,
        email: String?
    ) async throws -> String {
        try await withDatabase(source, dataFolder: dataFolder) { database, logger in
            try await migrator(database, logger: logger).up()
            let clock = SystemClock()
            let createAccount = CreateAccount(
                users: SQLUserStore(database: database, clock: clock),
                hasher: try Argon2idHasher(threadCount: 1),
                identifiers: Identifiers(clock: clock, entropy: SystemEntropy())
            )
            let user = try await createAccount(
                Registration(username: username, password: password, email: email, role: "admin")
            )
            return user.id.description
        }
    }
}
