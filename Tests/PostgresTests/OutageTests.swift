import SQL
import Testing

@testable import Postgres

extension OnServer {
    @Suite("A PostgreSQL outage")
    struct OutageTests {
        @Test("calls pass again after the server ended every connection, which is logged once")
        func recovery() async throws {
            let log = RecordedLog()
            try await withDatabase(log: log) { database in
                let one = BoundStatement("SELECT 1", [])
                _ = try await database.sql.read(one.statement, [])
                _ = try await database.sql.batch([one])
                _ = try await database.sql.transaction { try $0.run("SELECT 1", []) }
                try await database.terminateConnections()
                // The transaction finds its connection broken and opens another one by itself.
                _ = try await database.sql.transaction { try $0.run("SELECT 1", []) }
                #expect(try await database.sql.read(one.statement, []) == [SQLRow([.int(1)])])
                try await eventually { (try? await database.sql.batch([one])) != nil }
                try await eventually { log.messages.contains { $0.hasPrefix("PostgreSQL connection restored") } }
                #expect(log.messages.filter { $0.hasPrefix("PostgreSQL connection lost") }.count == 1)
            }
        }

        @Test("a read under way when the connection breaks is answered over another one")
        func rerunsReads() async throws {
            try await withDatabase({ $0.readConnections = 1 }) { database in
                try await withThrowingTaskGroup(of: [SQLRow].self) { group in
                    group.addTask { try await database.sql.read("SELECT 1 FROM pg_sleep(0.5)", []) }
                    try await eventually { try await database.isSleeping() }
                    try await database.terminateConnections()
                    #expect(try await group.next() == [SQLRow([.int(1)])])
                }
            }
        }

        @Test("a batch under way when the connection breaks is unavailable, and is not done twice")
        func failsBatches() async throws {
            try await withDatabase { database in
                await #expect(throws: SQLError.self) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await database.sql.statement("SELECT 1 FROM pg_sleep(30)") }
                        try await eventually { try await database.isSleeping() }
                        try await database.terminateConnections()
                        try await group.next()
                    }
                }
                let isDoneAgain = try await database.isSleeping()
                #expect(!isDoneAgain)
            }
        }

        @Test("without a server every kind of call fails as unavailable, soon")
        func noServer() async throws {
            var configuration = try PostgresConfiguration("postgresql://nobody@127.0.0.1:1/none")
            configuration.outageTimeLimit = .milliseconds(300)
            let database = try PostgresDatabase(configuration, logger: RecordedLog().logger)
            let began = ContinuousClock.now
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await database.read("SELECT 1", []) },
                { try await database.statement("SELECT 1") },
                { _ = try await database.transaction { try $0.run("SELECT 1", []) } },
                { try await database.withLease("none") {} },
            ]
            await withTaskGroup(of: Void.self) { group in
                for call in calls {
                    group.addTask {
                        let error = await #expect(throws: SQLError.self) { try await call() }
                        #expect(error?.isUnavailable == true)
                    }
                }
            }
            #expect(ContinuousClock.now - began < .seconds(3))
            await database.close()
        }
    }
}
