import ArgumentParser
import Bootstrap

/// The whole of Martlet in one executable.
@main
struct MartletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "A social backend: accounts, posts, follows and a live feed that loses nothing.",
        discussion: """
            Settings come from environment variables, then .env, then the file given by --config. Without any, \
            everything is kept in one folder. With PG_DATABASE_URL (or POSTGRES_*) set, migrate and admin work on \
            that PostgreSQL database.
            """,
        version: martletVersion,
        subcommands: [ServeCommand.self, ListenCommand.self, MigrateCommand.self, AdminCommand.self]
    )
}

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "A YAML file with settings.")
    var config: String?

    @Option(help: "The folder of the database and the token secret (DATA_DIR).")
    var dataDir: String?

    func source() async throws -> ConfigurationSource {
        try await ConfigurationSource(file: config)
    }
}
