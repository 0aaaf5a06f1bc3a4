import ArgumentParser
import Bootstrap

/// REST alone, over PostgreSQL and RabbitMQ. Run as many as needed.
@main
struct RestServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "RestServer",
        abstract: "Martlet's REST API over PostgreSQL and RabbitMQ.",
        discussion: """
            Needs PG_DATABASE_URL (or POSTGRES_*), RABBITMQ_* and JWT_SECRET_KEY, from environment variables, .env or \
            the file given by --config. It brings the schema up to date at start.
            """,
        version: martletVersion
    )

    @Option(help: "A YAML file with settings.")
    var config: String?

    func run() async throws {
        try await presentingErrors {
            try await Distributed.runRestServer(ConfigurationSource(file: config))
        }
    }
}
