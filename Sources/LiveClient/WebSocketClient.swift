import FoundationEssentials
package import NIOCore
package import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A WebSocket client for the command line and for tests that shares no code with our server: NIO's own upgrader and
/// frame codec.
///
/// It answers pings and close frames by itself. What comes in waits until it is asked for.
package final class WebSocketClient: Sendable {
    /// The server answered the handshake with something else than 101.
    package struct Refusal: Error, Sendable {
        package let status: Int
        package let headers: HTTPHeaders
        package let body: String
    }

    package enum Failure: Error, Hashable, Sendable {
        /// Nothing came in time.
        case timedOut
        /// The connection has ended; the code is that of the server's close frame, if it sent one.
        case closed(code: UInt16?)
    }

    private let channel: any Channel
    private let mailbox: NIOLoopBoundBox<Mailbox>

    private init(channel: any Channel, mailbox: NIOLoopBoundBox<Mailbox>) {
        self.channel = channel
        self.mailbox = mailbox
    }

    /// - Parameters:
    ///   - url: `ws://host:port/path?query`.
    ///   - headers: Sent besides those of the handshake.
    ///   - answersPings: `false` plays a client that has gone away without a word.
    /// - Throws: ``Refusal``, or what connecting threw.
    package static func connect(
        _ url: String,
        headers: HTTPHeaders = [:],
        answersPings: Bool = true,
        within timeout: Duration = .seconds(10)
    ) async throws -> WebSocketClient {
        guard let parsed = URL(string: url), let host = parsed.host(), let port = parsed.port else {
            throw Refusal(status: 0, headers: [:], body: "no host and port in \(url)")
        }
        let path = parsed.path().isEmpty ? "/" : parsed.path()
        let target = parsed.query().map { "\(path)?\($0)" } ?? path
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let outcome = loop.makePromise(of: WebSocketClient.self)
        let deadline = loop.scheduleTask(in: .init(timeout)) { outcome.fail(Failure.timedOut) }
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try configure(channel, host, port, target, headers, answersPings, outcome)
                }
            }
        let channel = try await bootstrap.connect(host: host, port: port).get()
        do {
            let client = try await outcome.futureResult.get()
            deadline.cancel()
            return client
        } catch {
            deadline.cancel()
            channel.close(promise: nil)
            throw error
        }
    }

    private static func configure(
        _ channel: any Channel,
        _ host: String,
        _ port: Int,
        _ target: String,
        _ headers: HTTPHeaders,
        _ answersPings: Bool,
        _ outcome: EventLoopPromise<WebSocketClient>
    ) throws {
        let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: 1 << 24) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                let mailbox = NIOLoopBoundBox(Mailbox(channel.eventLoop), eventLoop: channel.eventLoop)
                let handler = FrameHandler(mailbox: mailbox.value, answersPings: answersPings)
                try channel.pipeline.syncOperations.addHandler(handler)
                outcome.succeed(WebSocketClient(channel: channel, mailbox: mailbox))
            }
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: headers)
        if !headers.contains(name: "Host") { head.headers.add(name: "Host", value: "\(host):\(port)") }
        let request = RequestHandler(head: head, outcome: outcome)
        let name = "request"
        try channel.pipeline.syncOperations.addHTTPClientHandlers(
            // The first frame may come in one piece with the answer.
            leftOverBytesStrategy: .forwardBytes,
            withClientUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(name: name, promise: nil)
                }
            )
        )
        try channel.pipeline.syncOperations.addHandler(request, name: name)
    }

    package func send(_ text: String) async throws {
        try await send(.text, ByteBuffer(string: text))
    }

    package func sendBinary(_ payload: ByteBuffer) async throws {
        try await send(.binary, payload)
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) async throws {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: payload)
        try await channel.writeAndFlush(frame)
    }

    /// The next text frame.
    ///
    /// - Throws: ``Failure``.
    package func nextText(within timeout: Duration = .seconds(10)) async throws -> String {
        let event = try await next(within: timeout)
        switch event {
        case .text(let text): return text
        case .closed(let code): throw Failure.closed(code: code)
        }
    }

    /// Drops frames until the connection ends; gives the code of the server's close frame, if it sent one.
    ///
    /// - Throws: ``Failure/timedOut``.
    package func closeCode(within timeout: Duration = .seconds(10)) async throws -> UInt16? {
        let deadline = ContinuousClock.now + timeout
        while true {
            if case .closed(let code) = try await next(within: deadline - .now) { return code }
        }
    }

    /// Stops reading from the socket, as a client does whose user has put it to sleep.
    package func stopReading() async throws {
        try await channel.setOption(.autoRead, value: false).get()
    }

    package func resumeReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
    }

    /// Starts the closing handshake with 1000.
    package func close() async throws {
        try await send(.connectionClose, ByteBuffer(bytes: [0x03, 0xe8]))
    }

    /// Ends the TCP connection without a close frame.
    package func drop() {
        channel.close(promise: nil)
    }

    private func next(within timeout: Duration) async throws -> Event {
        try await channel.eventLoop.flatSubmit { [mailbox] in
            mailbox.value.next(within: .init(timeout))
        }.get()
    }
}

