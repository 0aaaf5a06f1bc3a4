import Application
import Domain
import TestSupport
import Testing

@Suite("SessionStore")
struct SessionStoreContract {
    @Test("a stored session reads back as it was", arguments: Engine.allCases)
    func roundTrip(engine: Engine) async throws {
        try await engine.withStores { stores in
            let session = aSession(of: try await stores.someone())
            try await stores.sessions.insert(session)
            #expect(try await stores.sessions.session(session.id) == session)
            #expect(try await stores.sessions.session(anID()) == nil)
            await #expect(throws: StoreConflict.identifier) { try await stores.sessions.insert(session) }
        }
    }

    @Test("a session of somebody who is gone is refused as nobody's", arguments: Engine.allCases)
    func goneUser(engine: Engine) async throws {
        try await engine.withStores { stores in
            let session = aSession(of: try aUser())
            let error = await #expect(throws: ApplicationError.self) { try await stores.sessions.insert(session) }
            #expect(error?.code == .unauthenticated)
        }
    }

    @Test("of many that exchange one generation exactly one succeeds", arguments: Engine.allCases)
    func rotationRace(engine: Engine) async throws {
        try await engine.withStores { stores in
            let session = aSession(of: try await stores.someone())
            try await stores.sessions.insert(session)
            let later = session.expiresAt.advanced(by: .seconds(60))
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await stores.sessions.rotate(session.id, from: 0, expiresAt: later) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
            let rotated = try #require(try await stores.sessions.session(session.id))
            #expect(rotated.generation == 1)
            #expect(rotated.expiresAt == later)
        }
    }

    @Test("a revoked session stays revoked, tells it once and rotates no more", arguments: Engine.allCases)
    func revocation(engine: Engine) async throws {
        try await engine.withStores { stores in
            let session = aSession(of: try await stores.someone())
            try await stores.sessions.insert(session)
            let now = stores.clock.now()
            try await stores.sessions.revoke(session.id, of: session.userID, at: now)
            try await stores.sessions.revoke(session.id, of: session.userID, at: now.advanced(by: .seconds(1)))
            #expect(try await stores.sessions.session(session.id)?.revokedAt == now)
            #expect(try await !stores.sessions.rotate(session.id, from: 0, expiresAt: session.expiresAt))
            let told = try await stores.events.stamp(limit: 10, published: .start).map(\.event)
            #expect(told == [.sessionRevoked(session.id, of: session.userID)])
        }
    }

    @Test("nobody can revoke a session of somebody else", arguments: Engine.allCases)
    func foreignRevocation(engine: Engine) async throws {
        try await engine.withStores { stores in
            let session = aSession(of: try await stores.someone())
            try await stores.sessions.insert(session)
            try await stores.sessions.revoke(session.id, of: try await stores.someone().id, at: stores.clock.now())
            #expect(try await stores.sessions.session(session.id)?.revokedAt == nil)
        }
    }

    @Test("only what has expired is removed", arguments: Engine.allCases)
    func expiry(engine: Engine) async throws {
        try await engine.withStores { stores in
            let user = try await stores.someone()
            let now = stores.clock.now()
            let old = aSession(of: user, expiresAt: now.advanced(by: .seconds(-1)))
            let young = aSession(of: user, expiresAt: now.advanced(by: .seconds(1)))
            try await stores.sessions.insert(old)
            try await stores.sessions.insert(young)
            #expect(try await stores.sessions.removeExpired(before: now) == 1)
            #expect(try await stores.sessions.session(old.id) == nil)
            #expect(try await stores.sessions.session(young.id) == young)
        }
    }
}
