/// A relational database as the stores see it: three ways to run SQL, each at most one wait.
///
/// Statements are written once with `$1`, `$2` … for both engines; where SQL differs, a store asks for ``dialect``.
/// Errors that leave this port are ``SQLError`` or `CancellationError`.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// Runs one statement that only reads. It sees a consistent snapshot and everything that was committed before the
    /// call. Many such statements MAY share a round trip, so one that writes MUST NOT be given here.
    func read(_ statement: SQLStatement, _ arguments: [SQLValue]) async throws -> [SQLRow]

    /// Runs statements in order in one transaction, in one round trip: all of them or none. Gives a result for each.
    ///
    /// - Parameter lockOrder: Allows the batch to share its transaction, and so its commit, with batches of other callers
    ///   (group commit): a failing one MUST NOT affect the others. It is the key of the row that such batches contend
    ///   for; those that share a transaction run in ascending order of it, so that no two transactions wait for each
    ///   other. `nil` keeps the batch to itself.
    func batch(_ statements: [BoundStatement], lockOrder: Int64?) async throws -> [SQLResult]

    /// Runs `body` in one transaction, for changes where one statement's result decides on the next. It commits when
    /// `body` returns, and rolls back when it throws. `body` blocks a thread of the adapter's own and MUST NOT wait for
    /// anything but its connection.
    func transaction<Outcome: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Outcome
    ) async throws -> Outcome

    /// Runs `body` while no other process that uses this database holds the lease of this name; waits until then.
    /// MUST cancel `body` and throw once the lease is lost.
    func withLease(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws
}

extension SQLDatabase {
    package func batch(_ statements: [BoundStatement]) async throws -> [SQLResult] {
        try await batch(statements, lockOrder: nil)
    }
}

package enum SQLDialect: Hashable, Sendable {
    case postgres
    case sqlite
}

/// One connection inside a transaction. Confined to the closure that got it.
package protocol SQLConnection {
    @discardableResult
    func run(_ statement: SQLStatement, _ arguments: [SQLValue]) throws -> SQLResult
    /// Runs a script of several statements without arguments, as a migration is.
    func runScript(_ script: String) throws
}

package struct BoundStatement: Sendable {
    package let statement: SQLStatement
    package let arguments: [SQLValue]

    package init(_ statement: SQLStatement, _ arguments: [SQLValue]) {
        self.statement = statement
        self.arguments = arguments
    }
}

/// A value on its way in or out. PostgreSQL: `bigint`, `text`, `boolean`, `bytea`; SQLite: `INTEGER`, `TEXT`, `BLOB`.
package enum SQLValue: Hashable, Sendable {
    case null
    case int(Int64)
    case text(String)
    /// SQLite keeps 0 or 1.
    case bool(Bool)
    case bytes([UInt8])
}

extension SQLValue {
    package static func optional(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }
}

/// One row, its values in the order of the statement's columns. Every type of PostgreSQL but those of ``SQLValue`` MUST
/// be cast in the statement.
package struct SQLRow: Hashable, Sendable {
    package let values: [SQLValue]

    package init(_ values: [SQLValue]) {
        self.values = values
    }
}

package struct SQLResult: Hashable, Sendable {
    package let rows: [SQLRow]
    /// How many rows an INSERT, UPDATE or DELETE touched.
    package let affectedRows: Int

    package init(rows: [SQLRow], affectedRows: Int) {
        self.rows = rows
        self.affectedRows = affectedRows
    }
}

/// What can go wrong in a database, told the same by both engines. Never holds arguments.
package enum SQLError: Error, Hashable, Sendable {
    /// A unique constraint was broken; named after the index or constraint in PostgreSQL (`users_username_key`), and
    /// after its columns in SQLite (`users.username`).
    case uniqueViolation(String)
    /// A row that must be there is not.
    case foreignKeyViolation(String)
    /// The database cannot be reached, is shutting down, or has no connection free in time. Whether a change that was
    /// under way was made is unknown.
    case unavailable(String)
    /// Our SQL or our use of it is wrong, or a value has another type than the column.
    case defect(String)
}

extension SQLError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .uniqueViolation(let name): "unique violation: \(name)"
        case .foreignKeyViolation(let name): "foreign key violation: \(name)"
        case .unavailable(let reason): "unavailable: \(reason)"
        case .defect(let reason): reason
        }
    }
}

extension SQLRow {
    /// - Throws: ``SQLError/defect(_:)`` if the column holds another type.
    package func int(_ index: Int) throws(SQLError) -> Int64 {
        guard case .int(let value) = values[index] else { throw mismatch(index, "an integer") }
        return value
    }

    /// - Throws: ``SQLError/defect(_:)`` if the column holds another type.
    package func text(_ index: Int) throws(SQLError) -> String {
        guard case .text(let value) = values[index] else { throw mismatch(index, "text") }
        return value
    }

    /// - Throws: ``SQLError/defect(_:)`` if the column holds another type.
    package func bool(_ index: Int) throws(SQLError) -> Bool {
        switch values[index] {
        case .bool(let value): return value
        case .int(let value): return value != 0
        default: throw mismatch(index, "a boolean")
        }
    }

    /// - Throws: ``SQLError/defect(_:)`` if the column holds another type.
    package func optionalText(_ index: Int) throws(SQLError) -> String? {
        values[index] == .null ? nil : try text(index)
    }

    /// - Throws: ``SQLError/defect(_:)`` if the column holds another type.
    package func optionalInt(_ index: Int) throws(SQLError) -> Int64? {
        values[index] == .null ? nil : try int(index)
    }

    private func mismatch(_ index: Int, _ expected: String) -> SQLError {
        .defect("column \(index) does not hold \(expected)")
    }
}
