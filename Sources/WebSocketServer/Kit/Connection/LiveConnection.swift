import Application
import Domain
import Logging
import NIOCore

/// One client of the live feed: carries out what its ``LiveConnectionState`` says. Confined to its event loop.
final class LiveConnection: WebSocketSession, ServedChannel {
    private let services: LiveServices
    private let hub: LocalHub
    private let eventLoop: any EventLoop
    private let since: Position?
    /// From the request's header, until it is used.
    private var firstPrincipal: Principal?
    private var state: LiveConnectionState
    private var socket: WebSocketHandler?
    /// The tick of the hub's wheel that counts; other calls are left over from before.
    private var tick: UInt64 = 0
    private var scheduled = NIODeadline.distantFuture
    private var hasUnflushed = false
    /// Delivered since the client last kept up.
    private var waitingBytes = 0
    /// Whom the quota and the audience count this connection for.
    private var countedFor: UserID?

    init(
        services: LiveServices,
        hub: LocalHub,
        eventLoop: any EventLoop,
        principal: Principal?,
        since: Position?
    ) {
        self.services = services
        self.hub = hub
        self.eventLoop = eventLoop
        self.firstPrincipal = principal
        self.since = since
        let now = NIODeadline.now()
        let interval = services.configuration.pingInterval.nanoseconds
        state = LiveConnectionState(
            configuration: services.configuration,
            now: now,
            firstPing: now + .nanoseconds(Int64.random(in: (interval / 2)...interval))
        )
    }

    // MARK: WebSocketSession

    func opened(_ socket: WebSocketHandler) {
        self.socket = socket
        hub.opened(self)
        if let principal = firstPrincipal {
            firstPrincipal = nil
            adopt(principal)
        }
        reschedule()
    }

    func received(text: ByteBuffer) {
        do throws(LiveError) {
            perform(state.received(try AuthFrame(text), at: .now()))
        } catch {
            perform(state.fail(error))
        }
    }

    func received(binary: ByteBuffer) {
        state.closed()
        socket?.close(.unsupportedData)
    }

    func receivedPong() {
        state.receivedPong()
    }

    func closing() {
        state.closed()
        leave()
    }

    func closed() {
        state.closed()
        leave()
        socket = nil
        hub.closed(self)
        services.quota.connectionClosed()
    }

    // MARK: From the hub

    /// Writes without flushing; gives whether this is the first write since the last flush.
    func deliver(_ frame: ByteBuffer) -> Bool {
        guard state.isLive else { return false }
        socket?.write(frame)
        waitingBytes += frame.readableBytes
        defer { hasUnflushed = true }
        return !hasUnflushed
    }

    /// Gives whether the client is behind, but not so much that it is given up.
    func flushDelivered() -> Bool {
        hasUnflushed = false
        guard let socket else { return false }
        socket.flush()
        guard let since = socket.unwritableSince else {
            waitingBytes = 0
            return false
        }
        let configuration = services.configuration
        if waitingBytes <= configuration.maximumOutboundBytes, .now() - since <= configuration.outboundTimeout {
            return true
        }
        state.closed()
        socket.close(.tooSlow)
        return false
    }

    func joined() {
        perform(state.joined())
        reschedule()
    }

    func couldNotJoin() { perform(state.fail(.overloaded)) }

    func sessionEnded(_ session: SessionID) {
        if state.sessionID == session { perform(state.fail(.revoked)) }
    }

    func userEnded() { perform(state.fail(.userDeleted)) }

    func timerFired(tick: UInt64) {
        guard tick == self.tick else { return }
        scheduled = .distantFuture
        perform(state.timerFired(at: .now()))
        reschedule()
    }

    // MARK: ServedChannel

    func close(with code: CloseCode) {
        state.closed()
        socket?.close(code)
    }

    func abort() { socket?.abort() }

    // MARK: Actions

    private func perform(_ action: LiveConnectionState.Action) {
        switch action {
        case .nothing: break
        case .authenticate(let token): authenticate(token)
        case .join(let user): join(user)
        case .ready(let since):
            guard let head = hub.head else { return perform(state.fail(.overloaded)) }
            socket?.write(LiveFrame.ready(at: head, since: since))
            socket?.flush()
        case .ping:
            socket?.write(FrameWriter.ping)
            socket?.flush()
        case .fail(let error):
            socket?.write(LiveFrame.error(error))
            socket?.close(error.closeCode)
        case .close(let code): socket?.close(code)
        }
    }

    private func authenticate(_ token: String) {
        let myself = NIOLoopBound(self, eventLoop: eventLoop)
        let services = services
        let isTaken = services.jobs.submit {
            let result = await services.principal(for: token)
            myself.eventLoop.execute {
                switch result {
                case .success(let principal): myself.value.adopt(principal)
                case .failure(let error): myself.value.refuse(LiveError(error))
                }
            }
        }
        if !isTaken { perform(state.fail(.overloaded)) }
        reschedule()
    }

    private func refuse(_ error: LiveError) { perform(state.fail(error)) }

    private func adopt(_ principal: Principal) {
        guard !hub.hasEnded(session: principal.sessionID, of: principal.userID) else { return refuse(.revoked) }
        let untilExpiry = principal.expiresAt.millisecondsSinceEpoch - services.clock.now().millisecondsSinceEpoch
        let now = NIODeadline.now()
        // A token may say it lives for centuries; what counts is that it outlives the connection.
        let lifetime = TimeAmount.milliseconds(min(untilExpiry, Self.longestLifetimeMilliseconds))
        perform(state.authenticated(principal, since: since, expiry: now + lifetime, at: now))
        reschedule()
    }

    /// A year.
    private static let longestLifetimeMilliseconds: Int64 = 365 * 86_400_000

    /// The hub minds the user's follow changes before the load begins, so that none falls in between.
    private func join(_ user: UserID) {
        guard services.quota.admit(user) else { return perform(state.fail(.tooManyConnections)) }
        countedFor = user
        switch hub.join(self, user) {
        case .ready: perform(state.joined())
        case .wait: break
        case .load(let ticket): load(user, ticket)
        }
    }

    private func load(_ user: UserID, _ ticket: UInt64) {
        let hub = NIOLoopBound(hub, eventLoop: eventLoop)
        let services = services
        let isTaken = services.jobs.submit {
            let followees: [UserID]?
            do {
                followees = try await services.follows.followees(of: user)
            } catch {
                services.logger.warning("could not load followees", metadata: ["error": "\(error)"])
                followees = nil
            }
            hub.eventLoop.execute { hub.value.loaded(followees, of: user, ticket: ticket) }
        }
        if !isTaken { self.hub.loaded(nil, of: user, ticket: ticket) }
    }

    private func leave() {
        guard let user = countedFor else { return }
        countedFor = nil
        hub.leave(self, user)
        services.quota.release(user)
    }

    /// Files this connection with the wheel if it is due earlier than it is filed for.
    private func reschedule() {
        guard let deadline = state.nextDeadline, deadline < scheduled else { return }
        scheduled = deadline
        tick = hub.schedule(self, at: deadline)
    }
}

extension LiveServices {
    /// Like the authenticator's, with every error made the application's.
    func principal(for token: String) async -> Result<Principal, ApplicationError> {
        do {
            return .success(try await authenticator.principal(for: token))
        } catch let error as ApplicationError {
            if error.detail != nil {
                logger.warning("could not authenticate", metadata: ["error": "\(error)"])
            }
            return .failure(error)
        } catch {
            logger.error("could not authenticate", metadata: ["error": "\(error)"])
            return .failure(.defect("\(error)"))
        }
    }
}
