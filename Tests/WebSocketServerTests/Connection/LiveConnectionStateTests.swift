import Application
import Domain
import NIOCore
import Testing

@testable import WebSocketServerKit

@Suite("The course of a live connection")
struct LiveConnectionStateTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func state() -> LiveConnectionState {
        LiveConnectionState(configuration: LiveServerConfiguration(), now: start, firstPing: start + .seconds(20))
    }

    private func principal(_ user: Int64, session: Int64 = 1) -> Principal {
        Principal(
            userID: UserID(rawValue: user),
            username: Username(stored: "user"),
            role: .user,
            sessionID: SessionID(rawValue: session),
            expiresAt: Timestamp(millisecondsSinceEpoch: 0)
        )
    }

    private func frame(since: String? = nil) throws -> AuthFrame {
        let field = since.map { #","since":"\#($0)""# } ?? ""
        return try AuthFrame(ByteBuffer(string: #"{"type":"auth","token":"t"\#(field)}"#))
    }

    private func live(expiry: NIODeadline = .distantFuture) -> LiveConnectionState {
        var state = state()
        #expect(state.authenticated(principal(1), expiry: expiry, at: start) == .join(UserID(rawValue: 1)))
        #expect(state.joined() == .ready(since: nil))
        return state
    }

    @Test("an auth frame leads to ready, with the position it named")
    func authFrame() throws {
        var state = state()
        #expect(state.received(try frame(since: "7"), at: start) == .authenticate(token: "t"))
        #expect(
            state.authenticated(principal(1), expiry: .distantFuture, at: start) == .join(UserID(rawValue: 1)))
        #expect(!state.isLive)
        #expect(state.joined() == .ready(since: Position(rawValue: 7)))
        #expect(state.isLive)
        #expect(state.joined() == .nothing)
    }

    @Test("a second frame while the first is being answered is refused")
    func impatient() throws {
        var state = state()
        _ = state.received(try frame(), at: start)
        #expect(state.received(try frame(), at: start) == .fail(.unexpectedFrame))
        #expect(state.received(try frame(), at: start) == .nothing)
    }

    @Test("the client's time ends after 5 s, ours after 10 more")
    func deadlines() throws {
        var silent = state()
        #expect(silent.nextDeadline == start + .seconds(5))
        #expect(silent.timerFired(at: start + .milliseconds(4999)) == .nothing)
        #expect(silent.timerFired(at: start + .seconds(5)) == .fail(.authenticationTimeout))
        #expect(silent.nextDeadline == nil)

        var waiting = state()
        _ = waiting.received(try frame(), at: start + .seconds(4))
        #expect(waiting.timerFired(at: start + .seconds(13)) == .nothing)
        #expect(waiting.timerFired(at: start + .seconds(14)) == .fail(.overloaded))
    }

    @Test("a ping follows each interval, and no pong in time closes")
    func heartbeat() {
        var state = live()
        #expect(state.nextDeadline == start + .seconds(20))
        #expect(state.timerFired(at: start + .seconds(20)) == .ping)
        #expect(state.nextDeadline == start + .seconds(30))
        state.receivedPong()
        #expect(state.nextDeadline == start + .seconds(50))
        #expect(state.timerFired(at: start + .seconds(30)) == .nothing)
        #expect(state.timerFired(at: start + .seconds(50)) == .ping)
        #expect(state.timerFired(at: start + .seconds(59)) == .nothing)
        #expect(state.timerFired(at: start + .seconds(60)) == .close(.noPong))
    }

    @Test("a token ends the connection when it expires, a new one puts that off")
    func expiry() throws {
        var state = live(expiry: start + .seconds(10))
        #expect(state.nextDeadline == start + .seconds(10))
        #expect(state.received(try frame(), at: start) == .authenticate(token: "t"))
        #expect(state.isLive)
        #expect(state.authenticated(principal(1, session: 2), expiry: start + .seconds(15), at: start) == .nothing)
        #expect(state.sessionID == SessionID(rawValue: 2))
        #expect(state.timerFired(at: start + .seconds(10)) == .nothing)
        #expect(state.timerFired(at: start + .seconds(15)) == .fail(.expired))
    }

    @Test("a new token must be the same user's")
    func otherUser() throws {
        var state = live()
        _ = state.received(try frame(), at: start)
        #expect(state.authenticated(principal(2), expiry: .distantFuture, at: start) == .fail(.otherUser))
    }

    @Test("what ended meanwhile is remembered for one turn, and then forgotten")
    func recentEndings() {
        var endings = RecentEndings()
        endings.insert(SessionID(rawValue: 1))
        endings.insert(UserID(rawValue: 2))
        endings.age()
        #expect(endings.contains(session: SessionID(rawValue: 1), of: UserID(rawValue: 9)))
        #expect(endings.contains(session: SessionID(rawValue: 9), of: UserID(rawValue: 2)))
        #expect(!endings.contains(session: SessionID(rawValue: 9), of: UserID(rawValue: 9)))
        endings.age()
        #expect(!endings.contains(session: SessionID(rawValue: 1), of: UserID(rawValue: 2)))
    }

    @Test("every application error has its close code")
    func closeCodes() {
        func code(_ code: ApplicationError.Code, _ word: String = "x") -> CloseCode {
            LiveError(ApplicationError(code, word, "")).closeCode
        }
        #expect(code(.unauthenticated, "token_expired") == .expired)
        #expect(code(.unauthenticated, "session_revoked") == .revoked)
        #expect(code(.unauthenticated, "invalid_token") == .badCredentials)
        #expect(code(.unavailable) == .overloaded)
        #expect(code(.overloaded) == .overloaded)
        #expect(code(.defect) == .internalError)
    }
}
