import SQL

/// A lock of a name that one session of the database holds at a time: an advisory lock on a connection of its own.
struct Lease {
    /// Another process takes over within 5 s of the holder's end; a try costs the server next to nothing.
    static let pollInterval = Duration.seconds(1)
    /// How often the holder makes sure that it still holds.
    static let watchInterval = Duration.seconds(1)
    /// A holder that hears nothing for this long gives up before the server's keepalive frees the lock for another.
    static let watchTimeLimit = Duration.seconds(2)

    private let pool: BlockingPool
    private let key: Int64

    init(_ name: String, _ pool: BlockingPool) {
        self.pool = pool
        key = Self.key(name)
    }

    func acquire() async throws {
        while try await !tryToAcquire() {
            try await Task.sleep(for: Self.pollInterval * Double.random(in: 0.75..<1.25))
        }
    }

    /// - Throws: ``SQLError/unavailable(_:)`` as soon as the connection, and so the lock, is lost.
    func watch() async throws -> Never {
        while true {
            try await Task.sleep(for: Self.watchInterval)
            _ = try await ask("SELECT true", [])
        }
    }

    private func tryToAcquire() async throws -> Bool {
        try await ask("SELECT pg_try_advisory_lock($1)", [.int(key)])
    }

    private func ask(_ statement: SQLStatement, _ arguments: [SQLValue]) async throws -> Bool {
        try await pool.run { session in
            let outcome: StatementOutcome?
            do throws(PostgresFailure) {
                outcome = try session.run([BoundStatement(statement, arguments)], limit: Self.watchTimeLimit).first
            } catch {
                throw SQLError(error)
            }
            switch outcome {
            case .completed(let result): return try result.rows.first?.bool(0) ?? false
            case .refused(let error): throw SQLError(error)
            case .undecodable, .skipped, nil: throw SQLError.defect("a lease was answered with something else")
            }
        }
    }

    /// FNV-1a: every process must come to the same key, and Swift's own hashes differ from run to run.
    static func key(_ name: String) -> Int64 {
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
