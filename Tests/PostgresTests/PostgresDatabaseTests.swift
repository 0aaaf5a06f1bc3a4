import SQL
import Testing

@testable import Postgres

extension OnServer {
    @Suite("The PostgreSQL database")
    struct PostgresDatabaseTests {
        @Test("every kind of value comes back as it went in")
        func roundTrip() async throws {
            try await withDatabase { database in
                let values: [[SQLValue]] = [
                    [.int(.min), .text("swift 🐦 \u{0301}"), .bool(true), .bytes([0, 255, 39, 92])],
                    [.int(.max), .text(""), .bool(false), .bytes([])],
                    [.int(-1), .text(String(repeating: "x", count: 100_000)), .bool(true), .bytes([0])],
                    [.null, .null, .null, .null],
                ]
                for arguments in values {
                    let rows = try await database.sql.read(
                        "SELECT $1::bigint, $2::text, $3::boolean, $4::bytea",
                        arguments
                    )
                    #expect(rows == [SQLRow(arguments)])
                }
                let narrow = try await database.sql.read("SELECT 7::smallint, -7::integer, 'n'::name, 'v'::varchar", [])
                #expect(narrow == [SQLRow([.int(7), .int(-7), .text("n"), .text("v")])])
            }
        }

        @Test("a column of another type is a defect that names the type")
        func unknownType() async throws {
            try await withDatabase { database in
                let error = await #expect(throws: SQLError.self) {
                    try await database.sql.read("SELECT 1.5 AS price", [])
                }
                #expect(error == .defect("column price has the type numeric, which must be cast in the statement"))
            }
        }

