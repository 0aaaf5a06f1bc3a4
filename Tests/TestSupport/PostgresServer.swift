import Application
import CPostgres
import Dispatch
import Foundation
import Postgres
import SQL

/// The PostgreSQL server that `make test` starts, or any that `MARTLET_TEST_POSTGRES_URL` names. It hands out databases
/// of their own, copied from one that was migrated once.
package actor PostgresServer {
    package static let shared = PostgresServer()

    private var template: Task<String, any Error>?

    /// Runs `body` with the URL of a fresh database, migrated unless told otherwise, and drops it afterwards.
    package nonisolated func withDatabase<Outcome: Sendable>(
        isMigrated: Bool = true,
        _ body: @Sendable (String) async throws -> Outcome
    ) async throws -> Outcome {
        let server = try Self.serverURL()
        let template = isMigrated ? try await migratedTemplate() : "template1"
        let name = Self.freshName("test")
        try await execute("CREATE DATABASE \(name) TEMPLATE \(template)", on: server)
        do {
            let outcome = try await body(try Self.url(server, database: name))
            try await execute("DROP DATABASE \(name) WITH (FORCE)", on: server)
            return outcome
        } catch {
            try await execute("DROP DATABASE \(name) WITH (FORCE)", on: server)
            throw error
        }
    }

    /// Runs one statement on its own connection.
    package nonisolated func execute(_ statement: String, on url: String) async throws {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(with: Result { try Self.executeBlocking(statement, on: url) })
            }
        }
    }

    package static func serverURL() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["MARTLET_TEST_POSTGRES_URL"] else {
            throw MissingService(name: "PostgreSQL", variable: "MARTLET_TEST_POSTGRES_URL")
        }
        return url
    }

    private nonisolated let queue = DispatchQueue(label: "test databases")

    private func migratedTemplate() async throws -> String {
        if let template { return try await template.value }
        let making = Task {
            let server = try Self.serverURL()
            let name = Self.freshName("template")
            try await execute("CREATE DATABASE \(name)", on: server)
            let configuration = try PostgresConfiguration(try Self.url(server, database: name))
            let database = try PostgresDatabase(configuration, logger: .quiet)
            try await withRunning({ try await database.run() }) {
                _ = try await Migrator(database: database, clock: ManualClock(), logger: .quiet).up()
            }
            return name
        }
        template = making
        return try await making.value
    }

    private static func freshName(_ kind: String) -> String {
        "martlet_\(kind)_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    }

    private static func url(_ server: String, database: String) throws -> String {
        guard var components = URLComponents(string: server) else {
            throw MissingService(name: "PostgreSQL", variable: "MARTLET_TEST_POSTGRES_URL")
        }
        components.path = "/\(database)"
        return components.string ?? server
    }

    private static func executeBlocking(_ statement: String, on url: String) throws {
        let connection = PQconnectdb(url)
        defer { PQfinish(connection) }
        let result = PQexec(connection, statement)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK else {
            throw SQLError.defect("\(statement): \(String(cString: PQerrorMessage(connection)))")
        }
    }
}

/// A real component that a test needs and that is not there. Nothing is skipped for it.
package struct MissingService: Error, CustomStringConvertible {
    let name: String
    let variable: String

    package init(name: String, variable: String) {
        self.name = name
        self.variable = variable
    }

    package var description: String { "\(variable) does not name a \(name) server: run the tests with `make test`." }
}
