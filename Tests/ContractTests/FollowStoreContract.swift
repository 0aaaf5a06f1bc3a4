import Application
import Domain
import TestSupport
import Testing

@Suite("FollowStore")
struct FollowStoreContract {
    @Test("following and unfollowing twice is as once, in counts and in events", arguments: Engine.allCases)
    func idempotency(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone(), try await stores.someone())
            try await stores.follow(ann, by: bob)
            try await stores.follow(ann, by: bob)
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: bob.id)?.followerCount == 1)
            #expect(try await stores.follows.followees(of: bob.id) == [ann.id])
            try await stores.follows.remove(follower: bob.id, followee: ann.id)
            try await stores.follows.remove(follower: bob.id, followee: ann.id)
            let profile = try #require(try await stores.users.profile(.id(bob.id), viewedBy: bob.id))
            #expect(profile.followingCount == 0)
            #expect(try await stores.follows.followees(of: bob.id).isEmpty)
            let told = try await stores.events.stamp(limit: 10, published: .start).map(\.event)
            #expect(told == [.followed(ann.id, by: bob.id), .unfollowed(ann.id, by: bob.id)])
        }
    }

    @Test("following someone who is gone is not found, and leaves nothing", arguments: Engine.allCases)
    func missingUser(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, ghost) = (try await stores.someone(), try aUser())
            let error = await #expect(throws: ApplicationError.self) { try await stores.follow(ghost, by: ann) }
            #expect(error?.code == .notFound)
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: ann.id)?.followingCount == 0)
            #expect(try await stores.events.stamp(limit: 10, published: .start).isEmpty)
        }
    }

    @Test("races of follow and unfollow both ways end with counts that match what is kept", arguments: Engine.allCases)
    func races(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone(), try await stores.someone())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    let (from, to) = number.isMultiple(of: 2) ? (ann, bob) : (bob, ann)
                    group.addTask {
                        if number % 4 < 2 {
                            try await stores.follow(to, by: from)
                        } else {
                            try await stores.follows.remove(follower: from.id, followee: to.id)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for (user, other) in [(ann, bob), (bob, ann)] {
                let profile = try #require(try await stores.users.profile(.id(user.id), viewedBy: other.id))
                let following = try await stores.follows.followees(of: user.id).count
                let followers = try await stores.follows.followees(of: other.id).count
                #expect(profile.followingCount == following)
                #expect(profile.followerCount == followers)
                #expect(profile.relationship == Relationship(following: followers == 1, followedBy: following == 1))
            }
            // Told in the order in which they happened: each pair alternates, beginning with a follow.
            let told = try await stores.events.stamp(limit: 100, published: .start).map(\.event)
            for (follower, followee) in [(ann, bob), (bob, ann)] {
                let ofPair = told.filter {
                    $0 == .followed(followee.id, by: follower.id) || $0 == .unfollowed(followee.id, by: follower.id)
                }
                for (place, event) in ofPair.enumerated() {
                    #expect((event == .followed(followee.id, by: follower.id)) == place.isMultiple(of: 2))
                }
            }
        }
    }

    @Test("followers and following come latest first, page by page, each once", arguments: Engine.allCases)
    func lists(engine: Engine) async throws {
        try await engine.withStores { stores in
            let star = try await stores.someone("star")
            var fans: [User] = []
            for _ in 0..<5 {
                let fan = try await stores.someone()
                try await stores.follow(star, by: fan)
                try await stores.follow(fan, by: star)
                fans.insert(fan, at: 0)
            }
            func walk(_ read: (PageRequest) async throws -> Page<Profile>) async throws -> [UserID] {
                var seen: [UserID] = []
                var cursor: Cursor?
                repeat {
                    let page = try await read(PageRequest(limit: 2, cursor: cursor))
                    seen += page.items.map(\.user.id)
                    cursor = page.next
                } while cursor != nil
                return seen
            }
            #expect(try await walk { try await stores.follows.followers(of: star.id, page: $0) } == fans.map(\.id))
            #expect(try await walk { try await stores.follows.following(of: star.id, page: $0) } == fans.map(\.id))
        }
    }
}
