import Application
import Domain
import TestSupport
import Testing

@Suite("EventLog")
struct EventLogContract {
    @Test(
        "positions are dense from 1, in the order of the changes, with the posts as they are now",
        arguments: Engine.allCases)
    func order(engine: Engine) async throws {
        try await engine.withStores { stores in
            let (ann, bob) = (try await stores.someone(), try await stores.someone())
            #expect(try await !stores.events.hasUnstamped())
            try await stores.follow(ann, by: bob)
            let (kept, gone) = (try aPost(by: ann, "kept"), try aPost(by: ann, "gone"))
            let view = try await stores.posts.insert(kept)
            _ = try await stores.posts.insert(gone)
            #expect(try await stores.posts.delete(gone.id, by: ann.id))
            #expect(try await stores.events.hasUnstamped())

            let first = try await stores.events.stamp(limit: 3, published: .start)
            let rest = try await stores.events.stamp(limit: 3, published: .start)
            let all = first + rest
            #expect(first.count == 3)
            #expect(all.map(\.position.rawValue) == [1, 2, 3, 4])
            #expect(
                all.map(\.event) == [
                    .followed(ann.id, by: bob.id), .postCreated(kept.id, by: ann.id), .postCreated(gone.id, by: ann.id),
                    .postDeleted(gone.id, by: ann.id),
                ]
            )
            #expect(all.map(\.post) == [nil, view, nil, nil])
            #expect(Set(all.map(\.id)).count == 4)
            #expect(try await stores.events.events(after: .start, limit: 10) == all)
            #expect(try await stores.events.events(after: Position(rawValue: 2), limit: 1) == [all[2]])
            #expect(try await stores.events.head() == Position(rawValue: 4))
            #expect(try await !stores.events.hasUnstamped())
            #expect(try await stores.events.stamp(limit: 3, published: .start).isEmpty)
        }
    }

    @Test("writers and stampers that race leave neither hole nor duplicate", arguments: Engine.allCases)
    func races(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone()
            let stamped = try await withThrowingTaskGroup(of: [RecordedEvent].self) { group in
                for number in 0..<30 {
                    group.addTask {
                        _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)"))
                        return []
                    }
                    group.addTask { try await stores.events.stamp(limit: 3, published: .start) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            var all = stamped
            while true {
                let more = try await stores.events.stamp(limit: 7, published: .start)
                if more.isEmpty { break }
                all += more
            }
            #expect(all.map(\.position.rawValue).sorted() == Array(1...30))
            #expect(Set(all.map(\.event)).count == 30)
            #expect(try await stores.events.head() == Position(rawValue: 30))
        }
    }

    @Test("what was published only moves forward", arguments: Engine.allCases)
    func watermark(engine: Engine) async throws {
        try await engine.withStores { stores in
            #expect(try await stores.events.publishedPosition() == .start)
            try await stores.events.markPublished(upTo: Position(rawValue: 5))
            try await stores.events.markPublished(upTo: Position(rawValue: 3))
            #expect(try await stores.events.publishedPosition() == Position(rawValue: 5))
            _ = try await stores.events.stamp(limit: 1, published: Position(rawValue: 8))
            #expect(try await stores.events.publishedPosition() == Position(rawValue: 8))
        }
    }

    @Test("only old and published events are removed, and positions go on", arguments: Engine.allCases)
    func retention(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone()
            for number in 0..<3 { _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)")) }
            _ = try await stores.events.stamp(limit: 10, published: .start)
            try await stores.events.markPublished(upTo: Position(rawValue: 2))
            let later = stores.clock.now().advanced(by: .seconds(1))
            #expect(try await stores.events.removePublished(before: stores.clock.now()) == 0)
            #expect(try await stores.events.removePublished(before: later) == 2)
            #expect(try await stores.events.events(after: .start, limit: 10).map(\.position.rawValue) == [3])
            try await stores.events.markPublished(upTo: Position(rawValue: 3))
            #expect(try await stores.events.removePublished(before: later) == 1)
            #expect(try await stores.events.head() == Position(rawValue: 3))
            _ = try await stores.posts.insert(try aPost(by: ann))
            let next = try await stores.events.stamp(limit: 10, published: .start)
            #expect(next.map(\.position.rawValue) == [4])
        }
    }

    @Test("the relay's lease has one holder, and the next gets it when that one ends", arguments: Engine.allCases)
    func lease(engine: Engine) async throws {
        try await engine.withStores { stores in
            let log = Journal()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await stores.events.withRelayLease {
                            await log.enter()
                            await Task.yield()
                            await log.leave()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(await log.entries == 2)
            #expect(await log.mostAtOnce == 1)
        }
    }

    private actor Journal {
        private(set) var entries = 0
        private(set) var mostAtOnce = 0
        private var inside = 0

        func enter() {
            entries += 1
            inside += 1
            mostAtOnce = max(mostAtOnce, inside)
        }

        func leave() {
            inside -= 1
        }
    }
}
