import APIModel
import Application
import Domain
import Logging
import NIOCore
import NIOHTTP1

/// The first handler of a connection: takes one request, answers it and closes, or turns the connection into a
/// WebSocket and leaves the pipeline with everything HTTP.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler, ServedChannel {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case awaitingRequest
        case received(HTTPRequestHead)
        /// One answer is under way; nothing more is read.
        case answering
        case upgraded
    }

    private let services: LiveServices
    private let hub: LocalHub
    private let handshake: Handshake
    private var phase = Phase.awaitingRequest
    private var requestID = ""
    private var isHead = false
    private var context: ChannelHandlerContext?
    private var timeout: Scheduled<Void>?

    init(services: LiveServices, hub: LocalHub, handshake: Handshake) {
        self.services = services
        self.hub = hub
        self.handshake = handshake
    }

    static func install(on channel: any Channel, services: LiveServices, handshake: Handshake) throws {
        guard let part = services.hub.part(of: channel.eventLoop) else { throw ChannelError.operationUnsupported }
        let hasRoom = services.quota.connectionOpened()
        do {
            guard hasRoom else { throw ChannelError.operationUnsupported }
            let configuration = services.configuration
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.maximumHeaderBytes
            limits.maxHeaderListSize = configuration.maximumHeaderBytes
            limits.maxHeaderFieldCount = 100
            let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPResponseEncoder())
            try pipeline.addHandler(ByteToMessageHandler(decoder))
            try pipeline.addHandler(HandshakeHandler(services: services, hub: part.local, handshake: handshake))
        } catch {
            // Without our last handler nobody counts the connection out again.
            services.quota.connectionClosed()
            throw error
        }
    }

    // MARK: ServedChannel

    func close(with code: CloseCode) { abort() }

    func abort() { context?.close(promise: nil) }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        hub.opened(self)
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: services.configuration.requestTimeout) {
            self.abort()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timeout?.cancel()
        self.context = nil
        hub.closed(self)
        // An upgraded connection goes on to be counted.
        if case .upgraded = phase { return }
        services.quota.connectionClosed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), phase) {
        case (.head(let head), .awaitingRequest):
            requestID = RequestID.choose(sent: head.headers.first(name: "X-Request-Id"))
            isHead = head.method == .HEAD
            phase = .received(head)
        case (.end, .received(let head)):
            // Not from within the decoder, which must be done with its bytes before it can be taken out.
            phase = .answering
            context.eventLoop.assumeIsolated().execute { self.answer(head) }
        case (.body, .received(let head)):
            // Its head tells of a body, and that is refused.
            phase = .answering
            answer(head)
        case (.head, _), (.body, _), (.end, _): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .awaitingRequest = phase, let error = error as? HTTPParserError else {
            return context.close(promise: nil)
        }
        phase = .answering
        requestID = RequestID.choose(sent: nil)
        if error == .headerOverflow {
            send(problem(.requestHeaderFieldsTooLarge, "headers_too_large", "The request's head is too large."))
        } else {
            send(problem(.badRequest, "malformed_request", "This is not HTTP/1.1."))
        }
    }

    // MARK: Answering

    private func answer(_ head: HTTPRequestHead) {
        guard let context else { return }
        switch handshake.decide(head, requestID: requestID) {
        case .answer(let answer): send(answer)
        case .health(.alive): send(HealthCheck.alive)
        case .health(.ready):
            HealthCheck(services: services, eventLoop: context.eventLoop).run { self.send($0) }
        case .upgrade(let upgrade):
            guard hub.head != nil else {
                return send(unavailable("starting", "The live feed is not ready yet."))
            }
            guard let token = upgrade.token else { return accept(upgrade, nil) }
            authenticate(token, upgrade, context)
        }
    }

    private func authenticate(_ token: String, _ upgrade: Handshake.Upgrade, _ context: ChannelHandlerContext) {
        // Frames that come before the answer wait in the socket, not in our memory.
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        let myself = NIOLoopBound(self, eventLoop: context.eventLoop)
        let services = services
        let isTaken = services.jobs.submit {
            let result = await services.principal(for: token)
            myself.eventLoop.execute { myself.value.authenticated(result, upgrade) }
        }
        if !isTaken { send(unavailable("overloaded", "Too much at once: try again later.")) }
    }

    private func authenticated(_ result: Result<Principal, ApplicationError>, _ upgrade: Handshake.Upgrade) {
        switch result {
        case .success(let principal): accept(upgrade, principal)
        case .failure(let error):
            switch error.code {
            case .unauthenticated, .malformed, .forbidden, .notFound, .conflict, .invalid:
                let challenge = #"Bearer realm="martlet", error="invalid_token""#
                send(problem(.unauthorized, error.word, error.message, ["WWW-Authenticate": challenge]))
            case .overloaded, .unavailable: send(unavailable(error.word, error.message))
            case .defect: send(problem(.internalServerError, error.word, error.message))
            }
        }
    }

    private func accept(_ upgrade: Handshake.Upgrade, _ principal: Principal?) {
        guard let context, !hub.isShuttingDown else { return abort() }
        let headers: HTTPHeaders = [
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": upgrade.accept,
            "X-Request-Id": requestID,
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)

        let connection = LiveConnection(
            services: services,
            hub: hub,
            eventLoop: context.eventLoop,
            principal: principal,
            since: upgrade.since
        )
        let configuration = services.configuration
        let socket = WebSocketHandler(
            session: connection,
            maximumMessageBytes: configuration.maximumMessageBytes,
            closeTimeout: configuration.closeTimeout
        )
        let channel = context.channel
        do {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            pipeline.removeHandler(context: encoder, promise: nil)
            try pipeline.addHandler(socket)
            // From here on it is the socket that counts the connection out.
            phase = .upgraded
            pipeline.removeHandler(context: context, promise: nil)
            // Last, since what it still holds goes to the socket's handler.
            pipeline.removeHandler(context: decoder, promise: nil)
        } catch {
            services.logger.error("could not upgrade", metadata: ["error": "\(error)"])
            channel.close(promise: nil)
        }
        channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    private func send(_ answer: HTTPAnswer) {
        guard let context else { return }
        phase = .answering
        var headers = answer.headers
        headers.replaceOrAdd(name: "Content-Length", value: String(answer.body.count))
        headers.replaceOrAdd(name: "Connection", value: "close")
        headers.replaceOrAdd(name: "X-Request-Id", value: requestID)
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // Our direction alone, so that bytes the client is still sending cannot make TCP drop the answer.
        context.close(mode: .output, promise: nil)
        timeout?.cancel()
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: services.configuration.closeTimeout) {
            self.abort()
        }
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    private func problem(
        _ status: HTTPResponseStatus, _ word: String, _ detail: String, _ headers: HTTPHeaders = [:]
    ) -> HTTPAnswer {
        .problem(status, word, detail, requestID: requestID, headers: headers)
    }

    private func unavailable(_ word: String, _ detail: String) -> HTTPAnswer {
        problem(.serviceUnavailable, word, detail, ["Retry-After": "2"])
    }
}
