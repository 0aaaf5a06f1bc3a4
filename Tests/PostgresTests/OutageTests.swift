import Dispatch
import Foundation
import SQL
import Synchronization
import Testing

@testable import Postgres

extension OnServer {
    @Suite("A PostgreSQL outage")
    struct OutageTests {
        @Test("calls pass again after the server ended every connection")
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
            }
        }

        @Test("is logged once when it begins and once when all connections are back")
        func logging() {
            let recorded = RecordedLog()
            let log = ConnectionLog(logger: recorded.logger, endpoint: "db:1")
            let connections = (0..<3).map { _ in log.newConnectionID() }
            for connection in connections { log.lost(connection, "reset") }
            log.lost(connections[0], "refused")
            for connection in connections { log.opened(connection) }
            #expect(
                recorded.messages.map { $0.prefix(25) } == ["PostgreSQL connection los", "PostgreSQL connection res"])
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

        @Test("a resolver that hangs holds up no connection that is open")
        func hangingResolver() async throws {
            try await withDatabase { database in
                var parts = try URLComponents(url: database.url, resolvingAgainstBaseURL: false).orThrow(
                    MissingServer())
                let address = try parts.host.orThrow(MissingServer())
                parts.host = "db.test"
                var configuration = try PostgresConfiguration(parts.string.orThrow(MissingServer()))
                let isHanging = Mutex(false)
                let lookups = Mutex(0)
                let end = DispatchSemaphore(value: 0)
                configuration.resolve = { _ in
                    if isHanging.withLock({ $0 }) {
                        lookups.withLock { $0 += 1 }
                        _ = end.wait(timeout: .now() + .seconds(20))
                    }
                    return [address]
                }
                let named = try PostgresDatabase(configuration, logger: database.log.logger)
                _ = try await named.transaction { try $0.run("SELECT 1", []) }
                // Of both databases two for reads, one for batches and one for those that share transactions; one more for
                // the transaction.
                try await eventually { try await database.connectionCount() == 9 }
                isHanging.withLock { $0 = true }
                let pid = try await named.read("SELECT pg_backend_pid()::bigint", [])[0].int(0)
                _ = try await database.admin.read("SELECT pg_terminate_backend($1::int)::text", [.int(pid)])
                try await eventually { lookups.withLock { $0 } == 1 }
                let began = ContinuousClock.now
                for _ in 0..<10 { _ = try await named.read("SELECT 1", []) }
                #expect(ContinuousClock.now - began < .seconds(5))
                isHanging.withLock { $0 = false }
                end.signal()
                try await eventually { try await database.connectionCount() == 9 }
                await named.close()
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
