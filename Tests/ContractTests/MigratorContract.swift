import Application
import Domain
import TestSupport
import Testing

@testable import SQL

@Suite("Migrator")
struct MigratorContract {
    @Test("up builds the whole schema from nothing, and a second time does nothing", arguments: Engine.allCases)
    func fromEmpty(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = migrator(database, Migration.all)
            #expect(try await migrator.up() == Migration.all.count)
            #expect(try await migrator.up() == 0)
            let stores = Stores(database)
            let user = try await stores.someone("ann")
            #expect(try await stores.users.user(user.id) == user)
        }
    }

    @Test("of eight at once each step is applied by one", arguments: Engine.allCases)
    func concurrency(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = migrator(database, [aMigration(1), aMigration(2), aMigration(3)])
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await migrator.up() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.sorted() == [0, 0, 0, 0, 0, 0, 0, 3])
        }
    }

    @Test("status tells what was applied when, and applies nothing", arguments: Engine.allCases)
    func status(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let both = [aMigration(1), aMigration(2)]
            #expect(try await migrator(database, both).status().map(\.appliedAt) == [nil, nil])
            try await migrator(database, [aMigration(1)]).up()
            let now = ManualClock().now().millisecondsSinceEpoch
            #expect(
                try await migrator(database, both).status() == [
                    Migrator.Status(version: 1, name: "step_1", appliedAt: now),
                    Migrator.Status(version: 2, name: "step_2", appliedAt: nil),
                ]
            )
        }
    }

    @Test("a new step is applied to what is there, and the steps before it are not again", arguments: Engine.allCases)
    func nextRelease(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await migrator(database, [aMigration(1)]).up()
            try await database.run("INSERT INTO made_1 (id) VALUES (7)")
            #expect(try await migrator(database, [aMigration(1), aMigration(2)]).up() == 1)
            #expect(try await database.read("SELECT id FROM made_1", []) == [SQLRow([.int(7)])])
            #expect(try await database.read("SELECT id FROM made_2", []).isEmpty)
        }
    }

    @Test("a script that was changed after it was applied is refused by name", arguments: Engine.allCases)
    func changedScript(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await migrator(database, [aMigration(1)]).up()
            let changed = migrator(database, [aMigration(1, up: "CREATE TABLE other (id bigint)"), aMigration(2)])
            let refusal = MigrationError.changedAfterwards(version: 1, name: "step_1")
            await #expect(throws: refusal) { try await changed.up() }
            await #expect(throws: refusal) { try await changed.down() }
            await #expect(throws: refusal) { try await changed.status() }
            #expect(refusal.description.contains("Migration 1 (step_1)"))
            #expect(try await migrator(database, [aMigration(1)]).up() == 0)
        }
    }

    @Test("a database from a newer build is refused", arguments: Engine.allCases)
    func newerBuild(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await migrator(database, [aMigration(1), aMigration(2)]).up()
            let old = migrator(database, [aMigration(1)])
            let refusal = MigrationError.fromNewerBuild(version: 2)
            await #expect(throws: refusal) { try await old.up() }
            await #expect(throws: refusal) { try await old.down() }
            await #expect(throws: refusal) { try await old.status() }
        }
    }

    @Test("down takes back the last step alone, and up brings it back", arguments: Engine.allCases)
    func down(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = migrator(database, [aMigration(1), aMigration(2)])
            try await migrator.up()
            #expect(try await migrator.down() == 2)
            #expect(try await migrator.status().map { $0.appliedAt == nil } == [false, true])
            #expect(try await migrator.up() == 1)
            #expect(try await migrator.down() == 2)
            #expect(try await migrator.down() == 1)
            #expect(try await migrator.down() == nil)
            #expect(try await migrator.up() == 2)
        }
    }

    @Test("every released step can be taken back and applied again", arguments: Engine.allCases)
    func releasedSteps(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let migrator = migrator(database, Migration.all)
            for migration in Migration.all.reversed() {
                let takenBack = try await migrator.down()
                #expect(takenBack == migration.version)
            }
            await #expect(throws: SQLError.self) { try await database.read("SELECT id FROM users", []) }
            #expect(try await migrator.up() == Migration.all.count)
        }
    }

    @Test("a failing second step leaves nothing of the run", arguments: Engine.allCases)
    func failure(engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let broken = aMigration(2, up: "CREATE TABLE made_2 (id bigint); oops")
            let failing = migrator(database, [aMigration(1), broken])
            let error = await #expect(throws: ApplicationError.self) { try await failing.up() }
            #expect(error?.code == .defect)
            let status = try await failing.status()
            #expect(status.map(\.appliedAt) == [nil, nil])
            // Were one of the two tables there, making it again would fail.
            let applied = try await migrator(database, [aMigration(1), aMigration(2)]).up()
            #expect(applied == 2)
        }
    }

    private func migrator(_ database: any SQLDatabase, _ migrations: [Migration]) -> Migrator {
        Migrator(database: database, migrations: migrations, clock: ManualClock(), logger: .quiet)
    }

    private func aMigration(_ version: Int, up: String? = nil) -> Migration {
        let scripts = Migration.Scripts(
            up: up ?? "CREATE TABLE made_\(version) (id bigint)",
            down: "DROP TABLE made_\(version)"
        )
        return Migration(version, "step_\(version)", postgres: scripts, sqlite: scripts)
    }
}

extension SQLDatabase {
    fileprivate func run(_ statement: SQLStatement) async throws {
        _ = try await batch([BoundStatement(statement, [])])
    }
}
