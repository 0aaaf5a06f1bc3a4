import Postgres
import RabbitMQ
import MartletSecurity

/// Where the parts of a distributed Martlet are.
///
/// | key | takes | default |
/// | --- | --- | --- |
/// | `PG_DATABASE_URL` | `postgresql://user:password@host:port/database` | made of the next five |
/// | `POSTGRES_URL`, `POSTGRES_PORT` | the host and port of PostgreSQL | none, 5432 |
/// | `POSTGRES_DB`, `POSTGRES_USER`, `POSTGRES_PASSWORD` | the database and who uses it | `postgres`, none, none |
/// | `RABBITMQ_URL` | the host of RabbitMQ, or `amqp://user:password@host:port/vhost` | `localhost` |
/// | `RABBITMQ_PORT` | its port | 5672 |
/// | `RABBITMQ_DEFAULT_USER`, `RABBITMQ_DEFAULT_PASS` | who uses it | `guest`, `guest` |
/// | `POSTS_QUEUE` | the queue of events that wait for a live server | `posts` |
/// | `RABBITMQ_EXCHANGE_PREFIX` | begins the names of exchanges, so that several Martlets share a broker | `martlet` |
/// | `JWT_SECRET_KEY` | the secret that signs tokens, the same for every server; 32 bytes or more | none |
struct DistributedSettings {
    let database: PostgresConfiguration
    let broker: RabbitMQConfiguration
    let secret: JWTSecret

    /// - Throws: ``SettingsError``; `JWTSecretError`, which names its key as well.
    init(_ source: ConfigurationSource, applicationName: String) throws {
        guard let url = try Self.databaseURL(source) else {
            throw SettingsError.missing(
                "PG_DATABASE_URL",
                purpose: "it names the PostgreSQL database, e.g. postgresql://martlet:secret@localhost:5432/martlet"
            )
        }
        database = try Self.database(url, applicationName: applicationName)
        broker = try Self.broker(source)
        secret = try JWTSecret(
            try source.requiredString("jwt.secret.key", for: "it signs tokens; make one with `openssl rand -base64 48`")
        )
    }

    /// - Throws: ``SettingsError/refused(_:why:)`` without the URL, which holds the password.
    static func database(_ url: String, applicationName: String) throws(SettingsError) -> PostgresConfiguration {
        do throws(PostgresConfigurationError) {
            return try PostgresConfiguration(url, applicationName: applicationName)
        } catch {
            throw .refused("PG_DATABASE_URL", why: error.description)
        }
    }

    /// `nil` if nothing names a PostgreSQL server.
    static func databaseURL(_ source: ConfigurationSource) throws(SettingsError) -> String? {
        if let url = source.string("pg.database.url") { return url }
        guard let host = source.string("postgres.url") else { return nil }
        if host.hasPrefix("postgres://") || host.hasPrefix("postgresql://") { return host }
        let parameters = [
            ("host", host),
            ("port", "\(try source.integer("postgres.port", default: 5432, in: 1...65_535))"),
            ("dbname", source.string("postgres.db", default: "postgres")),
            ("user", try source.requiredString("postgres.user", for: "it connects to POSTGRES_URL")),
            ("password", source.string("postgres.password", default: "")),
        ]
        // libpq's keyword form (PostgreSQL manual, 34.1.1.1): values in quotes, with ' and \ escaped.
        return parameters.filter { !$0.1.isEmpty }.map { keyword, value in
            "\(keyword)='\(value.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
        }.joined(separator: " ")
    }

    private static func broker(_ source: ConfigurationSource) throws(SettingsError) -> RabbitMQConfiguration {
        let host = source.string("rabbitmq.url", default: "localhost")
        var broker: RabbitMQConfiguration
        if host.contains("://") {
            do throws(RabbitMQConfiguration.URLError) {
                broker = try RabbitMQConfiguration(url: host)
            } catch {
                // Without the URL, which holds the password.
                throw .refused("RABBITMQ_URL", why: "\(error)")
            }
        } else {
            broker = RabbitMQConfiguration(
                host: host,
                port: try source.integer("rabbitmq.port", default: 5672, in: 1...65_535),
                user: source.string("rabbitmq.default.user", default: "guest"),
                password: source.string("rabbitmq.default.pass", default: "guest")
            )
        }
        broker.postsQueue = source.string("posts.queue", default: "posts")
        broker.exchangePrefix = source.string("rabbitmq.exchange.prefix", default: "martlet")
        return broker
    }
}
