import Application
import Logging
import Postgres
import RabbitMQ
import RestServerKit
import SQL
import MartletSecurity
import ServiceLifecycle
import UnixSignals
import WebSocketServerKit

/// REST and the live feed apart, over PostgreSQL and RabbitMQ.
package enum Distributed {
    /// Brings the schema up to date, then serves REST and takes part in relaying, until SIGTERM or SIGINT.
    ///
    /// - Throws: ``SettingsError`` before anything listens; whatever ends a service afterwards.
    package static func runRestServer(_ source: ConfigurationSource) async throws {
        try await run(source, "RestServer") { parts in
            let (ports, useCases) = (parts.ports, parts.useCases)
            let migrator = Migrator(database: parts.database, clock: ports.clock, logger: parts.logger)
            return (
                prepare: { try await migrator.up() },
                services: [
                    BackgroundService(name: "relay") { try await useCases.relay.run() },
                    BackgroundService(name: "housekeeping") { try await useCases.housekeeping.run() },
                    restServer(useCases, parts.settings, parts.dependencies, parts.logger),
                ]
            )
        }
    }

    /// Serves the live feed until SIGTERM or SIGINT.
    ///
    /// - Throws: ``SettingsError`` before anything listens; whatever ends a service afterwards.
    package static func runWebSocketServer(_ source: ConfigurationSource) async throws {
        try await run(source, "WebSocketServer") { parts in
            let live = liveServer(parts.ports, parts.useCases, parts.settings, parts.dependencies, parts.logger)
            return (prepare: {}, services: [listening(live, parts.settings)])
        }
    }
}

extension Distributed {
    fileprivate struct Parts: Sendable {
        let settings: Settings
        let database: PostgresDatabase
        let ports: Ports
        let useCases: UseCases
        let dependencies: [Dependency]
        let logger: Logger
    }

    fileprivate static func run(
        _ source: ConfigurationSource,
        _ name: String,
        _ compose: (Parts) -> (prepare: @Sendable () async throws -> Void, services: [any Service])
    ) async throws {
        let settings = try Settings(source, defaultAddress: "0.0.0.0")
        let distributed = try DistributedSettings(source, applicationName: name)
        Log.start(settings)
        let logger = Logger(label: name)

        let clock = SystemClock()
        let database = try PostgresDatabase(distributed.database, logger: logger)
        let bus = try RabbitMQBus(distributed.broker, logger: logger)
        let ports = Ports(
            database: database,
            bus: bus,
            hasher: try Argon2idHasher(),
            tokens: await JWTTokenCoder(secret: distributed.secret, issuer: settings.issuer, clock: clock),
            clock: clock
        )
        let parts = Parts(
            settings: settings,
            database: database,
            ports: ports,
            useCases: UseCases(ports, settings: settings, logger: logger),
            dependencies: [.database(ports.events), .broker(bus)],
            logger: logger
        )
        let (prepare, services) = compose(parts)
        guard try await endsBeforeSignal({ try await waitingForDatabase(logger, prepare) }) else { return }
        try await serve(
            [
                BackgroundService(name: "database") { try await database.run() },
                BackgroundService(name: "broker") { try await bus.run() },
            ] + services,
            logger: logger
        )
    }

    /// Runs `body`, or gives `false` as soon as SIGTERM or SIGINT comes: the first process of a container would not
    /// hear them otherwise, as long as no service runs.
    private static func endsBeforeSignal(_ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                for await _ in signals { break }
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    /// A database that starts with us, or after us, is waited for; one that does not fit us is not.
    private static func waitingForDatabase(_ logger: Logger, _ body: () async throws -> Void) async throws {
        while true {
            do {
                return try await body()
            } catch let error as ApplicationError where error.code == .unavailable {
                logger.warning("Waiting for the database", metadata: ["reason": "\(LogDescription(error))"])
                try await Task.sleep(for: databaseRetryInterval)
            }
        }
    }

    private static let databaseRetryInterval: Duration = .seconds(1)
}
