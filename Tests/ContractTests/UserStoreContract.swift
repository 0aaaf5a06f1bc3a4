import Application
import Domain
import TestSupport
import Testing

@Suite("UserStore")
struct UserStoreContract {
    private let hash = PasswordHash(phcString: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")

    @Test("a stored user reads back as it was, by id and by name", arguments: Engine.allCases)
    func roundTrip(engine: Engine) async throws {
        try await engine.withStores { stores in
            var user = try aUser("ann", displayName: "Ann 🐦", email: "ann@example.org", role: .admin)
            user.biography = try Biography("one\ntwo")
            try await stores.users.insert(user, passwordHash: hash)
            #expect(try await stores.users.user(user.id) == user)
            #expect(try await stores.users.user(named: Username("ANN")) == user)
            #expect(try await stores.users.credentials(of: user.username)?.passwordHash == hash)
            #expect(try await stores.users.credentials(of: user.id)?.user == user)
            #expect(try await stores.users.user(anID()) == nil)
            #expect(try await stores.users.user(named: Username("nobody")) == nil)
        }
    }

    @Test("a taken name, address or id is told apart, and nothing is stored", arguments: Engine.allCases)
    func conflicts(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try aUser("ann", email: "ann@example.org")
            try await stores.users.insert(ann, passwordHash: hash)
            await #expect(throws: StoreConflict.username) {
                try await stores.users.insert(try aUser("ann"), passwordHash: hash)
            }
            await #expect(throws: StoreConflict.email) {
                try await stores.users.insert(try aUser("bob", email: "ANN@example.org"), passwordHash: hash)
            }
            let clash = User(
                id: ann.id,
                username: try Username("cid"),
                displayName: try DisplayName("Cid"),
                createdAt: ann.createdAt
            )
            await #expect(throws: StoreConflict.identifier) {
                try await stores.users.insert(clash, passwordHash: hash)
            }
            #expect(try await stores.users.users(matching: nil, page: PageRequest()).items.map(\.user) == [ann])
        }
    }

    @Test("the race for a name has one winner", arguments: Engine.allCases)
    func nameRace(engine: Engine) async throws {
        try await engine.withStores { stores in
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do {
                            try await stores.users.insert(try aUser("wanted"), passwordHash: hash)
                            return true
                        } catch StoreConflict.username {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("a change touches what it names and nothing else", arguments: Engine.allCases)
    func change(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try aUser("ann", email: "ann@example.org")
            try await stores.users.insert(ann, passwordHash: hash)
            let bob = try await stores.someone("bob")

            let renamed = try await stores.users.update(ann.id, ProfileChange(username: try Username("anna")))
            #expect(renamed?.username.description == "anna")
            #expect(renamed?.email == ann.email)

            let change = ProfileChange(biography: try Biography("hi"), email: .some(nil))
            let changed = try #require(try await stores.users.update(ann.id, change))
            #expect(changed.biography.description == "hi")
            #expect(changed.email == nil)
            #expect(changed.displayName == ann.displayName)
            #expect(try await stores.users.user(ann.id) == changed)

            await #expect(throws: StoreConflict.username) {
                try await stores.users.update(ann.id, ProfileChange(username: bob.username))
            }
            #expect(try await stores.users.user(bob.id) == bob)
            #expect(try await stores.users.update(anID(), change) == nil)
        }
    }

    @Test("a profile counts exactly and says how the viewer stands to it", arguments: Engine.allCases)
    func profile(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob, cid) = (
                try await stores.someone("ann"), try await stores.someone("bob"), try await stores.someone("cid")
            )
            try await stores.follow(ann, by: bob)
            try await stores.follow(ann, by: cid)
            try await stores.follow(bob, by: ann)
            _ = try await stores.posts.insert(try aPost(by: ann))

            let seen = try #require(try await stores.users.profile(.name(ann.username), viewedBy: cid.id))
            #expect(seen.user == ann)
            #expect([seen.followerCount, seen.followingCount, seen.postCount] == [2, 1, 1])
            #expect(seen.relationship == Relationship(following: true, followedBy: false))
            let mutual = try await stores.users.profile(.id(ann.id), viewedBy: bob.id)
            #expect(mutual?.relationship == Relationship(following: true, followedBy: true))
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: ann.id)?.relationship == nil)
            #expect(try await stores.users.profile(.id(anID()), viewedBy: ann.id) == nil)
        }
    }

    @Test("deleting a user removes everything of theirs and corrects the counts of others", arguments: Engine.allCases)
    func deletion(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone("ann"), try await stores.someone("bob"))
            try await stores.follow(ann, by: bob)
            try await stores.follow(bob, by: ann)
            let post = try aPost(by: ann)
            _ = try await stores.posts.insert(post)
            let session = aSession(of: ann)
            try await stores.sessions.insert(session)
            _ = try await stores.events.stamp(limit: 100, published: .start)

            try await stores.users.delete(ann.id)

            #expect(try await stores.users.user(ann.id) == nil)
            #expect(try await stores.posts.post(post.id, viewedBy: bob.id) == nil)
            #expect(try await stores.sessions.session(session.id) == nil)
            let left = try #require(try await stores.users.profile(.id(bob.id), viewedBy: bob.id))
            #expect([left.followerCount, left.followingCount] == [0, 0])
            let told = try await stores.events.stamp(limit: 100, published: .start)
            #expect(told.map(\.event) == [.userDeleted(ann.id)])

            try await stores.users.delete(ann.id)
            #expect(try await stores.events.stamp(limit: 100, published: .start).isEmpty)
        }
    }

    @Test("all users come youngest first, page by page, each once", arguments: Engine.allCases)
    func list(engine: Engine) async throws {
        try await engine.withStores { stores in
            var ids: [UserID] = []
            for _ in 0..<7 { ids.append(try await stores.someone().id) }
            var seen: [UserID] = []
            var cursor: Cursor?
            repeat {
                let page = try await stores.users.users(matching: nil, page: PageRequest(limit: 3, cursor: cursor))
                seen += page.items.map(\.user.id)
                cursor = page.next
            } while cursor != nil
            #expect(seen == ids.reversed())
        }
    }

    @Test("a query that no name can hold finds nobody", arguments: Engine.allCases)
    func impossibleQuery(engine: Engine) async throws {
        try await engine.withStores { stores in
            _ = try await stores.someone("ann")
            let page = try await stores.users.users(matching: "a\u{0}", page: PageRequest())
            #expect(page == Page(items: [], next: nil))
        }
    }

    @Test("a search takes % and _ for what they are", arguments: Engine.allCases)
    func search(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone("ann_lee", displayName: "Ann 100%")
            let bob = try await stores.someone("bobby", displayName: "Bob Annis")
            func found(_ query: String) async throws -> [User] {
                try await stores.users.users(matching: query, page: PageRequest()).items.map(\.user)
            }
            #expect(try await found("ANN") == [bob, ann])
            #expect(try await found("_") == [ann])
            #expect(try await found("%") == [ann])
            #expect(try await found("zzz").isEmpty)
        }
    }
}
