import Domain
import NIOCore

/// The connections of one event loop, who hears whom among them, and their timers. Confined to its loop.
final class LocalHub {
    let eventLoop: any EventLoop
    /// The last position applied here; `nil` until the first is known.
    private(set) var head: Position?
    private(set) var isShuttingDown = false
    private var audience = Audience<LiveConnection>()
    private var endings = RecentEndings()
    /// Written to since the last flush. Kept between events to keep its storage.
    private var unflushed: [LiveConnection] = []

    private let tickInterval: TimeAmount
    private var wheel: TimerWheel<LiveConnection>
    private var ticker: RepeatedTask?

    /// Every open channel, upgraded or not, with how to end it.
    private var channels: [ObjectIdentifier: any ServedChannel] = [:]
    private var emptied: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, configuration: LiveServerConfiguration) {
        self.eventLoop = eventLoop
        self.tickInterval = configuration.tickInterval
        self.wheel = TimerWheel(horizon: Self.wheelTicks)
    }

    /// Enough for a heartbeat at the default tick; what lies further ahead is looked at on the way.
    private static let wheelTicks = 128
    /// How long ended sessions are kept in mind, in ticks: far longer than an authentication takes.
    private static let endingTicks: UInt64 = 120

    // MARK: Events

    /// Applies events and flushes once after them; gives whether a connection that stays open does not keep up.
    @discardableResult
    func apply(_ events: some Sequence<HubEvent>) -> Bool {
        for event in events { apply(event) }
        var isBehind = false
        // Not while the audience is being read: a flush can find a connection dead, and that changes the audience.
        for connection in unflushed where connection.flushDelivered() { isBehind = true }
        unflushed.removeAll(keepingCapacity: true)
        return isBehind
    }

    private func apply(_ event: HubEvent) {
        head = event.position
        switch event.effect {
        case .deliver(let frame, let author):
            audience.forEachMember(hearing: author) { connection in
                if connection.deliver(frame) { unflushed.append(connection) }
            }
        case .follow(let followee, let user): audience.follow(followee, by: user)
        case .unfollow(let followee, let user): audience.unfollow(followee, by: user)
        case .endSession(let session, let user):
            endings.insert(session)
            for connection in audience.members(of: user) { connection.sessionEnded(session) }
        case .endUser(let user):
            endings.insert(user)
            for connection in audience.members(of: user) { connection.userEnded() }
        case .nothing: break
        case .lost: closeAll(with: .draining)
        }
    }

    // MARK: Connections

    func hasEnded(session: SessionID, of user: UserID) -> Bool {
        endings.contains(session: session, of: user)
    }

    func join(_ connection: LiveConnection, _ user: UserID) -> Audience<LiveConnection>.Joining {
        audience.join(connection, user)
    }

    /// Gives a user's connections their followees and lets them listen from ``head`` on; `nil` if they could not be
    /// loaded.
    func loaded(_ followees: [UserID]?, of user: UserID, ticket: UInt64) {
        if let followees {
            for connection in audience.load(followees, of: user, ticket: ticket) { connection.joined() }
        } else {
            for connection in audience.membersWaiting(for: user, ticket: ticket) { connection.couldNotJoin() }
        }
    }

    func leave(_ connection: LiveConnection, _ user: UserID) {
        audience.leave(connection, user)
    }

    // MARK: Timers

    /// Calls ``LiveConnection/timerFired()`` at about `deadline`; gives the tick that stands for it.
    func schedule(_ connection: LiveConnection, at deadline: NIODeadline) -> UInt64 {
        let delay = max((deadline - .now()).nanoseconds, 0)
        return wheel.schedule(connection, in: UInt64(delay / tickInterval.nanoseconds) + 1)
    }

    func startTicking() {
        guard ticker == nil else { return }
        let myself = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: tickInterval, delay: tickInterval) { _ in
            myself.value.tick()
        }
    }

    private func tick() {
        for connection in wheel.advance() { connection.timerFired(tick: wheel.now) }
        if wheel.now % Self.endingTicks == 0 { endings.age() }
    }

    // MARK: Shutting down

    func opened(_ channel: any ServedChannel) {
        channels[ObjectIdentifier(channel)] = channel
        if isShuttingDown { channel.close(with: .goingAway) }
    }

    func closed(_ channel: any ServedChannel) {
        channels[ObjectIdentifier(channel)] = nil
        if channels.isEmpty { emptied?.succeed() }
    }

    /// Closes every connection; the future ends when the last has gone.
    func shutDown() -> EventLoopFuture<Void> {
        let promise = emptied ?? eventLoop.makePromise(of: Void.self)
        emptied = promise
        isShuttingDown = true
        closeAll(with: .goingAway)
        if channels.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    func stopTicking() {
        ticker?.cancel()
        ticker = nil
        for channel in channels.values { channel.abort() }
    }

    private func closeAll(with code: CloseCode) {
        for channel in channels.values { channel.close(with: code) }
    }
}

/// An accepted connection in any stage, as shutting down sees it.
protocol ServedChannel: AnyObject {
    /// Ends it in the way its protocol has for that.
    func close(with code: CloseCode)
    /// Ends it at once.
    func abort()
}
