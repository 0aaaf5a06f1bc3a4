import Foundation
import GRDB
package import SQL
import Synchronization

/// One SQLite file through GRDB: any number of readers beside one writer (WAL). A commit is on the disk before it is
/// answered (`synchronous = FULL`).
package final class SQLiteDatabase: SQLDatabase {
    /// How long a writer of another process, such as the command line, may make ours wait.
    private static let busyTimeout: TimeInterval = 5
    private static let leaseInterval: Duration = .milliseconds(500)

    private let pool: DatabasePool
    private let path: String

    package var dialect: SQLDialect { .sqlite }

    /// Opens the file, or makes it.
    ///
    /// - Throws: ``SQLError/unavailable(_:)`` if it cannot be opened or is no SQLite database.
    package init(path: String, maximumReaderCount: Int = 4) throws {
        var configuration = Configuration()
        configuration.label = "martlet"
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.maximumReaderCount = maximumReaderCount
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        self.path = path
        // It holds password hashes. SQLite gives the files beside it, such as the write-ahead log, the same mode.
        try makePrivateFile(path)
        do {
            self.pool = try DatabasePool(path: path, configuration: configuration)
        } catch {
            throw SQLError.unavailable("\(path): \(error.localizedDescription)")
        }
    }

    package func close() throws {
        try pool.close()
    }

    package func read(_ statement: SQLStatement, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        try await translatingErrors {
            try await pool.read { database in try SQLiteConnection(database).run(statement, arguments).rows }
        }
    }

    /// Every batch has the one writer, and its transaction, to itself.
    package func batch(_ statements: [BoundStatement], lockOrder: Int64?) async throws -> [SQLResult] {
        try await transaction { connection in
            try statements.map { try connection.run($0.statement, $0.arguments) }
        }
    }

    package func transaction<Outcome: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Outcome
    ) async throws -> Outcome {
        try await translatingErrors {
            try await pool.write { database in try body(SQLiteConnection(database)) }
        }
    }

    /// The lease is a lock on a file beside the database, so it ends with the process that holds it.
    package func withLease(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let lock = try FileLock(path: "\(path).\(name).lock")
        while try !lock.tryAcquire() {
            try await Task.sleep(for: Self.leaseInterval)
        }
        defer { lock.release() }
        try await body()
    }

    private func translatingErrors<Outcome>(_ body: () async throws -> Outcome) async throws -> Outcome {
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }
}

/// The writer, or a reader, inside a transaction of GRDB's.
private struct SQLiteConnection: SQLConnection {
    private let database: Database

    init(_ database: Database) {
        self.database = database
    }

    @discardableResult
    func run(_ statement: SQLStatement, _ arguments: [SQLValue]) throws -> SQLResult {
        do {
            let prepared = try database.cachedStatement(sql: statement.numbered)
            try prepared.setArguments(StatementArguments(arguments.map(\.databaseValue)))
            let rows = try Row.fetchAll(prepared).map { row in
                SQLRow(row.databaseValues.map(SQLValue.init))
            }
            return SQLResult(rows: rows, affectedRows: database.changesCount)
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    func runScript(_ script: String) throws {
        do {
            try database.execute(sql: script)
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }
}

/// The statements seen so far in SQLite's spelling: as many as our code has.
private let numberedTexts = Mutex<[SQLStatement: String]>([:])

extension SQLStatement {
    /// `$1` is a name to SQLite, numbered by first appearance: `?1` is the number itself.
    fileprivate var numbered: String {
        numberedTexts.withLock { texts in
            if let text = texts[self] { return text }
            let numbered = text.replacing("$", with: "?")
            texts[self] = numbered
            return numbered
        }
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .int(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .bool(let value): value.databaseValue
        case .bytes(let value): Data(value).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .int(value)
        case .double(let value): self = .text("\(value)")
        case .string(let value): self = .text(value)
        case .blob(let value): self = .bytes(Array(value))
        }
    }
}

extension SQLError {
    /// GRDB's message holds no arguments unless asked to.
    fileprivate init(_ error: DatabaseError) {
        let message = error.message ?? "no message"
        self =
            switch error.extendedResultCode {
            case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
                .uniqueViolation(message.replacing("UNIQUE constraint failed: ", with: ""))
            case .SQLITE_CONSTRAINT_FOREIGNKEY: .foreignKeyViolation(message)
            default:
                switch error.resultCode {
                case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY:
                    .unavailable(message)
                default: .defect("SQLite \(error.extendedResultCode.rawValue): \(message)")
                }
            }
    }
}
