import Application
import Domain
import NIOCore

/// What a connection of the live feed is waiting for and what it may do, without I/O.
struct LiveConnectionState: Sendable {
    enum Action: Hashable, Sendable {
        case nothing
        case authenticate(token: String)
        /// Load whom the user follows and listen.
        case join(UserID)
        /// Say `ready`: from here on the client hears everything.
        case ready(since: Position?)
        case ping
        /// Say why, then close.
        case fail(LiveError)
        /// Close without a word.
        case close(CloseCode)
    }

    private enum Phase: Hashable {
        case unauthenticated
        case authenticating
        case joining
        case live
        /// Live, and a new token is being checked.
        case extending
        case closed
    }

    private let pingInterval: TimeAmount
    private let pongTimeout: TimeAmount
    private let joinTimeout: TimeAmount
    private var phase = Phase.unauthenticated
    private var since: Position?
    /// When the current phase must have ended; none once live.
    private var phaseDeadline: NIODeadline
    private var nextPing: NIODeadline
    private var pongDeadline: NIODeadline?
    private var expiry = NIODeadline.distantFuture
    private(set) var userID: UserID?
    private(set) var sessionID: SessionID?

    /// - Parameter firstPing: Somewhere within the ping interval, so that connections which came together are not all
    ///   pinged together.
    init(configuration: LiveServerConfiguration, now: NIODeadline, firstPing: NIODeadline) {
        pingInterval = configuration.pingInterval
        pongTimeout = configuration.pongTimeout
        joinTimeout = configuration.joinTimeout
        phaseDeadline = now + configuration.authenticationTimeout
        nextPing = firstPing
    }

    var isLive: Bool { phase == .live || phase == .extending }

    /// When ``timerFired(at:)`` is due; `nil` once closed.
    var nextDeadline: NIODeadline? {
        guard phase != .closed else { return nil }
        return min(phaseDeadline, min(pongDeadline ?? nextPing, expiry))
    }

    mutating func received(_ frame: AuthFrame, at now: NIODeadline) -> Action {
        switch phase {
        case .unauthenticated:
            phase = .authenticating
            since = since ?? frame.since
            // The rest is ours to do, so its time is no longer the client's.
            phaseDeadline = now + joinTimeout
        case .live: phase = .extending
        case .authenticating, .joining, .extending: return fail(.unexpectedFrame)
        case .closed: return .nothing
        }
        return .authenticate(token: frame.token)
    }

    /// - Parameters:
    ///   - since: The position the request's URL named.
    ///   - expiry: When the principal's token ends, on the loop's clock.
    mutating func authenticated(
        _ principal: Principal,
        since: Position? = nil,
        expiry: NIODeadline,
        at now: NIODeadline
    ) -> Action {
        switch phase {
        case .unauthenticated, .authenticating:
            phase = .joining
            phaseDeadline = now + joinTimeout
            self.since = since ?? self.since
            adopt(principal, expiry)
            return .join(principal.userID)
        case .extending:
            guard principal.userID == userID else { return fail(.otherUser) }
            phase = .live
            adopt(principal, expiry)
            return .nothing
        case .joining, .live, .closed: return .nothing
        }
    }

    mutating func joined() -> Action {
        guard phase == .joining else { return .nothing }
        phase = .live
        phaseDeadline = .distantFuture
        return .ready(since: since)
    }

    mutating func receivedPong() {
        pongDeadline = nil
    }

    /// Whatever ends the connection: bad credentials, a revoked session, an overload.
    mutating func fail(_ error: LiveError) -> Action {
        guard phase != .closed else { return .nothing }
        phase = .closed
        return .fail(error)
    }

    mutating func timerFired(at now: NIODeadline) -> Action {
        if phase == .closed { return .nothing }
        if now >= expiry { return fail(.expired) }
        if now >= phaseDeadline { return fail(phase == .unauthenticated ? .authenticationTimeout : .overloaded) }
        if let pongDeadline {
            guard now >= pongDeadline else { return .nothing }
            phase = .closed
            return .close(.noPong)
        }
        guard now >= nextPing else { return .nothing }
        nextPing = now + pingInterval
        pongDeadline = now + pongTimeout
        return .ping
    }

    mutating func closed() {
        phase = .closed
    }

    private mutating func adopt(_ principal: Principal, _ expiry: NIODeadline) {
        userID = principal.userID
        sessionID = principal.sessionID
        self.expiry = expiry
    }
}
