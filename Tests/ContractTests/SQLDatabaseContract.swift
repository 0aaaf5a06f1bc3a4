import SQL
import TestSupport
import Testing

@Suite("SQLDatabase")
struct SQLDatabaseContract {
    private struct Refused: Error {}

    @Test("every kind of value is kept as it was given", arguments: Engine.allCases)
    func values(engine: Engine) async throws {
        try await engine.withTables { database in
            let rows: [[SQLValue]] = [
                [.int(.min), .text("it's \"quoted\" \\ \u{1F426}\n$1 ?1"), .bool(true), .bytes([0, 255, 39, 92])],
                [.int(.max), .text(""), .bool(false), .bytes([])],
                [.int(0), .null, .null, .null],
            ]
            for row in rows {
                _ = try await database.batch([
                    BoundStatement("INSERT INTO things (id, words, flag, data) VALUES ($1, $2, $3, $4)", row)
                ])
                let read = try await database.read("SELECT id, words, flag, data FROM things WHERE id = $1", [row[0]])
                let found = try #require(read.first)
                #expect(read.count == 1)
                #expect([found.values[0], found.values[1], found.values[3]] == [row[0], row[1], row[3]])
                if row[2] == .null {
                    #expect(found.values[2] == .null)
                } else {
                    #expect(try .bool(found.bool(2)) == row[2])
                }
            }
        }
    }

    @Test("arguments go by their number, in any order and more than once", arguments: Engine.allCases)
    func numbering(engine: Engine) async throws {
        try await engine.withTables { database in
            _ = try await database.batch([
                BoundStatement("INSERT INTO things (words, id) VALUES ($2, $1)", [.int(1), .text("one")]),
                BoundStatement("INSERT INTO things (id, words) VALUES ($1, $2)", [.int(2), .text("two")]),
            ])
            let rows = try await database.read(
                "SELECT id FROM things WHERE words = $2 AND id >= $1 AND id <= $1",
                [.int(1), .text("one")]
            )
            #expect(rows == [SQLRow([.int(1)])])
        }
    }

    @Test("a batch gives each statement's rows and count", arguments: Engine.allCases)
    func results(engine: Engine) async throws {
        try await engine.withTables { database in
            let results = try await database.batch([
                BoundStatement("INSERT INTO things (id) VALUES ($1), ($2)", [.int(1), .int(2)]),
                BoundStatement("UPDATE things SET words = $1 WHERE id = 2 RETURNING id, words", [.text("two")]),
                BoundStatement("DELETE FROM things WHERE id > $1", [.int(10)]),
                BoundStatement("INSERT INTO things (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", [.int(1)]),
                BoundStatement("SELECT id FROM things ORDER BY id", []),
            ])
            #expect(results.prefix(4).map(\.affectedRows) == [2, 1, 0, 0])
            #expect(results[1].rows == [SQLRow([.int(2), .text("two")])])
            #expect(results[4].rows == [SQLRow([.int(1)]), SQLRow([.int(2)])])
        }
    }