private enum Event: Hashable, Sendable {
    case text(String)
    case closed(code: UInt16?)
}

/// Events nobody has asked for yet, or askers whose event has not come. Confined to its loop.
private final class Mailbox {
    private let eventLoop: any EventLoop
    private var events: CircularBuffer<Event> = []
    private var waiting: CircularBuffer<EventLoopPromise<Event>> = []
    private var end: Event?

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func put(_ event: Event) {
        guard end == nil else { return }
        if case .closed = event { end = event }
        // A promise whose time is up is in the queue no more.
        if let promise = waiting.popFirst() { promise.succeed(event) } else { events.append(event) }
    }

    func next(within timeout: TimeAmount) -> EventLoopFuture<Event> {
        if let event = events.popFirst() { return eventLoop.makeSucceededFuture(event) }
        if let end { return eventLoop.makeSucceededFuture(end) }
        let promise = eventLoop.makePromise(of: Event.self)
        waiting.append(promise)
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.waiting.removeAll { $0.futureResult === promise.futureResult }
            promise.fail(WebSocketClient.Failure.timedOut)
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return promise.futureResult
    }
}

/// Sends the request, and reports an answer that is no upgrade.
private final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let head: HTTPRequestHead
    private let outcome: EventLoopPromise<WebSocketClient>
    private var answer: HTTPResponseHead?
    private var body = ByteBuffer()

    init(head: HTTPRequestHead, outcome: EventLoopPromise<WebSocketClient>) {
        self.head = head
        self.outcome = outcome
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): answer = head
        case .body(let part): body.writeImmutableBuffer(part)
        case .end:
            outcome.fail(
                WebSocketClient.Refusal(
                    status: Int(answer?.status.code ?? 0),
                    headers: answer?.headers ?? [:],
                    body: String(buffer: body)
                )
            )
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.fail(WebSocketClient.Failure.closed(code: nil))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        outcome.fail(error)
        context.close(promise: nil)
    }
}

private final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let mailbox: Mailbox
    private let answersPings: Bool

    init(mailbox: Mailbox, answersPings: Bool) {
        self.mailbox = mailbox
        self.answersPings = answersPings
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text: mailbox.put(.text(String(buffer: frame.unmaskedData)))
        case .ping:
            if answersPings { answer(context, .pong, frame.unmaskedData) }
        case .connectionClose:
            let payload = frame.unmaskedData
            mailbox.put(.closed(code: payload.getInteger(at: payload.readerIndex)))
            answer(context, .connectionClose, payload)
            context.close(promise: nil)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        mailbox.put(.closed(code: nil))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}
