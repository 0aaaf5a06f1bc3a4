import SQL
import Synchronization
import Testing

@testable import Postgres

extension OnServer {
    @Suite("A PostgreSQL transaction")
    struct TransactionTests {
        private struct Refused: Error {}

        @Test("commits what its closure did, and rolls back when it throws")
        func commitAndRollback() async throws {
            try await withDatabase { database in
                try await database.sql.statement("CREATE TABLE t (id bigint)")
                let touched = try await database.sql.transaction { connection in
                    try connection.run("INSERT INTO t VALUES ($1)", [.int(1)])
                    return try connection.run("UPDATE t SET id = id + 1", []).affectedRows
                }
                #expect(touched == 1)
                await #expect(throws: Refused.self) {
                    try await database.sql.transaction { connection in
                        try connection.run("INSERT INTO t VALUES ($1)", [.int(5)])
                        throw Refused()
                    }
                }
                #expect(try await database.sql.read("SELECT id FROM t", []) == [SQLRow([.int(2)])])
            }
        }

        @Test("is not taken for committed when its closure hides a failed statement")
        func hiddenFailure() async throws {
            try await withDatabase { database in
                await #expect(throws: SQLError.self) {
                    try await database.sql.transaction { connection in
                        do { try connection.run("SELECT 1 / 0", []) } catch {}
                    }
                }
            }
        }

        @Test("may run a script that takes longer than a call, and goes on after it")
        func longScript() async throws {
            try await withDatabase({ $0.callTimeLimit = .seconds(1) }) { database in
                try await database.sql.transaction { connection in
                    try connection.runScript("CREATE TABLE t (id bigint); SELECT pg_sleep(1.5)")
                    try connection.run("INSERT INTO t VALUES (1)", [])
                }
                #expect(try await database.sql.read("SELECT id FROM t", []) == [SQLRow([.int(1)])])
            }
        }

        @Test("has time to commit, however much of it the statements took")
        func slowCommit() async throws {
            try await withDatabase({ $0.callTimeLimit = .seconds(1) }) { database in
                try await database.sql.transaction { connection in
                    try connection.runScript(
                        """
                        CREATE TABLE t (id bigint);
                        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
                            AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
                        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION slow();
                        """
                    )
                }
                try await database.sql.transaction { connection in
                    try connection.run("INSERT INTO t VALUES (1)", [])
                    try connection.run("SELECT pg_sleep(0.7)", [])
                }
                #expect(try await database.sql.read("SELECT id FROM t", []) == [SQLRow([.int(1)])])
            }
        }

        @Test("runs beside others without losing an update")
        func race() async throws {
            try await withDatabase { database in
                try await database.sql.statement("CREATE TABLE t AS SELECT 0::bigint AS n")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<40 {
                        group.addTask {
                            try await database.sql.transaction { connection in
                                let n = try connection.run("SELECT n FROM t FOR UPDATE", []).rows[0].int(0)
                                try connection.run("UPDATE t SET n = $1", [.int(n + 1)])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await database.sql.read("SELECT n FROM t", []) == [SQLRow([.int(40)])])
            }
        }

        @Test("is run once more when it lost a serialization conflict")
        func conflict() async throws {
            try await withDatabase { database in
                let attempts = Mutex(0)
                try await database.sql.transaction { connection in
                    let attempt = attempts.withLock { attempts in
                        attempts += 1
                        return attempts
                    }
                    guard attempt == 1 else { return }
                    try connection.runScript("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$")
                }
                #expect(attempts.withLock { $0 } == 2)
            }
        }
    }
}
