import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import RestServerKit

@Suite("A connection whose client does not read")
struct ConnectionGuardTests {
    /// Holds back what is written, as a socket does whose peer does not read.
    private final class FullSocket: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if case .body(let bytes) = unwrapOutboundIn(data) {
                context.write(wrapOutboundOut(bytes), promise: promise)
            }
        }

        func flush(context: ChannelHandlerContext) {}
    }

    private let channel: EmbeddedChannel

    init() throws {
        var configuration = RestServerConfiguration()
        configuration.writeTimeout = .seconds(30)
        channel = EmbeddedChannel(handlers: [FullSocket(), ConnectionGuard(configuration)])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.allowOptionsWhenClosed = true
    }

    private func makeWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    @Test("is ended when nothing was taken for the whole of its time, and not before")
    func stalled() throws {
        channel.write(HTTPResponsePart.body(ByteBuffer(string: "waiting")), promise: nil)
        makeWritable(false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test("is kept when it took enough in time, and has all of its time again")
    func recovered() throws {
        channel.write(HTTPResponsePart.body(ByteBuffer(string: "waiting")), promise: nil)
        makeWritable(false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        makeWritable(true)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        makeWritable(false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
