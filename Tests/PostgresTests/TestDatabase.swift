import Foundation
import Glibc
import Logging
import SQL
import Synchronization
import Testing

@testable import Postgres

/// What needs a server, one after the other: making databases side by side only makes them wait for each other.
@Suite("On a PostgreSQL server", .serialized)
enum OnServer {}

/// A database of its own for each test, made and dropped through the server that MARTLET_TEST_POSTGRES_URL names.
func withDatabase(
    _ change: (inout PostgresConfiguration) -> Void = { _ in },
    log: RecordedLog = RecordedLog(),
    _ body: (TestDatabase) async throws -> Void
) async throws {
    let server = try serverURL()
    let name = "martlet_test_\(UInt64.random(in: 0..<UInt64.max))"
    var adminConfiguration = try PostgresConfiguration(server.absoluteString)
    adminConfiguration.readConnections = 1
    adminConfiguration.writeConnections = 1
    adminConfiguration.statementTimeLimit = .seconds(60)
    adminConfiguration.callTimeLimit = .seconds(60)
    let admin = try PostgresDatabase(adminConfiguration, logger: RecordedLog().logger)
    try await admin.statement("CREATE DATABASE \(name)")
    let outcome: Result<Void, any Error>
    do {
        guard var parts = URLComponents(url: server, resolvingAgainstBaseURL: false) else { throw MissingServer() }
        parts.path = "/\(name)"
        let url = try parts.url.orThrow(MissingServer())
        var configuration = try PostgresConfiguration(url.absoluteString)
        change(&configuration)
        let sql = try PostgresDatabase(configuration, logger: log.logger)
        let database = TestDatabase(sql: sql, admin: admin, name: name, url: url, log: log)
        do { outcome = .success(try await body(database)) } catch { outcome = .failure(error) }
        await sql.close()
    } catch {
        outcome = .failure(error)
    }
    try await admin.statement("DROP DATABASE \(name) WITH (FORCE)")
    await admin.close()
    try outcome.get()
}

struct TestDatabase: Sendable {
    let sql: PostgresDatabase
    let admin: PostgresDatabase
    let name: String
    let url: URL
    let log: RecordedLog

    /// Another process, as far as the server can tell.
    func another(_ change: (inout PostgresConfiguration) -> Void = { _ in }) throws -> PostgresDatabase {
        var configuration = try PostgresConfiguration(url.absoluteString)
        change(&configuration)
        return try PostgresDatabase(configuration, logger: log.logger)
    }

    /// Ends every connection to this database, as a restart of the server does.
    func terminateConnections() async throws {
        _ = try await admin.read(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
            [.text(name)]
        )
    }
}

extension PostgresDatabase {
    /// Outside any transaction of ours, as CREATE DATABASE demands: a batch of one statement.
    func statement(_ text: String) async throws {
        _ = try await batch([BoundStatement(SQLStatement(text), [])])
    }
}

struct MissingServer: Error, CustomStringConvertible {
    let description = """
        MARTLET_TEST_POSTGRES_URL must name a PostgreSQL server on which databases can be created, \
        such as postgresql://postgres@127.0.0.1:5432/postgres
        """
}

func serverURL() throws -> URL {
    try ProcessInfo.processInfo.environment["MARTLET_TEST_POSTGRES_URL"].flatMap(URL.init(string:))
        .orThrow(MissingServer())
}

extension Optional {
    func orThrow(_ error: any Error) throws -> Wrapped {
        guard let self else { throw error }
        return self
    }
}

struct Timeout: Error {}

/// Waits for a condition, with a deadline instead of a guess at how long it takes.
func eventually(within limit: Duration = .seconds(10), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Timeout() }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// The lines that were logged.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }

    func note(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.note("\(event.message) \(event.metadata ?? [:])")
        }
    }
}
