import ArgumentParser
import Bootstrap

/// The live feed alone, over PostgreSQL and RabbitMQ. Run as many as needed.
@main
struct WebSocketServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "WebSocketServer",
        abstract: "Martlet's live feed over PostgreSQL and RabbitMQ.",
        discussion: """
            Needs PG_DATABASE_URL (or POSTGRES_*), RABBITMQ_* and JWT_SECRET_KEY, from environment variables, .env or \
            the file given by --config. RestServer brings the schema up to date: start it first.
            """,
        version: martletVersion
    )

    @Option(help: "A YAML file with settings.")
    var config: String?

    func run() async throws {
        try await presentingErrors {
            try await Distributed.runWebSocketServer(ConfigurationSource(file: config))
        }
    }
}
