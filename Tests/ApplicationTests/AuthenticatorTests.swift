import Application
import Domain
import TestSupport
import Testing

@Suite("Authenticator")
struct AuthenticatorTests {
    @Test("a token tells whose session it is of")
    func principal() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let principal = try await services.authenticator.principal(for: ann.accessToken)
            #expect(principal.userID == ann.profile.user.id)
            #expect(principal.username.description == "ann")
            #expect(principal.role == .user)
            #expect(principal.expiresAt == services.stores.clock.now().advanced(by: ann.expiresIn))
        }
    }

    @Test("a session that was revoked here ends at once")
    func revokedHere() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let principal = try await services.authenticator.principal(for: ann.accessToken)
            try await services.sessions.logOut(principal)
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await services.authenticator.principal(for: ann.accessToken)
            }
        }
    }

    @Test("a session that another process revoked ends once the interval is over, and not before")
    func revokedElsewhere() async throws {
        try await withServices { services in
            let (clock, sessions) = (services.stores.clock, services.stores.sessions)
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let principal = try await services.authenticator.principal(for: ann.accessToken)
            try await sessions.revoke(principal.sessionID, of: principal.userID, at: clock.now())
            clock.advance(by: Authenticator.recheckInterval - .milliseconds(1))
            #expect(try await services.authenticator.principal(for: ann.accessToken) == principal)
            clock.advance(by: .milliseconds(1))
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await services.authenticator.principal(for: ann.accessToken)
            }
        }
    }

    @Test("a session that is revoked while it is checked is not remembered")
    func revokedDuringCheck() async throws {
        try await withServices { services in
            let stores = services.stores
            let held = HeldSessions(stores.sessions)
            let authenticator = Authenticator(tokens: services.tokens, sessions: held, clock: stores.clock)
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            async let early = authenticator.principal(for: ann.accessToken)
            await held.waitUntilRead()
            let session = try await services.authenticator.principal(for: ann.accessToken).sessionID
            try await stores.sessions.revoke(session, of: ann.profile.user.id, at: stores.clock.now())
            authenticator.forget(session)
            held.release()
            #expect(try await early.sessionID == session)
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await authenticator.principal(for: ann.accessToken)
            }
        }
    }

    @Test("a token ends with its time, also one that was just checked")
    func expiry() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            services.stores.clock.advance(by: ann.expiresIn - .milliseconds(1))
            _ = try await services.authenticator.principal(for: ann.accessToken)
            services.stores.clock.advance(by: .milliseconds(1))
            await expectRefusal(.unauthenticated, "token_expired") {
                try await services.authenticator.principal(for: ann.accessToken)
            }
        }
    }

    @Test("what is no access token of ours is refused")
    func forged() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let altered = ann.accessToken.dropLast(4) + (ann.accessToken.hasSuffix("AAAA") ? "BBBB" : "AAAA")
            for token in ["", "nonsense", String(altered), ann.refreshToken] {
                await expectRefusal(.unauthenticated, "invalid_token") {
                    try await services.authenticator.principal(for: token)
                }
            }
        }
    }
}

/// Sessions that a reader gets only once told to: the time between the reading and what is done with it.
private final class HeldSessions: SessionStore {
    private let base: any SessionStore
    private let (wasRead, reading) = AsyncStream<Never>.makeStream()
    private let (isReleased, releasing) = AsyncStream<Never>.makeStream()

    init(_ base: any SessionStore) {
        self.base = base
    }

    func waitUntilRead() async { for await _ in wasRead {} }
    func release() { releasing.finish() }

    func session(_ id: SessionID) async throws -> Session? {
        let session = try await base.session(id)
        reading.finish()
        for await _ in isReleased {}
        return session
    }

    func insert(_ session: Session) async throws { try await base.insert(session) }
    func removeExpired(before moment: Timestamp) async throws -> Int { try await base.removeExpired(before: moment) }

    func rotate(_ id: SessionID, from generation: Int64, expiresAt: Timestamp) async throws -> Bool {
        try await base.rotate(id, from: generation, expiresAt: expiresAt)
    }

    func revoke(_ id: SessionID, of user: UserID, at now: Timestamp) async throws {
        try await base.revoke(id, of: user, at: now)
    }
}
