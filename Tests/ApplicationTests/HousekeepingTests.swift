import Application
import Domain
import Logging
import TestSupport
import Testing

@Suite("Housekeeping")
struct HousekeepingTests {
    @Test("removes sessions past their end and published events past their retention, and nothing else")
    func cleanUp() async throws {
        try await Engine.sqlite.withStores { stores in
            let ann = try await stores.someone()
            let old = try aPost(by: ann, "old")
            _ = try await stores.posts.insert(old)
            let expired = aSession(of: ann, expiresAt: stores.clock.now())
            try await stores.sessions.insert(expired)
            stores.clock.advance(by: Housekeeping.eventRetention + .milliseconds(1))
            // Recorded now, as deletions are.
            #expect(try await stores.posts.delete(old.id, by: ann.id))
            let lasting = aSession(of: ann, expiresAt: stores.clock.now().advanced(by: .milliseconds(1)))
            try await stores.sessions.insert(lasting)
            let events = try await stores.events.stamp(limit: 10, published: .start)
            let housekeeping = housekeeping(stores)

            try await housekeeping.cleanUp()
            #expect(try await stores.events.events(after: .start, limit: 10).count == 2, "none was published yet")
            #expect(try await stores.sessions.session(expired.id) == nil)
            #expect(try await stores.sessions.session(lasting.id) == lasting)

            try await stores.events.markPublished(upTo: try #require(events.last).position)
            try await housekeeping.cleanUp()
            #expect(try await stores.events.events(after: .start, limit: 10) == [try #require(events.last)])
        }
    }

    @Test("begins with its start, and ends when it is told to")
    func run() async throws {
        try await Engine.sqlite.withStores { stores in
            let expired = aSession(of: try await stores.someone(), expiresAt: stores.clock.now())
            try await stores.sessions.insert(expired)
            stores.clock.advance(by: .milliseconds(1))
            let housekeeping = housekeeping(stores)
            try await withRunning({ try await housekeeping.run() }) {
                _ = try await eventually("the session is gone") {
                    try await stores.sessions.session(expired.id) == nil ? true : nil
                }
            }
        }
    }

    private func housekeeping(_ stores: Stores) -> Housekeeping {
        Housekeeping(log: stores.events, sessions: stores.sessions, clock: stores.clock, logger: .quiet)
    }
}
