package import NIOCore

/// What an endpoint does with its WebSocket. Called on the channel's event loop.
package protocol WebSocketSession: AnyObject {
    /// The handshake is done and frames may be sent.
    func opened(_ socket: WebSocketHandler)
    func received(text: ByteBuffer)
    func received(binary: ByteBuffer)
    func receivedPong()
    /// The closing handshake began, from whichever side: nothing more can be sent.
    func closing()
    /// The channel is gone; called once, and last.
    func closed()
}

/// Does a WebSocket's I/O: bytes to its ``WebSocketState`` and frames to the channel.
package final class WebSocketHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let session: any WebSocketSession
    private let closeTimeout: TimeAmount
    private var state: WebSocketState
    private var context: ChannelHandlerContext?
    /// The beginning of a frame's header.
    private var leftover: ByteBuffer?
    /// Since when the channel holds more unsent bytes than its high-water mark.
    package private(set) var unwritableSince: NIODeadline?

    package init(session: any WebSocketSession, maximumMessageBytes: Int, closeTimeout: TimeAmount) {
        self.session = session
        self.closeTimeout = closeTimeout
        self.state = WebSocketState(maximumMessageBytes: maximumMessageBytes)
    }

    // MARK: For the session

    /// Writes a frame without flushing.
    package func write(_ frame: ByteBuffer) {
        guard state.isOpen, let context else { return }
        context.write(wrapOutboundOut(frame), promise: nil)
    }

    package func flush() {
        context?.flush()
    }

    /// Starts the closing handshake; the peer has ``closeTimeout`` to answer.
    package func close(_ code: CloseCode) {
        guard let frame = state.close(code), let context else { return }
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        disconnectLater()
        session.closing()
    }

    /// Drops the connection.
    package func abort() {
        context?.close(promise: nil)
    }

    // MARK: ChannelHandler

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        unwritableSince = context.channel.isWritable ? nil : .now()
        session.opened(self)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        guard self.context != nil else { return }
        self.context = nil
        leftover = nil
        session.closed()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var held = leftover {
            leftover = nil
            held.writeBuffer(&bytes)
            bytes = held
        }
        while let action = state.next(from: &bytes) { perform(action, context) }
        if bytes.readableBytes > 0, state.isOpen {
            // A copy of a few bytes, so that the whole read buffer is not kept for them.
            leftover = ByteBuffer(bytes: bytes.readableBytesView)
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritableSince = context.channel.isWritable ? nil : .now()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Nothing but I/O errors get here, and after one the connection is of no use.
        context.close(promise: nil)
    }

    private func perform(_ action: WebSocketState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .deliverText(let bytes): session.received(text: bytes)
        case .deliverBinary(let bytes): session.received(binary: bytes)
        case .deliverPong: session.receivedPong()
        case .write(let frame):
            // A client that sends pings and reads no pongs would fill our memory.
            if unwritableSince == nil { context.write(wrapOutboundOut(frame), promise: nil) } else { close(.tooSlow) }
        case .finish(let frame, because: _):
            // Our direction alone: to close both with bytes unread makes TCP reset, and the frame may never arrive.
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
            context.close(mode: .output, promise: nil)
            disconnectLater()
            session.closing()
        case .disconnect: context.close(promise: nil)
        }
    }

    private func disconnectLater() {
        guard let context else { return }
        context.eventLoop.assumeIsolated().scheduleTask(in: closeTimeout) { self.abort() }
    }
}
