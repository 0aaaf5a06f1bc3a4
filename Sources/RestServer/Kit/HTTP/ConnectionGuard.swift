import APIModel
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Ends connections that would otherwise be held for as long as the client likes.
///
/// - A response to a request whose body has not arrived to its end is the connection's last. Hummingbird itself would
///   read the rest, whatever its size and however slowly it comes.
/// - The last response of a connection has ``RestServerConfiguration/closeTimeout`` to arrive.
/// - A client that takes nothing of what waits for it for ``RestServerConfiguration/writeTimeout`` is dropped.
///
/// It also puts a problem in the place of the bare 400 with which Hummingbird answers what is not HTTP.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum Phase {
        case open
        /// The head of the connection's last response is out; nothing more is read.
        case answeringLast
        /// So is its end; nothing more is written.
        case closing
    }

    private let writeTimeout: TimeAmount
    private let closeTimeout: TimeAmount
    private var phase = Phase.open
    private var requestsBegun = 0
    private var requestsEnded = 0
    private var responsesBegun = 0
    /// Which request asked for the connection to be closed after it.
    private var lastRequest: Int?
    private var parserError: HTTPParserError?
    private var stallCheck: Scheduled<Void>?
    private var closeTask: Scheduled<Void>?

    init(_ configuration: RestServerConfiguration) {
        writeTimeout = TimeAmount(configuration.writeTimeout)
        closeTimeout = TimeAmount(configuration.closeTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stallCheck?.cancel()
        closeTask?.cancel()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .open = phase else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            requestsBegun += 1
            if lastRequest == nil, head.headerFields.asksToClose { lastRequest = requestsBegun }
        case .body: break
        case .end: requestsEnded += 1
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        parserError = error as? HTTPParserError
        // Hummingbird answers it in its turn, after all the requests before it.
        context.fireErrorCaught(error)
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch (unwrapOutboundIn(data), phase) {
        case (.head(let head), _) where head.status.kind == .informational: context.write(data, promise: promise)
        case (.head(let head), .open): begin(head, context, promise)
        case (.body, .open), (.body, .answeringLast), (.end, .open): context.write(data, promise: promise)
        case (.end, .answeringLast): end(data, context, promise)
        case (.head, .answeringLast), (_, .closing): promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    private func begin(_ head: HTTPResponse, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        responsesBegun += 1
        var head = head
        var body: ByteBuffer?
        // Every response of ours has an id: one without is what Hummingbird says about broken HTTP.
        if let parserError, !head.headerFields.contains(.requestID) {
            (head, body) = Self.refusal(of: parserError)
        }
        let isLast =
            responsesBegun > requestsEnded || responsesBegun == lastRequest || head.headerFields.asksToClose
        if isLast {
            phase = .answeringLast
            head.headerFields[.connection] = "close"
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        if let body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
    }

    private static func refusal(of error: HTTPParserError) -> (HTTPResponse, ByteBuffer) {
        let problem: Problem = error == .headerOverflow ? .headersTooLarge : .malformedRequest
        let requestID = RequestID.choose(sent: nil)
        let body = problem.body(requestID: requestID)
        var head = HTTPResponse(status: problem.status, headerFields: problem.responseHeaders)
        head.headerFields[.contentLength] = String(body.readableBytes)
        head.headerFields.appendThoseOfEveryResponse(requestID: requestID)
        return (head, body)
    }

    private func end(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        phase = .closing
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.cascade(to: promise)
        written.futureResult.assumeIsolated().whenSuccess { self.close(context) }
        context.write(data, promise: written)
        watchForStall(context)
    }

    /// Closes our direction alone, so that bytes the client is still sending cannot make TCP drop the response, and the
    /// other soon after.
    private func close(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        closeTask = context.eventLoop.assumeIsolated().scheduleTask(in: closeTimeout) { context.close(promise: nil) }
    }

    // MARK: Clients that do not read

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallCheck?.cancel()
        stallCheck = nil
        if !context.channel.isWritable || phase == .closing { watchForStall(context) }
        context.fireChannelWritabilityChanged()
    }

    private func watchForStall(_ context: ChannelHandlerContext) {
        guard stallCheck == nil else { return }
        let unsent = unsentBytes(context)
        stallCheck = context.eventLoop.assumeIsolated().scheduleTask(in: writeTimeout) {
            self.stallCheck = nil
            // While the channel is not writable nothing is added, so that any progress shows.
            let left = self.unsentBytes(context)
            guard left > 0 else { return }
            if left < unsent { self.watchForStall(context) } else { context.close(promise: nil) }
        }
    }

    private func unsentBytes(_ context: ChannelHandlerContext) -> Int {
        do {
            return try context.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            return 0  // Closed, and there is nothing left to watch.
        }
    }
}

extension HTTPFields {
    /// RFC 9112, 9.6.
    fileprivate var asksToClose: Bool {
        guard let options = self[.connection] else { return false }
        return options.split(separator: ",").contains { $0.filter { $0 != " " }.lowercased() == "close" }
    }
}
