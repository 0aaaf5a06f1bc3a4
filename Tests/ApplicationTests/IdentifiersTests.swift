import Domain
import TestSupport
import Testing

@testable import Application

@Suite("Identifiers")
struct IdentifiersTests {
    @Test("an id that is taken is drawn again, and the insertion gets its own moment")
    func clash() async throws {
        let clock = ManualClock()
        let identifiers = Identifiers(clock: clock, entropy: CountingEntropy())
        var drawn: [PostID] = []
        let id = try await identifiers.withFresh(Post.self) { id, now in
            #expect(id.createdAt == now)
            drawn.append(id)
            clock.advance(by: .milliseconds(1))
            if drawn.count < 3 { throw StoreConflict.identifier }
            return id
        }
        #expect(drawn.count == 3)
        #expect(Set(drawn).count == 3)
        #expect(id == drawn.last)
    }

    @Test("a source that keeps clashing is given up, and another conflict is not tried again")
    func giveUp() async throws {
        let identifiers = Identifiers(clock: ManualClock(), entropy: CountingEntropy())
        for (conflict, expected) in [(StoreConflict.identifier, 3), (.username, 1)] {
            var attempts = 0
            await #expect(throws: conflict) {
                try await identifiers.withFresh(User.self) { _, _ in
                    attempts += 1
                    throw conflict
                }
            }
            #expect(attempts == expected)
        }
    }
}
