import Application
import Domain
import TestSupport
import Testing

@Suite("PostStore")
struct PostStoreContract {
    @Test("a stored post reads back with its author", arguments: Engine.allCases)
    func roundTrip(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone("ann"), try await stores.someone())
            let post = try aPost(by: ann, "Grüße 👩‍👩‍👧‍👦\n\"quoted\"")
            let stored = try await stores.posts.insert(post)
            #expect(stored.post == post)
            #expect(stored.author == UserSummary(id: ann.id, username: ann.username, displayName: ann.displayName))
            #expect(try await stores.posts.post(post.id, viewedBy: bob.id) == stored)
            #expect(try await stores.posts.post(anID(), viewedBy: bob.id) == nil)
        }
    }

    @Test("a refused post stores neither post nor event nor count", arguments: Engine.allCases)
    func atomicity(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone()
            let post = try aPost(by: ann, "first")
            _ = try await stores.posts.insert(post)
            let clash = Post(id: post.id, authorID: ann.id, text: try PostText("second"), createdAt: post.createdAt)
            await #expect(throws: StoreConflict.identifier) { try await stores.posts.insert(clash) }
            let orphan = try aPost(by: try aUser())
            await #expect(throws: ApplicationError.self) { try await stores.posts.insert(orphan) }

            #expect(try await stores.posts.post(post.id, viewedBy: ann.id)?.post == post)
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: ann.id)?.postCount == 1)
            let told = try await stores.events.stamp(limit: 10, published: .start)
            #expect(told.map(\.event) == [.postCreated(post.id, by: ann.id)])
        }
    }

    @Test("counts and events are exact when one author posts from many places", arguments: Engine.allCases)
    func concurrency(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask { _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)")) }
                }
                try await group.waitForAll()
            }
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: ann.id)?.postCount == 40)
            #expect(try await stores.events.stamp(limit: 100, published: .start).count == 40)
        }
    }

    @Test("what only followers may see is absent for others, everywhere", arguments: Engine.allCases)
    func visibility(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob, cid) = (
                try await stores.someone(), try await stores.someone(), try await stores.someone()
            )
            try await stores.follow(ann, by: bob)
            let open = try aPost(by: ann, "open")
            let closed = try aPost(by: ann, "closed", visibility: .followers)
            _ = try await stores.posts.insert(open)
            _ = try await stores.posts.insert(closed)
            func list(_ viewer: User) async throws -> [PostID] {
                try await stores.posts.posts(by: ann.id, viewedBy: viewer.id, page: PageRequest()).items.map(\.post.id)
            }
            #expect(try await stores.posts.post(closed.id, viewedBy: ann.id) != nil)
            #expect(try await stores.posts.post(closed.id, viewedBy: bob.id) != nil)
            #expect(try await stores.posts.post(closed.id, viewedBy: cid.id) == nil)
            #expect(try await list(bob) == [closed.id, open.id])
            #expect(try await list(cid) == [open.id])
        }
    }

    @Test("posts of a suspended author are absent for all but the author", arguments: Engine.allCases)
    func suspension(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone(isSuspended: true), try await stores.someone())
            try await stores.follow(ann, by: bob)
            let post = try aPost(by: ann)
            _ = try await stores.posts.insert(post)
            #expect(try await stores.posts.post(post.id, viewedBy: ann.id) != nil)
            #expect(try await stores.posts.post(post.id, viewedBy: bob.id) == nil)
            #expect(try await stores.posts.homeTimeline(of: bob.id, page: PageRequest()).items.isEmpty)
        }
    }

    @Test("only its author deletes a post, once, and the count follows", arguments: Engine.allCases)
    func deletion(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone(), try await stores.someone())
            let post = try aPost(by: ann)
            _ = try await stores.posts.insert(post)
            _ = try await stores.events.stamp(limit: 10, published: .start)
            #expect(try await !stores.posts.delete(post.id, by: bob.id))
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<5 { group.addTask { try await stores.posts.delete(post.id, by: ann.id) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
            #expect(try await stores.posts.post(post.id, viewedBy: ann.id) == nil)
            #expect(try await stores.users.profile(.id(ann.id), viewedBy: ann.id)?.postCount == 0)
            let told = try await stores.events.stamp(limit: 10, published: .start)
            #expect(told.map(\.event) == [.postDeleted(post.id, by: ann.id)])
        }
    }

    @Test(
        "the home timeline holds the followed and oneself, newest first, each once over pages",
        arguments: Engine.allCases)
    func homeTimeline(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob, cid) = (
                try await stores.someone(), try await stores.someone(), try await stores.someone()
            )
            try await stores.follow(ann, by: bob)
            var expected: [PostID] = []
            for number in 0..<9 {
                let author = [ann, bob, cid][number % 3]
                let post = try aPost(by: author, "post \(number)", visibility: number == 3 ? .followers : .everyone)
                _ = try await stores.posts.insert(post)
                if author != cid { expected.insert(post.id, at: 0) }
            }
            func timeline(limit: Int) async throws -> [PostID] {
                var seen: [PostID] = []
                var cursor: Cursor?
                repeat {
                    let page = try await stores.posts.homeTimeline(
                        of: bob.id,
                        page: PageRequest(limit: limit, cursor: cursor)
                    )
                    seen += page.items.map(\.post.id)
                    cursor = page.next
                } while cursor != nil
                return seen
            }
            #expect(try await timeline(limit: 2) == expected)
            #expect(try await timeline(limit: 6) == expected)
            try await stores.follows.remove(follower: bob.id, followee: ann.id)
            let own = try await timeline(limit: 20)
            #expect(own.count == 3)
            #expect(own.allSatisfy(expected.contains))
        }
    }
}