    @Test("a batch whose last statement fails changes nothing", arguments: Engine.allCases)
    func failingBatch(engine: Engine) async throws {
        try await engine.withTables { database in
            let error = await #expect(throws: SQLError.self) {
                try await database.batch([Self.insertion(1), Self.insertion(2), Self.insertion(1)])
            }
            #expect(error?.isUniqueViolation == true)
            let ids = try await database.ids()
            #expect(ids.isEmpty)
        }
    }

    @Test("batches that may share a commit succeed and fail apart", arguments: Engine.allCases)
    func groupedBatches(engine: Engine) async throws {
        try await engine.withTables { database in
            let failed = try await withThrowingTaskGroup(of: Int64?.self) { group in
                for id in Int64(1)...30 {
                    group.addTask {
                        let repeated = id.isMultiple(of: 3) ? [Self.insertion(id)] : []
                        do {
                            _ = try await database.batch([Self.insertion(id)] + repeated, lockOrder: id % 5)
                            return nil
                        } catch let error as SQLError where error.isUniqueViolation {
                            return id
                        }
                    }
                }
                return try await group.reduce(into: [Int64?]()) { $0.append($1) }.compactMap { $0 }
            }
            #expect(failed.sorted() == (1...30).filter { $0.isMultiple(of: 3) })
            let stored = try await database.ids()
            #expect(stored == (1...30).filter { !$0.isMultiple(of: 3) })
        }
    }

    @Test("a transaction commits what its closure did, and gives what it returned", arguments: Engine.allCases)
    func commit(engine: Engine) async throws {
        try await engine.withTables { database in
            let count = try await database.transaction { connection in
                try connection.run("INSERT INTO things (id) VALUES ($1)", [.int(1)])
                return try connection.run("SELECT id FROM things", []).rows.count
            }
            #expect(count == 1)
            #expect(try await database.ids() == [1])
        }
    }

    @Test("a transaction whose closure throws changes nothing, and throws the same", arguments: Engine.allCases)
    func rollback(engine: Engine) async throws {
        try await engine.withTables { database in
            await #expect(throws: Refused.self) {
                try await database.transaction { connection in
                    try connection.run("INSERT INTO things (id) VALUES ($1)", [.int(1)])
                    throw Refused()
                }
            }
            #expect(try await database.ids().isEmpty)
            _ = try await database.batch([Self.insertion(2)])
            #expect(try await database.ids() == [2])
        }
    }

    @Test("transactions side by side lose no change", arguments: Engine.allCases)
    func concurrentTransactions(engine: Engine) async throws {
        try await engine.withTables { database in
            _ = try await database.batch([Self.insertion(0)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await database.transaction { connection in
                            _ = try connection.run("UPDATE things SET id = id + 1", [])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.ids() == [20])
        }
    }

    @Test("broken constraints are told apart, in batches and in transactions", arguments: Engine.allCases)
    func violations(engine: Engine) async throws {
        try await engine.withTables { database in
            _ = try await database.batch([Self.insertion(1)])
            let orphan = BoundStatement("INSERT INTO parts (thing) VALUES ($1)", [.int(9)])
            for statement in [Self.insertion(1), orphan] {
                let inBatch = await #expect(throws: SQLError.self) { try await database.batch([statement]) }
                let inTransaction = await #expect(throws: SQLError.self) {
                    try await database.transaction { try $0.run(statement.statement, statement.arguments) }
                }
                #expect(inBatch == inTransaction)
                #expect(inBatch?.isUniqueViolation == (statement.statement == Self.insertion(1).statement))
                #expect(inBatch?.isForeignKeyViolation == (statement.statement == orphan.statement))
            }
        }
    }

    @Test("wrong SQL is a defect that holds no argument", arguments: Engine.allCases)
    func defect(engine: Engine) async throws {
        try await engine.withTables { database in
            let error = await #expect(throws: SQLError.self) {
                try await database.read("SELECT nothing FROM things WHERE words = $1", [.text("hunter2")])
            }
            guard case .defect(let reason) = error else {
                Issue.record("not a defect: \(String(describing: error))")
                return
            }
            #expect(!reason.contains("hunter2"))
        }
    }

    @Test("a lease has one holder at a time, and names are apart", arguments: Engine.allCases)
    func exclusiveLease(engine: Engine) async throws {
        try await engine.withTables { database in
            let holders = Holders()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await database.withLease("one") {
                            await holders.enter()
                            try await database.withLease("another") { await Task.yield() }
                            await holders.leave()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(await holders.mostAtOnce == 1)
            #expect(await holders.all == 3)
        }
    }

    private actor Holders {
        private(set) var all = 0
        private(set) var mostAtOnce = 0
        private var now = 0

        func enter() {
            all += 1
            now += 1
            mostAtOnce = max(mostAtOnce, now)
        }

        func leave() {
            now -= 1
        }
    }

    @Test("a lease is free again after its body threw, and the error comes out", arguments: Engine.allCases)
    func throwingHolder(engine: Engine) async throws {
        try await engine.withTables { database in
            await #expect(throws: Refused.self) { try await database.withLease("one") { throw Refused() } }
            try await database.withLease("one") {}
        }
    }

    @Test("a lease is free again after its holder was cancelled, and one who waits can be", arguments: Engine.allCases)
    func cancelledHolder(engine: Engine) async throws {
        try await engine.withTables { database in
            let (held, holding) = AsyncStream<Never>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { holder in
                holder.addTask {
                    try await database.withLease("one") {
                        holding.finish()
                        try await Task.sleep(for: .seconds(3600))
                    }
                }
                for await _ in held {}
                await #expect(throws: CancellationError.self) {
                    try await withThrowingTaskGroup(of: Void.self) { waiter in
                        waiter.addTask { try await database.withLease("one") { Issue.record("two hold the lease") } }
                        waiter.cancelAll()
                        try await waiter.next()
                    }
                }
                holder.cancelAll()
                do {
                    try await holder.next()
                    Issue.record("the cancelled holder threw nothing")
                } catch is CancellationError {}
            }
            try await database.withLease("one") {}
        }
    }

    private static func insertion(_ id: Int64) -> BoundStatement {
        BoundStatement("INSERT INTO things (id) VALUES ($1)", [.int(id)])
    }
}

extension Engine {
    /// A database with two tables of our own.
    fileprivate func withTables(_ body: @Sendable (any SQLDatabase) async throws -> Void) async throws {
        try await withEmptyDatabase { database in
            try await database.transaction { connection in
                try connection.runScript(
                    """
                    CREATE TABLE things (id bigint PRIMARY KEY, words text, flag boolean, data bytea);
                    CREATE TABLE parts (thing bigint NOT NULL REFERENCES things (id))
                    """
                )
            }
            try await body(database)
        }
    }
}

extension SQLDatabase {
    fileprivate func ids() async throws -> [Int64] {
        try await read("SELECT id FROM things ORDER BY id", []).map { try $0.int(0) }
    }
}

extension SQLError {
    fileprivate var isUniqueViolation: Bool { if case .uniqueViolation = self { true } else { false } }
    fileprivate var isForeignKeyViolation: Bool { if case .foreignKeyViolation = self { true } else { false } }
}
