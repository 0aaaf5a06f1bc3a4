import Application
import Logging
import MartletSecurity
import Postgres
import RabbitMQ
import Testing

@testable import Bootstrap

@Suite("Settings")
struct SettingsTests {
    @Test("nothing needs to be set")
    func defaults() throws {
        let settings = try Settings(ConfigurationSource(values: [:]), defaultAddress: "127.0.0.1")
        #expect(settings.address == "127.0.0.1")
        #expect((settings.restPort, settings.livePort) == (3000, 4000))
        #expect(settings.issuer == "martlet")
        #expect(settings.lifetimes.accessToken == .seconds(3600))
        #expect(!settings.allowsOpenAdminRegistration)
        #expect(settings.allowedOrigins.isEmpty)
        #expect(settings.docsAssets == nil)
        #expect((settings.logLevel, settings.logFormat) == (.info, .text))
    }

    @Test("every key is read")
    func values() throws {
        let source = ConfigurationSource(values: [
            "SERVER_ADDRESS": "0.0.0.0", "SERVER_PORT": "80", "WEBSOCKET_PORT": "81", "JWT_ISSUER": "us",
            "ACCESS_TOKEN_LIFETIME": "60", "ALLOW_ADMIN_REGISTRATION": "TRUE",
            "ALLOWED_ORIGINS": "https://a.example, https://b.example", "DOCS_ASSETS": "/docs", "LOG_LEVEL": "Debug",
            "LOG_FORMAT": "json",
        ])
        let settings = try Settings(source, defaultAddress: "127.0.0.1")
        #expect(settings.address == "0.0.0.0")
        #expect((settings.restPort, settings.livePort) == (80, 81))
        #expect(settings.issuer == "us")
        #expect(settings.lifetimes.accessToken == .seconds(60))
        #expect(settings.allowsOpenAdminRegistration)
        #expect(settings.allowedOrigins == ["https://a.example", "https://b.example"])
        #expect(settings.docsAssets == "/docs")
        #expect((settings.logLevel, settings.logFormat) == (.debug, .json))
    }

    @Test(
        "a value out of its range is refused by the name of its key",
        arguments: [
            ("SERVER_PORT", "65536"), ("WEBSOCKET_PORT", "-1"), ("ACCESS_TOKEN_LIFETIME", "59"),
            ("ALLOW_ADMIN_REGISTRATION", "maybe"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"),
        ])
    func refusal(key: String, value: String) {
        let error = #expect(throws: SettingsError.self) {
            try Settings(ConfigurationSource(values: [key: value]), defaultAddress: "127.0.0.1")
        }
        #expect(error?.description.hasPrefix("\(key) is \"\(value)\"; it takes ") == true)
    }
}

@Suite("Settings of the distributed servers")
struct DistributedSettingsTests {
    @Test("nothing set names the database's key first")
    func nothing() {
        let error = #expect(throws: SettingsError.self) { try settings([:]) }
        #expect(error?.description.hasPrefix("PG_DATABASE_URL is not set") == true)
    }

    @Test("a missing or weak secret is refused, and never repeated")
    func secret() {
        let url = "postgresql://martlet@localhost/martlet"
        let unset = #expect(throws: SettingsError.self) { try settings(["PG_DATABASE_URL": url]) }
        #expect(unset?.description.hasPrefix("JWT_SECRET_KEY is not set") == true)
        for weak in ["hunter2", String(repeating: "x", count: 64), "your-256-bit-secret-your-256-bit-secret"] {
            let error = #expect(throws: JWTSecretError.self) {
                try settings(["PG_DATABASE_URL": url, "JWT_SECRET_KEY": weak])
            }
            #expect(error?.description.hasPrefix("JWT_SECRET_KEY ") == true)
            #expect(error?.description.contains(weak) == false)
        }
    }

    @Test("a URL that is none is refused by its key, without the password in it")
    func brokenURLs() {
        let database = #expect(throws: SettingsError.self) {
            try settings(["PG_DATABASE_URL": "postgresql://martlet:hunter2@db/martlet?nonsense"])
        }
        #expect(database?.description.hasPrefix("PG_DATABASE_URL is refused") == true)
        #expect(database?.description.contains("hunter2") == false)
        for url in ["amqp://martlet:hunter2@queue:port/", "amqps://martlet:hunter2@queue/"] {
            let broker = #expect(throws: SettingsError.self) {
                try settings(["PG_DATABASE_URL": "postgresql://localhost/martlet", "RABBITMQ_URL": url])
            }
            #expect(broker?.description.hasPrefix("RABBITMQ_URL is refused") == true)
            #expect(broker?.description.contains("hunter2") == false)
        }
    }

    @Test("the URL wins over its parts")
    func wholeURL() throws {
        let source = ConfigurationSource(values: [
            "PG_DATABASE_URL": "postgresql://a@one/martlet", "POSTGRES_URL": "two", "POSTGRES_USER": "b",
        ])
        #expect(try DistributedSettings.databaseURL(source) == "postgresql://a@one/martlet")
        #expect(try DistributedSettings.databaseURL(ConfigurationSource(values: ["POSTGRES_USER": "b"])) == nil)
    }

    @Test("the parts make a connection string, whatever the password holds")
    func parts() throws {
        let source = ConfigurationSource(values: [
            "POSTGRES_URL": "db", "POSTGRES_PORT": "5433", "POSTGRES_DB": "martlet", "POSTGRES_USER": "ann",
            "POSTGRES_PASSWORD": #"it's a \ "pass" word"#,
        ])
        let string = try #require(try DistributedSettings.databaseURL(source))
        #expect(
            string == #"host='db' port='5433' dbname='martlet' user='ann' password='it\'s a \\ "pass" word'"#
        )
        #expect(try PostgresConfiguration(string).endpoint == "db:5433")
        let error = #expect(throws: SettingsError.self) {
            try DistributedSettings.databaseURL(ConfigurationSource(values: ["POSTGRES_URL": "db"]))
        }
        #expect(error == .missing("POSTGRES_USER", purpose: "it connects to POSTGRES_URL"))
    }

    @Test("the broker is named by a URL or by its parts")
    func broker() throws {
        let parts = try settings(
            Self.complete.merging([
                "RABBITMQ_URL": "queue", "RABBITMQ_PORT": "5673", "RABBITMQ_DEFAULT_USER": "ann",
                "RABBITMQ_DEFAULT_PASS": "a b", "POSTS_QUEUE": "mine", "RABBITMQ_EXCHANGE_PREFIX": "ours",
            ]) { $1 }
        ).broker
        #expect((parts.host, parts.port, parts.user, parts.password) == ("queue", 5673, "ann", "a b"))
        #expect((parts.postsQueue, parts.exchangePrefix) == ("mine", "ours"))
        let url = try settings(Self.complete.merging(["RABBITMQ_URL": "amqp://ann:p%40ss@queue:5674/v"]) { $1 }).broker
        #expect((url.host, url.port, url.user, url.password) == ("queue", 5674, "ann", "p@ss"))
        #expect((url.virtualHost, url.postsQueue) == ("v", "posts"))
    }

    private static let complete = [
        "PG_DATABASE_URL": "postgresql://localhost/martlet",
        "JWT_SECRET_KEY": "b0f4c2ad9e7f43d1865c0e8a3f5d2719c6ab48e0d37f9152",
    ]

    private func settings(_ values: [String: String]) throws -> DistributedSettings {
        try DistributedSettings(ConfigurationSource(values: values), applicationName: "test")
    }
}
