import Application
import Domain
import TestSupport
import Testing

@Suite("Sessions")
struct SessionsTests {
    @Test("a login opens a session of its own")
    func login() async throws {
        try await withServices { services in
            let registered = try await services.accounts.register(aRegistration("ann"), by: nil)
            let signedIn = try await services.sessions.logIn(username: "ANN", password: Services.password)
            let first = try await services.authenticator.principal(for: registered.accessToken)
            let second = try await services.authenticator.principal(for: signedIn.accessToken)
            #expect(first.userID == second.userID)
            #expect(first.sessionID != second.sessionID)
            try await services.sessions.logOut(first)
            #expect(try await services.authenticator.principal(for: signedIn.accessToken) == second)
        }
    }

    @Test("an unknown name and a wrong password get the same answer")
    func wrongCredentials() async throws {
        try await withServices { services in
            _ = try await services.accounts.register(aRegistration("ann"), by: nil)
            for (name, password) in [
                ("ann", "wrong password"), ("bob", Services.password), ("no name!", "x"), ("", ""),
                ("ann", Services.password + String(repeating: "x", count: 10_000)),
            ] {
                await expectRefusal(.unauthenticated, "invalid_credentials") {
                    try await services.sessions.logIn(username: name, password: password)
                }
            }
        }
    }

    @Test("a password as long as can be is not met by a longer one")
    func longPassword() async throws {
        try await withServices { services in
            let longest = String(repeating: "\u{1F426}", count: 128)
            _ = try await services.accounts.register(Registration(username: "ann", password: longest), by: nil)
            _ = try await services.sessions.logIn(username: "ann", password: longest)
            for surplus in ["x", "\u{1F426}", String(repeating: "x", count: 1000)] {
                await expectRefusal(.unauthenticated, "invalid_credentials") {
                    try await services.sessions.logIn(username: "ann", password: longest + surplus)
                }
            }
        }
    }

    @Test("each refresh gives new tokens and moves the session's end")
    func rotation() async throws {
        try await withServices { services in
            let clock = services.stores.clock
            var signedIn = try await services.accounts.register(aRegistration("ann"), by: nil)
            let session = try await services.authenticator.principal(for: signedIn.accessToken).sessionID
            for _ in 0..<3 {
                clock.advance(by: .seconds(20 * 86_400))
                let refreshed = try await services.sessions.refresh(signedIn.refreshToken)
                #expect(refreshed.refreshToken != signedIn.refreshToken)
                #expect(try await services.authenticator.principal(for: refreshed.accessToken).sessionID == session)
                signedIn = refreshed
            }
            clock.advance(by: SessionLifetimes().session)
            await expectRefusal(.unauthenticated, "invalid_refresh_token") {
                try await services.sessions.refresh(signedIn.refreshToken)
            }
        }
    }

    @Test("a refresh token that comes back ends its session, and no other")
    func reuse() async throws {
        try await withServices { services in
            let stolen = try await services.accounts.register(aRegistration("ann"), by: nil)
            let other = try await services.sessions.logIn(username: "ann", password: Services.password)
            let refreshed = try await services.sessions.refresh(stolen.refreshToken)
            _ = try await services.authenticator.principal(for: refreshed.accessToken)
            await expectRefusal(.unauthenticated, "refresh_token_reused") {
                try await services.sessions.refresh(stolen.refreshToken)
            }
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await services.authenticator.principal(for: refreshed.accessToken)
            }
            await expectRefusal(.unauthenticated, "invalid_refresh_token") {
                try await services.sessions.refresh(refreshed.refreshToken)
            }
            _ = try await services.authenticator.principal(for: other.accessToken)
            let events = try await services.stores.events.stamp(limit: 10, published: .start)
            #expect(events.count == 1)
        }
    }

    @Test("of many that exchange one refresh token at once no two succeed, and the session ends")
    func race() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let successes = try await withThrowingTaskGroup(of: SignedIn?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            return try await services.sessions.refresh(ann.refreshToken)
                        } catch let error as ApplicationError where error.code == .unauthenticated {
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: [SignedIn?]()) { $0.append($1) }.compactMap { $0 }
            }
            #expect(successes.count == 1)
            let winner = try #require(successes.first)
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await services.authenticator.principal(for: winner.accessToken)
            }
        }
    }

    @Test("what is no refresh token of ours is refused")
    func forged() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let nobodys = services.tokens.refreshToken(SessionID(rawValue: 1), generation: 0)
            let session = try await services.authenticator.principal(for: ann.accessToken).sessionID
            let ahead = services.tokens.refreshToken(session, generation: 1)
            for token in ["", "nonsense", ann.accessToken, nobodys, ahead] {
                await expectRefusal(.unauthenticated, "invalid_refresh_token") {
                    try await services.sessions.refresh(token)
                }
            }
            _ = try await services.sessions.refresh(ann.refreshToken)
        }
    }

    @Test("someone who is suspended gets neither in nor on")
    func suspended() async throws {
        try await withServices { services in
            let stores = services.stores
            let hash = try await Services.hash(of: Services.password)
            let user = try aUser("ann", isSuspended: true)
            try await stores.users.insert(user, passwordHash: hash)
            await expectRefusal(.forbidden, "account_suspended") {
                try await services.sessions.logIn(username: "ann", password: Services.password)
            }
            let session = aSession(of: user)
            try await stores.sessions.insert(session)
            await expectRefusal(.forbidden, "account_suspended") {
                try await services.sessions.refresh(services.tokens.refreshToken(session.id, generation: 0))
            }
            #expect(try await stores.sessions.session(session.id)?.generation == 0)
        }
    }
}
