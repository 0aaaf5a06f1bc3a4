package import Application
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

/// All that the REST server calls.
package struct RestServices: Sendable {
    package let accounts: Accounts
    package let sessions: Sessions
    package let graph: SocialGraph
    package let posts: Posts
    package let authenticator: Authenticator
    /// What `/health/ready` asks. Each check MUST end when it is cancelled.
    package let dependencies: [Dependency]
    package let logger: Logger

    package init(
        accounts: Accounts,
        sessions: Sessions,
        graph: SocialGraph,
        posts: Posts,
        authenticator: Authenticator,
        dependencies: [Dependency],
        logger: Logger
    ) {
        self.accounts = accounts
        self.sessions = sessions
        self.graph = graph
        self.posts = posts
        self.authenticator = authenticator
        self.dependencies = dependencies
        self.logger = logger
    }
}

/// The REST server, as a service to be run.
///
/// - Parameter onBound: Called with the port once it is open.
package func restApplication(
    _ services: RestServices,
    configuration: RestServerConfiguration,
    onBound: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> some ApplicationProtocol {
    let logger = services.logger
    return Hummingbird.Application(
        responder: Edge(
            routes: restRouter(services, configuration: configuration).buildResponder(),
            logger: logger
        ),
        server: .http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(configuration)],
                idleTimeout: .seconds(Int64(configuration.idleTimeoutSeconds)),
                // A token takes 300 bytes; browsers send some 2 KB in 20 fields.
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 * 1024,
                    maxHeaderListSize: 32 * 1024,
                    maxHeaderFieldCount: 100
                )
            )
        ),
        configuration: ApplicationConfiguration(
            address: .hostname(configuration.host, port: configuration.port),
            backlog: configuration.backlog,
            availableConnectionsDelegate: .maximum(configuration.maximumConnections, logger: logger)
        ),
        onServerRunning: { channel in
            let port = channel.localAddress?.port ?? configuration.port
            logger.info("REST server listens", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
            await onBound(port)
        },
        logger: logger
    )
}

/// Every route there is.
package func restRouter(
    _ services: RestServices,
    configuration: RestServerConfiguration
) -> Router<MartletRequestContext> {
    let router = Router(context: MartletRequestContext.self, options: .autoGenerateHeadEndpoints)
    let caller = Caller(authenticator: services.authenticator)
    let body = JSONBodyReader(limitBytes: configuration.bodyLimitBytes, timeout: configuration.bodyTimeout)

    AuthRoutes(accounts: services.accounts, sessions: services.sessions, caller: caller, body: body).add(to: router)
    AccountRoutes(accounts: services.accounts, caller: caller, body: body).add(to: router)
    UserRoutes(graph: services.graph, posts: services.posts, caller: caller).add(to: router)
    PostRoutes(posts: services.posts, caller: caller, body: body).add(to: router)
    HealthRoutes(dependencies: services.dependencies, logger: services.logger).add(to: router)
    DocsRoutes(assets: configuration.docsAssets).add(to: router)
    // Last: it answers for all that the routes above do not take.
    router.add(middleware: UnmatchedRequests(routes: router.routes))
    return router
}
