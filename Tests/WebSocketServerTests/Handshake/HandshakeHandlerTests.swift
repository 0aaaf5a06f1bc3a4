import Application
import Domain
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import WebSocketServerKit

@Suite("The first handler of a connection")
struct HandshakeHandlerTests {
    @Test("an upgrade that fails half-way counts the connection out")
    func failedUpgrade() throws {
        let channel = EmbeddedChannel()
        let services = services(on: channel.eventLoop)
        let part = try #require(services.hub.part(of: channel.eventLoop))
        part.local.apply([HubEvent(position: .start, effect: .nothing)])
        try HandshakeHandler.install(on: channel, services: services, handshake: Handshake(allowedOrigins: []))
        // The upgrade takes the encoder out, and stumbles when that is gone.
        try channel.pipeline.syncOperations.removeHandler(
            context: channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        ).wait()
        channel.pipeline.fireChannelActive()

        try channel.writeInbound(
            ByteBuffer(
                string: "GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        )
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
        #expect(services.quota.connectionOpened(), "the only slot was not given back")
    }

    private func services(on eventLoop: any EventLoop) -> LiveServices {
        let world = World()
        var configuration = LiveServerConfiguration()
        configuration.maximumConnections = 1
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return LiveServices(
            configuration: configuration,
            authenticator: Authenticator(tokens: Tokens(), sessions: world, clock: world.clock),
            follows: world,
            clock: world.clock,
            dependencies: [],
            logger: logger,
            hub: Hub(eventLoops: [eventLoop], configuration: configuration)
        )
    }
}
