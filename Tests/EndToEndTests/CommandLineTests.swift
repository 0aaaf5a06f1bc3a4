import Foundation
import TestSupport
import Testing

@Suite("The command line", .serialized)
struct CommandLineTests {
    @Test("migrate shows, applies and takes back the schema's steps", arguments: Engine.allCases)
    func migrate(engine: Engine) async throws {
        try await engine.withEnvironment { environment in
            func migrate(_ arguments: String...) async throws -> Command {
                try await Command.run("martlet", ["migrate"] + arguments, environment: environment)
            }
            #expect(try await migrate("status").output == "1\tpending\tfoundation\n")
            #expect(try await migrate("up").output == "1 applied\n")
            #expect(try await migrate("up").output == "0 applied\n")
            #expect(try await migrate("status").output == "1\tapplied\tfoundation\n")

            let hesitant = try await migrate("down")
            #expect(hesitant.status != 0)
            #expect(hesitant.errors.contains("--yes"))
            #expect(try await migrate("status").output == "1\tapplied\tfoundation\n")

            #expect(try await migrate("down", "--yes").output == "1 taken back\n")
            #expect(try await migrate("down", "--yes").output == "nothing to take back\n")
            #expect(try await migrate().output == "1\tpending\tfoundation\n")
        }
    }

    @Test("migrate down takes nothing from a running all-in-one server")
    func downBesideServer() async throws {
        try await Topology.allInOne.withServers { servers in
            let ann = try await servers.rest.register("ann")
            let down = try await Command.run("martlet", ["migrate", "down", "--yes"], environment: servers.environment)
            #expect(down.status == 1)
            #expect(down.errors.contains("another Martlet server is running"), "\(down.errors)")
            _ = try await servers.rest.send("GET", "/v1/users/me", by: ann).expecting(200)
        }
    }

    @Test("migrate new writes the next step's files, and never over others")
    func newMigration() async throws {
        try await withTemporaryFolder { folder in
            let arguments = ["migrate", "new", "likes", "--folder", folder]
            let command = try await Command.run("martlet", arguments)
            #expect(command.status == 0)
            #expect(command.output.contains("PackageResources._002_likes_postgres_up_sql"))
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(
                files == [
                    "0002_likes.postgres.down.sql", "0002_likes.postgres.up.sql", "0002_likes.sqlite.down.sql",
                    "0002_likes.sqlite.up.sql",
                ]
            )
            let path = "\(folder)/\(files[0])"
            try "DROP TABLE likes;".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try await Command.run("martlet", arguments).status != 0)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "DROP TABLE likes;")
            let refused = try await Command.run("martlet", ["migrate", "new", "../x", "--folder", folder])
            #expect(refused.status != 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 4)
        }
    }

    @Test("admin create makes an admin beside a running server", arguments: Topology.allCases)
    func firstAdmin(topology: Topology) async throws {
        try await topology.withServers { servers in
            let password = "correct horse"
            func create(_ password: String) async throws -> Command {
                try await Command.run(
                    "martlet",
                    ["admin", "create", "root", "--password-stdin"],
                    environment: servers.environment,
                    input: "\(password)\n"
                )
            }
            let weak = try await create("short")
            #expect(weak.status != 0)
            #expect(weak.errors.contains("password: Use at least 8 characters."))
            let created = try await create(password)
            #expect(created.status == 0, "\(created.errors)")
            #expect(created.output.hasPrefix("Created admin root with id "))
            let again = try await create(password)
            #expect(again.status != 0)
            #expect(again.errors.contains("This username is taken."))

            let login = try await servers.rest.send(
                "POST", "/v1/auth/login", body: ["username": "root", "password": password]
            )
            let root = RestClient.Account(name: "root", token: try login.expecting(200).string("accessToken"))
            _ = try await servers.rest.send("GET", "/v1/users", by: root).expecting(200)
            let ann = try await servers.rest.register("ann")
            _ = try await servers.rest.send("GET", "/v1/users", by: ann).expecting(403)
        }
    }

    @Test("a server that waits for its database ends cleanly when told to")
    func endWhileWaiting() async throws {
        // Nothing listens on the first port.
        let environment = Servers.distributed(database: "postgresql://martlet@127.0.0.1:1/martlet", broker: "localhost")
        let server = try ServerProcess("RestServer", environment: environment)
        try await server.wait(for: "Waiting for the database")
        #expect(try await server.stop() == 0)
    }

    @Test("a server that cannot start says by which setting")
    func refusedStart() async throws {
        try await Topology.allInOne.withServers { servers in
            try await withTemporaryFolder { folder in
                func serve(_ change: [String: String]) async throws -> Command {
                    let own = Servers.ports.merging(["DATA_DIR": folder]) { $1 }
                    return try await Command.run("martlet", ["serve"], environment: own.merging(change) { $1 })
                }
                let takenFolder = try #require(servers.environment["DATA_DIR"])
                let live = try #require(URL(string: servers.liveURL)?.port)
                for (key, value, reason) in [
                    ("DATA_DIR", takenFolder, "DATA_DIR is refused: another Martlet server is running in"),
                    ("SERVER_PORT", "\(servers.rest.port)", "SERVER_PORT is refused: nothing can listen on 127.0.0.1:"),
                    ("WEBSOCKET_PORT", "\(live)", "WEBSOCKET_PORT is refused: nothing can listen on 127.0.0.1:"),
                    ("SERVER_PORT", "http", "SERVER_PORT is \"http\"; it takes a whole number from 0 to 65535."),
                ] {
                    let refused = try await serve([key: value])
                    #expect(refused.status == 1)
                    #expect(refused.errors.contains("Error: \(reason)"), "\(refused.errors)")
                }
            }
        }
    }
}

extension Engine {
    /// What names an empty database of this engine to our executables.
    fileprivate func withEnvironment(_ body: @Sendable ([String: String]) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            try await withTemporaryFolder { try await body(["DATA_DIR": $0]) }
        case .postgres:
            try await PostgresServer.shared.withDatabase(isMigrated: false) { try await body(["PG_DATABASE_URL": $0]) }
        }
    }
}
