import RabbitMQ
import TestSupport
import Testing

@Suite("A server that is killed")
struct CrashTests {
    @Test("RestServer, in a burst of posts: each stored post is one frame, and none that was answered 201 is missing")
    func restServer() async throws {
        try await Topology.distributed.withServers { servers in
            let (ann, bob) = (try await servers.rest.register("ann"), try await servers.rest.register("bob"))
            try await servers.rest.follow(ann, by: bob)
            try await servers.listening(bob) { atBob in
                let writer = Writer()
                for _ in 1...3 {
                    let count = writer.accepted.count
                    try await writer.write(to: servers.rest, by: ann, count: 8, untilServerIsGone: true) {
                        _ = try await eventually("a burst") { writer.accepted.count >= count + 40 ? true : nil }
                        try await servers.crash(.rest)
                    }
                    try await servers.start(.rest)
                }
                let stored = try await servers.rest.posts(of: ann)
                #expect(stored.isSuperset(of: writer.accepted))
                _ = try await eventually("the frames of \(stored.count) posts", within: .seconds(60)) {
                    atBob.posts.count >= stored.count ? true : nil
                }
                // A last one shows that nothing comes a second time later on.
                let last = try await servers.rest.post("last", by: ann)
                try await atBob.wait(for: last)
                #expect(Set(atBob.posts) == stored.union([last]))
                #expect(atBob.posts.count == stored.count + 1)
                #expect(atBob.isInOrder)
            }
        }
    }

    @Test("WebSocketServer: a new one takes over the clients that come back, and what waited in the posts queue")
    func webSocketServer() async throws {
        try await PostgresServer.shared.withDatabase { database in
            let parts = Servers.distributed(database: database, broker: try RabbitMQServer.url())
            let queues = RabbitMQQueues(try configuration(of: parts))
            try await Servers(.distributed, environment: parts).run { servers in
                let rest = servers.rest
                let (ann, bob) = (try await rest.register("ann"), try await rest.register("bob"))
                try await rest.follow(ann, by: bob)
                try await servers.listening(bob) { atBob in
                    try await atBob.wait(for: try await rest.post("before", by: ann))
                    try await servers.crash(.live)
                    #expect(try await atBob.closeCode() == nil)
                }
                for number in 1...5 { _ = try await rest.post("meanwhile \(number)", by: ann) }
                // How many messages depends on how many posts the relay found at once.
                _ = try await eventually("the posts wait to be handed on") {
                    try await queues.waitingForHandOver() ?? 0 > 0 ? true : nil
                }
                try await servers.start(.live)
                try await servers.live.wait(for: .ready)
                try await servers.listening(bob) { atBob in
                    let after = try await rest.post("after", by: ann)
                    try await atBob.wait(for: after)
                    #expect(atBob.posts == [after])
                }
                _ = try await eventually("the posts queue is drained") {
                    try await queues.waitingForHandOver() == 0 ? true : nil
                }
                #expect(try await queues.deadLetters() == 0)
            }
            try await queues.deleteAll()
        }
    }

    private func configuration(of parts: [String: String]) throws -> RabbitMQConfiguration {
        var configuration = try RabbitMQConfiguration(url: try #require(parts["RABBITMQ_URL"]))
        configuration.exchangePrefix = try #require(parts["RABBITMQ_EXCHANGE_PREFIX"])
        configuration.postsQueue = try #require(parts["POSTS_QUEUE"])
        return configuration
    }
}
