import Domain
import Testing

@testable import WebSocketServerKit

@Suite("Who hears whom")
struct AudienceTests {
    private final class Member {}

    private func user(_ value: Int64) -> UserID { UserID(rawValue: value) }

    private func hearers(_ author: Int64, in audience: Audience<Member>) -> [ObjectIdentifier] {
        var result: [ObjectIdentifier] = []
        audience.forEachMember(hearing: user(author)) { result.append(ObjectIdentifier($0)) }
        return result
    }

    /// A member of `user` that has loaded `followees`.
    private func join(_ value: Int64, following followees: [Int64], _ audience: inout Audience<Member>) throws -> Member
    {
        let member = Member()
        guard case .load(let ticket) = audience.join(member, user(value)) else {
            Issue.record("the first connection of a user loads")
            return member
        }
        #expect(audience.load(followees.map { user($0) }, of: user(value), ticket: ticket).count == 1)
        return member
    }

    @Test("followers and the author hear, others do not")
    func hearing() throws {
        var audience = Audience<Member>()
        let follower = try join(1, following: [9, 8], &audience)
        let author = try join(9, following: [], &audience)
        _ = try join(2, following: [8], &audience)
        #expect(hearers(9, in: audience) == [ObjectIdentifier(follower), ObjectIdentifier(author)])
        #expect(hearers(7, in: audience) == [])
    }

    @Test("nobody hears before their followees are there")
    func loading() {
        var audience = Audience<Member>()
        let member = Member()
        guard case .load(let ticket) = audience.join(member, user(1)) else { return #expect(Bool(false)) }
        audience.follow(user(9), by: user(1))
        #expect(hearers(9, in: audience) == [])
        #expect(hearers(1, in: audience) == [])
        _ = audience.load([], of: user(1), ticket: ticket)
        #expect(hearers(9, in: audience) == [ObjectIdentifier(member)])
        #expect(hearers(1, in: audience) == [ObjectIdentifier(member)])
    }

    @Test("changes during the load win over what was loaded, in their order")
    func changesWhileLoading() {
        var audience = Audience<Member>()
        let member = Member()
        guard case .load(let ticket) = audience.join(member, user(1)) else { return #expect(Bool(false)) }
        audience.unfollow(user(7), by: user(1))
        audience.follow(user(8), by: user(1))
        audience.follow(user(9), by: user(1))
        audience.unfollow(user(9), by: user(1))
        _ = audience.load([user(7), user(9), user(6)], of: user(1), ticket: ticket)
        #expect(hearers(6, in: audience).count == 1)
        #expect(hearers(7, in: audience) == [])
        #expect(hearers(8, in: audience).count == 1)
        #expect(hearers(9, in: audience) == [])
    }

    @Test("follow and unfollow change the audience once, however often they come")
    func changes() throws {
        var audience = Audience<Member>()
        let member = try join(1, following: [8], &audience)
        for _ in 0..<2 { audience.follow(user(9), by: user(1)) }
        #expect(hearers(9, in: audience) == [ObjectIdentifier(member)])
        for _ in 0..<2 { audience.unfollow(user(9), by: user(1)) }
        #expect(hearers(9, in: audience) == [])
        #expect(hearers(8, in: audience).count == 1)
        audience.unfollow(user(1), by: user(1))
        #expect(hearers(1, in: audience).count == 1)
    }

    @Test("a user's connections share their followees; the last to leave takes them away")
    func leaving() throws {
        var audience = Audience<Member>()
        let first = try join(1, following: [9], &audience)
        let second = Member()
        #expect(audience.join(second, user(1)) == .ready)
        #expect(hearers(9, in: audience).count == 2)
        audience.leave(first, user(1))
        #expect(hearers(9, in: audience) == [ObjectIdentifier(second)])
        audience.leave(second, user(1))
        #expect(hearers(9, in: audience) == [])
        #expect(audience.members(of: user(1)).isEmpty)
        // The place is given to somebody else, who hears what they follow and no more.
        _ = try join(2, following: [8], &audience)
        #expect(hearers(9, in: audience) == [])
        #expect(hearers(8, in: audience).count == 1)
    }

    @Test("a load whose user has left and come back is not theirs any more")
    func staleLoad() {
        var audience = Audience<Member>()
        let first = Member()
        guard case .load(let old) = audience.join(first, user(1)) else { return #expect(Bool(false)) }
        audience.leave(first, user(1))
        let second = Member()
        guard case .load(let new) = audience.join(second, user(1)) else { return #expect(Bool(false)) }
        #expect(audience.load([user(9)], of: user(1), ticket: old).isEmpty)
        #expect(hearers(9, in: audience) == [])
        #expect(audience.join(Member(), user(1)) == .wait)
        #expect(audience.load([user(8)], of: user(1), ticket: new).count == 2)
    }
}
