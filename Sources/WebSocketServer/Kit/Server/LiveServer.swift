package import Application
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// The live feed's server: listens, and keeps the feed and its connections going until it is told to stop.
package final class LiveServer: Service {
    private let services: LiveServices
    private let feed: LiveFeed
    private let group: any EventLoopGroup
    private let bound: AsyncStream<Int>
    private let boundContinuation: AsyncStream<Int>.Continuation

    /// - Parameters:
    ///   - dependencies: What `/health/ready` asks.
    ///   - eventLoopGroup: Its loops share the connections evenly.
    package init(
        configuration: LiveServerConfiguration,
        authenticator: Authenticator,
        follows: any FollowStore,
        events: any EventHistory,
        bus: any EventBus,
        clock: any WallClock,
        dependencies: [Dependency],
        logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        let hub = Hub(eventLoops: Array(eventLoopGroup.makeIterator()), configuration: configuration)
        services = LiveServices(
            configuration: configuration,
            authenticator: authenticator,
            follows: follows,
            clock: clock,
            dependencies: dependencies,
            logger: logger,
            hub: hub
        )
        feed = LiveFeed(bus: bus, history: events, authenticator: authenticator, hub: hub, logger: logger)
        group = eventLoopGroup
        (bound, boundContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The port that is listened on, as soon as it is; `nil` if the server ended before. For one caller.
    package var boundPort: Int? {
        get async { await bound.first { _ in true } }
    }

    /// Runs until shut down or cancelled; then stops accepting, closes every connection with 1001 and waits for them
    /// for ``LiveServerConfiguration/shutdownTimeout``.
    ///
    /// - Throws: What binding the port threw, or what the bus's subscription ended with.
    package func run() async throws {
        defer { boundContinuation.finish() }
        let files = OpenFiles.raiseLimit()
        let listener = try await bind()
        let port = listener.localAddress?.port ?? 0
        services.logger.info(
            "Live feed listens",
            metadata: [
                "host": "\(services.configuration.host)", "port": "\(port)", "openFilesLimit": "\(files)",
            ]
        )
        boundContinuation.yield(port)
        for part in services.hub.parts {
            part.eventLoop.execute { part.local.startTicking() }
        }
        let outcome = await runUntilStopped()
        await shutDown(listener)
        try outcome.get()
    }

    private func runUntilStopped() async -> Result<Void, any Error> {
        await withTaskGroup(of: Result<Void, any Error>?.self) { group in
            group.addTask { [services] in
                await services.jobs.run()
                return nil
            }
            group.addTask { [services] in
                await services.healthJobs.run()
                return nil
            }
            group.addTask { [feed] in
                do {
                    try await feed.run()
                    return .success(())
                } catch is CancellationError {
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do {
                    try await gracefulShutdown()
                } catch {
                    // Cancelled, which is the other way to be stopped.
                }
                return .success(())
            }
            defer { group.cancelAll() }
            for await outcome in group {
                if let outcome { return outcome }
            }
            return .success(())
        }
    }

    private func bind() async throws -> any Channel {
        let configuration = services.configuration
        let handshake = Handshake(allowedOrigins: configuration.allowedOrigins)
        let services = services
        return try await ServerBootstrap(group: group)
            // Linux caps it at net.core.somaxconn: what a reconnecting crowd needs.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: configuration.maximumOutboundBytes / 8,
                    high: configuration.maximumOutboundBytes / 4
                )
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try HandshakeHandler.install(on: channel, services: services, handshake: handshake)
                }
            }
            .bind(host: configuration.host, port: configuration.port)
            .get()
    }

    /// Waits on futures alone, which cancellation does not cut short.
    private func shutDown(_ listener: any Channel) async {
        do {
            try await listener.close()
        } catch {
            services.logger.debug("the listener was closed already", metadata: ["error": "\(error)"])
        }
        let timeout = services.configuration.shutdownTimeout
        let farewells = services.hub.parts.map { part in
            let loop = part.eventLoop
            let gone = loop.makePromise(of: Void.self)
            loop.execute {
                part.local.shutDown().cascade(to: gone)
                loop.assumeIsolated().scheduleTask(in: timeout) { gone.succeed() }
            }
            return gone.futureResult.map { part.local.stopTicking() }
        }
        for farewell in farewells {
            do {
                try await farewell.get()
            } catch {
                services.logger.error("an event loop did not stop", metadata: ["error": "\(error)"])
            }
        }
        services.logger.info("the live feed has stopped")
    }
}
