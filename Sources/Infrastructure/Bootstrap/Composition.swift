import Application
import Hummingbird
import Logging
import RestServerKit
import SQL
import MartletSecurity
import ServiceLifecycle
import UnixSignals
import WebSocketServerKit

extension Ports {
    /// The stores over one database, with what the topology chose for the rest.
    init(
        database: any SQLDatabase,
        bus: any EventBus,
        hasher: any PasswordHasher,
        tokens: any TokenCoder,
        clock: any WallClock
    ) {
        self.init(
            users: SQLUserStore(database: database, clock: clock),
            sessions: SQLSessionStore(database: database),
            posts: SQLPostStore(database: database, clock: clock),
            follows: SQLFollowStore(database: database, clock: clock),
            events: SQLEventLog(database: database),
            bus: bus,
            hasher: hasher,
            tokens: tokens,
            clock: clock,
            entropy: SystemEntropy()
        )
    }
}

extension Dependency {
    static func database(_ history: any EventHistory) -> Dependency {
        Dependency(name: "database") { _ = try await history.head() }
    }

    static func broker(_ bus: any EventBus) -> Dependency {
        Dependency(name: "broker") { try await bus.checkHealth() }
    }
}

func restServer(
    _ useCases: UseCases,
    _ settings: Settings,
    _ dependencies: [Dependency],
    _ logger: Logger,
    onBound: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> any Service {
    if settings.allowsOpenAdminRegistration {
        logger.warning("ALLOW_ADMIN_REGISTRATION is on: anyone may register as an admin")
    }
    let server = restApplication(
        RestServices(
            accounts: useCases.accounts,
            sessions: useCases.sessions,
            graph: useCases.graph,
            posts: useCases.posts,
            authenticator: useCases.authenticator,
            dependencies: dependencies,
            logger: logger
        ),
        configuration: RestServerConfiguration(
            host: settings.address,
            port: settings.restPort,
            docsAssets: settings.docsAssets
        ),
        onBound: onBound
    )
    return ListeningService(key: "SERVER_PORT", address: settings.address, port: settings.restPort, service: server)
}

func liveServer(
    _ ports: Ports,
    _ useCases: UseCases,
    _ settings: Settings,
    _ dependencies: [Dependency],
    _ logger: Logger
) -> LiveServer {
    var configuration = LiveServerConfiguration(host: settings.address, port: settings.livePort)
    configuration.allowedOrigins = settings.allowedOrigins
    return LiveServer(
        configuration: configuration,
        authenticator: useCases.authenticator,
        follows: ports.follows,
        events: ports.events,
        bus: ports.bus,
        clock: ports.clock,
        dependencies: dependencies,
        logger: logger
    )
}

func listening(_ server: LiveServer, _ settings: Settings) -> any Service {
    ListeningService(key: "WEBSOCKET_PORT", address: settings.address, port: settings.livePort, service: server)
}

/// Runs services until SIGTERM or SIGINT, then ends them in reverse order.
func serve(_ services: [any Service], logger: Logger) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services,
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger
    )
    // A client that never goes away must not keep the process: orchestrators kill after 30 s.
    configuration.maximumGracefulShutdownDuration = .seconds(25)
    try await ServiceGroup(configuration: configuration).run()
}
