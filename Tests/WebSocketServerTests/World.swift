import Application
import Domain
import Synchronization

/// The ports of the live feed in memory. It holds to what the ports promise: positions are dense, the log is written
/// before the bus is told, and the bus calls a subscriber for one message at a time.
final class World: Sendable {
    private struct State {
        var events: [RecordedEvent] = []
        var removedUpTo = Position.start
        var followees: [UserID: Set<UserID>] = [:]
        var sessions: [SessionID: Session] = [:]
        var subscribers: [AsyncStream<BusMessage>.Continuation] = []
        var failingReads = 0
        var isBroken = false
    }

    private let state = Mutex(State())
    let clock = FixedClock()

    // MARK: What happens

    enum Delivery {
        case published
        /// In the log, but the bus lost it.
        case lost
    }

    @discardableResult
    func record(_ event: Event, post: PostView? = nil, _ delivery: Delivery = .published) -> RecordedEvent {
        state.withLock { state in
            switch event {
            case .followed(let followee, let user): state.followees[user, default: []].insert(followee)
            case .unfollowed(let followee, let user): state.followees[user]?.remove(followee)
            case .sessionRevoked(let session, _): state.sessions[session]?.revokedAt = clock.now()
            case .postCreated, .postDeleted, .userDeleted: break
            }
            let position = (state.events.last?.position ?? state.removedUpTo).next
            let recorded = RecordedEvent(
                id: position.rawValue + 1000,
                position: position,
                recordedAt: clock.now(),
                event: event,
                post: post
            )
            state.events.append(recorded)
            if delivery == .published {
                for subscriber in state.subscribers { subscriber.yield(.event(recorded)) }
            }
            return recorded
        }
    }

    func follow(_ follower: Int64, _ followee: Int64) {
        record(.followed(UserID(rawValue: followee), by: UserID(rawValue: follower)))
    }

    func unfollow(_ follower: Int64, _ followee: Int64) {
        record(.unfollowed(UserID(rawValue: followee), by: UserID(rawValue: follower)))
    }

    @discardableResult
    func post(
        by author: Int64, _ text: String, visibility: Visibility = .everyone, _ delivery: Delivery = .published
    ) -> RecordedEvent {
        let id = PostID(rawValue: Int64.random(in: 1...Int64.max))
        let author = UserID(rawValue: author)
        let post = Post(
            id: id, authorID: author, text: PostText(stored: text), visibility: visibility, createdAt: clock.now())
        let summary = UserSummary(
            id: author,
            username: Username(stored: "user_\(author)"),
            displayName: DisplayName(stored: "User \(author)")
        )
        return record(.postCreated(id, by: author), post: PostView(post: post, author: summary), delivery)
    }

    /// Sends a message over the bus that tells nothing new, or a head.
    func send(_ message: BusMessage) {
        state.withLock { state in
            for subscriber in state.subscribers { subscriber.yield(message) }
        }
    }

    /// The next `count` reads of the log or of follows fail.
    func failReads(_ count: Int) { state.withLock { $0.failingReads = count } }

    var failuresLeft: Int { state.withLock { $0.failingReads } }

    /// Removes all events so far from the log.
    func pruneLog() {
        state.withLock { state in
            state.removedUpTo = state.events.last?.position ?? state.removedUpTo
            state.events = []
        }
    }

    func breakHealth(_ isBroken: Bool) { state.withLock { $0.isBroken = isBroken } }

    var hasSubscriber: Bool { state.withLock { !$0.subscribers.isEmpty } }

    /// A token that ``Tokens`` takes, of a session that exists.
    func token(_ user: Int64, session: Int64 = 1, expiresIn: Duration = .seconds(3600)) -> String {
        let sessionID = SessionID(rawValue: user * 1000 + session)
        state.withLock { state in
            state.sessions[sessionID] = Session(
                id: sessionID,
                userID: UserID(rawValue: user),
                createdAt: clock.now(),
                expiresAt: clock.now().advanced(by: .seconds(86_400))
            )
        }
        let expiry = clock.now().advanced(by: expiresIn).millisecondsSinceEpoch
        return "\(user).\(sessionID).\(expiry)"
    }

    private func read<Value>(_ body: (inout State) throws -> Value) throws -> Value {
        try state.withLock { state in
            if state.failingReads > 0 {
                state.failingReads -= 1
                throw ApplicationError.unavailable("database", detail: "told to fail")
            }
            return try body(&state)
        }
    }
}

extension World: EventHistory {
    func events(after position: Position, limit: Int) async throws -> [RecordedEvent] {
        try read { state in Array(state.events.filter { $0.position > position }.prefix(limit)) }
    }

    func head() async throws -> Position { try read { $0.events.last?.position ?? $0.removedUpTo } }
}

extension World: EventBus {
    func publish(_ events: [RecordedEvent]) async throws {}
    func announce(head: Position) async throws {}

    func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {
        let (messages, continuation) = AsyncStream.makeStream(of: BusMessage.self)
        continuation.yield(.subscribed)
        state.withLock { $0.subscribers.append(continuation) }
        for await message in messages { await handler(message) }
    }

    func checkHealth() async throws {
        if state.withLock({ $0.isBroken }) { throw ApplicationError.unavailable("broker", detail: "told to fail") }
    }
}

extension World: FollowStore {
    func insert(_ follow: Follow) async throws {}
    func remove(follower: UserID, followee: UserID) async throws {}
    func followers(of user: UserID, page: PageRequest) async throws -> Page<Profile> { Page(items: [], next: nil) }
    func following(of user: UserID, page: PageRequest) async throws -> Page<Profile> { Page(items: [], next: nil) }
    func followees(of user: UserID) async throws -> [UserID] { try read { Array($0.followees[user] ?? []) } }
}

extension World: SessionStore {
    func insert(_ session: Session) async throws {}
    func session(_ id: SessionID) async throws -> Session? { state.withLock { $0.sessions[id] } }
    func rotate(_ id: SessionID, from generation: Int64, expiresAt: Timestamp) async throws -> Bool { false }
    func revoke(_ id: SessionID, of user: UserID, at now: Timestamp) async throws {}
    func removeExpired(before moment: Timestamp) async throws -> Int { 0 }
}

/// Stands still, so that what is due follows from the loop's clock alone.
struct FixedClock: WallClock {
    func now() -> Timestamp { Timestamp(millisecondsSinceEpoch: 1_800_000_000_000) }
}

/// Takes `user.session.expiry`: who signs tokens, and how, is another suite's matter.
struct Tokens: TokenCoder {
    func accessToken(_ claims: Principal) async throws -> String { "" }
    func refreshToken(_ session: SessionID, generation: Int64) -> String { "" }
    func readRefreshToken(_ token: String) -> (session: SessionID, generation: Int64)? { nil }

    func verifyAccessToken(_ token: String, at now: Timestamp) async throws -> Principal {
        let parts = token.split(separator: ".").compactMap { Int64($0) }
        guard parts.count == 3 else { throw TokenError.invalid }
        guard parts[2] > now.millisecondsSinceEpoch else { throw TokenError.expired }
        return Principal(
            userID: UserID(rawValue: parts[0]),
            username: Username(stored: "user_\(parts[0])"),
            role: .user,
            sessionID: SessionID(rawValue: parts[1]),
            expiresAt: Timestamp(millisecondsSinceEpoch: parts[2])
        )
    }
}