        @Test("one failing read among fifty fails alone", arguments: [1, 2])
        func failingRead(_ connections: Int) async throws {
            try await withDatabase({ $0.readConnections = connections }) { database in
                let outcomes = await withTaskGroup(of: (Int, Result<[SQLRow], any Error>).self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            do {
                                let rows = try await database.sql.read("SELECT 100 / $1::bigint", [.int(Int64(number))])
                                return (number, .success(rows))
                            } catch {
                                return (number, .failure(error))
                            }
                        }
                    }
                    return await group.reduce(into: [Int: Result<[SQLRow], any Error>]()) { $0[$1.0] = $1.1 }
                }
                for number in 1..<50 {
                    let rows = try outcomes[number]?.get()
                    #expect(rows == [SQLRow([.int(100 / Int64(number))])])
                }
                #expect(throws: SQLError.defect("22012: data exception")) { try outcomes[0]?.get() }
            }
        }

        @Test("a write that was given to read changes nothing")
        func readOnly() async throws {
            try await withDatabase { database in
                try await database.sql.statement("CREATE TABLE t (id bigint)")
                await #expect(throws: SQLError.self) { try await database.sql.read("INSERT INTO t VALUES (1)", []) }
                #expect(try await database.sql.read("SELECT id FROM t", []) == [])
            }
        }

        @Test("a batch gives a result for each statement, or changes nothing at all")
        func batch() async throws {
            try await withDatabase { database in
                try await database.sql.statement("CREATE TABLE t (id bigint CONSTRAINT t_key UNIQUE)")
                let insert: SQLStatement = "INSERT INTO t VALUES ($1)"
                let results = try await database.sql.batch([
                    BoundStatement(insert, [.int(1)]), BoundStatement(insert, [.int(2)]),
                    BoundStatement("UPDATE t SET id = id + 10", []), BoundStatement("SELECT id FROM t ORDER BY id", []),
                    BoundStatement("INSERT INTO t VALUES (3) RETURNING id", []),
                ])
                #expect(results.map(\.affectedRows) == [1, 1, 2, 0, 1])
                #expect(results[3].rows == [SQLRow([.int(11)]), SQLRow([.int(12)])])
                await #expect(throws: SQLError.uniqueViolation("t_key")) {
                    try await database.sql.batch([BoundStatement(insert, [.int(4)]), BoundStatement(insert, [.int(3)])])
                }
                #expect(try await database.sql.read("SELECT count(*) FROM t", []) == [SQLRow([.int(3)])])
            }
        }

        @Test(
            "batches of many callers do not notice a failing one, apart or sharing transactions",
            arguments: [false, true])
        func batchesApart(isShared: Bool) async throws {
            try await withDatabase({ $0.writeConnections = 1 }) { database in
                try await database.sql.statement("CREATE TABLE t (id bigint PRIMARY KEY)")
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            // Each twentieth breaks the key; its neighbours must not notice.
                            let id = Int64(number % 20 == 19 ? 0 : number + 100)
                            let second = Int64(number % 20 == 19 ? 0 : -number - 100)
                            let insert: SQLStatement = "INSERT INTO t VALUES ($1)"
                            let statements = [
                                BoundStatement(insert, [.int(id)]), BoundStatement(insert, [.int(second)]),
                            ]
                            _ = try? await database.sql.batch(statements, lockOrder: isShared ? id : nil)
                        }
                    }
                }
                #expect(try await database.sql.read("SELECT count(*) FROM t", []) == [SQLRow([.int(76)])])
            }
        }

        @Test("opens connections for batches as they are needed, and closes them again")
        func connectionsOnDemand() async throws {
            try await withDatabase({ $0.idleLimit = .milliseconds(500) }) { database in
                try await database.sql.statement("SELECT pg_sleep(0.5)")
                let few = try await database.connectionCount()
                #expect(few <= 4)  // Two for reads, one for batches, one for those that share transactions.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<64 { group.addTask { try await database.sql.statement("SELECT pg_sleep(0.3)") } }
                    try await eventually { try await database.connectionCount() >= 16 }
                    try await group.waitForAll()
                }
                #expect(try await database.connectionCount() <= 19)
                try await eventually { try await database.connectionCount() <= 4 }
                try await database.sql.statement("SELECT 1")
            }
        }

        @Test("constraints are named, also one that is checked at commit")
        func constraints() async throws {
            try await withDatabase { database in
                try await database.sql.transaction { connection in
                    try connection.runScript(
                        """
                        CREATE TABLE p (id bigint CONSTRAINT p_key PRIMARY KEY);
                        CREATE TABLE c (p bigint CONSTRAINT c_p_fkey REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);
                        INSERT INTO p VALUES (1);
                        """
                    )
                }
                await #expect(throws: SQLError.uniqueViolation("p_key")) {
                    try await database.sql.statement("INSERT INTO p VALUES (1)")
                }
                await #expect(throws: SQLError.foreignKeyViolation("c_p_fkey")) {
                    try await database.sql.statement("INSERT INTO c VALUES (2)")
                }
                await #expect(throws: SQLError.foreignKeyViolation("c_p_fkey")) {
                    try await database.sql.transaction { try $0.run("INSERT INTO c VALUES (2)", []) }
                }
            }
        }

        @Test("a statement stays usable after a migration has changed its table")
        func stalePlan() async throws {
            try await withDatabase({ $0.readConnections = 1 }) { database in
                try await database.sql.statement("CREATE TABLE t AS SELECT 1::bigint AS id")
                let read: SQLStatement = "SELECT * FROM t"
                #expect(try await database.sql.read(read, []) == [SQLRow([.int(1)])])
                _ = try await database.sql.transaction { try $0.run(read, []) }
                try await database.sql.statement("ALTER TABLE t ADD COLUMN name text DEFAULT 'n'")
                #expect(try await database.sql.read(read, []) == [SQLRow([.int(1), .text("n")])])
                let result = try await database.sql.transaction { try $0.run(read, []) }
                #expect(result.rows == [SQLRow([.int(1), .text("n")])])
            }
        }

        @Test("after DEALLOCATE ALL a statement is prepared anew")
        func deallocated() async throws {
            try await withDatabase({ $0.writeConnections = 1 }) { database in
                let one = BoundStatement("SELECT 1", [])
                _ = try await database.sql.batch([one])
                try await database.sql.statement("DEALLOCATE ALL")
                #expect(try await database.sql.batch([one]).count == 1)
            }
        }

        @Test("a read that takes too long ends as unavailable")
        func statementTimeLimit() async throws {
            try await withDatabase({ $0.statementTimeLimit = .milliseconds(100) }) { database in
                let error = await #expect(throws: SQLError.self) {
                    try await database.sql.read("SELECT pg_sleep(30)", [])
                }
                #expect(error?.isUnavailable == true)
            }
        }

        @Test("a cancelled caller stops waiting at once, and the connection stays good")
        func cancellation() async throws {
            try await withDatabase({ $0.statementTimeLimit = .seconds(2) }) { database in
                let began = ContinuousClock.now
                await #expect(throws: CancellationError.self) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { _ = try await database.sql.read("SELECT pg_sleep(30)", []) }
                        try await eventually { try await database.isSleeping() }
                        group.cancelAll()
                        try await group.next()
                    }
                }
                #expect(ContinuousClock.now - began < .seconds(2))
                let rows = try await database.sql.read("SELECT 1", [])
                #expect(rows == [SQLRow([.int(1)])])
            }
        }

        @Test("run closes everything when its task is cancelled")
        func run() async throws {
            try await withDatabase { database in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await database.sql.run() }
                    _ = try await database.sql.read("SELECT 1", [])
                    group.cancelAll()
                    try await group.waitForAll()
                }
                await #expect(throws: SQLError.unavailable("closed")) { try await database.sql.read("SELECT 1", []) }
                await #expect(throws: SQLError.unavailable("closed")) { try await database.sql.transaction { _ in } }
            }
        }
    }
}

extension TestDatabase {
    func connectionCount() async throws -> Int64 {
        let rows = try await admin.read(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
            [.text(name)]
        )
        return try rows[0].int(0)
    }

    func isSleeping() async throws -> Bool {
        let rows = try await admin.read(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_sleep%' AND state = 'active'",
            [.text(name)]
        )
        return try rows[0].int(0) > 0
    }
}

extension SQLError {
    var isUnavailable: Bool {
        if case .unavailable = self { true } else { false }
    }
}
