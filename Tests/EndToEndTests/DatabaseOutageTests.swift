import TestSupport
import Testing

@Suite("A PostgreSQL outage")
struct DatabaseOutageTests {
    @Test("requests get 503 with Retry-After meanwhile, and both servers go on by themselves after it, nothing lost")
    func databaseOutage() async throws {
        try await PrivateService.with(.postgres) { database in
            let parts = Servers.distributed(database: database.url, broker: try RabbitMQServer.url())
            try await Servers(.distributed, environment: parts).run { servers in
                let rest = servers.rest
                let (ann, bob) = (try await rest.register("ann"), try await rest.register("bob"))
                try await rest.follow(ann, by: bob)
                try await servers.listening(bob) { atBob in
                    let writer = Writer()
                    try await writer.write(to: rest, by: ann, count: 2, mayBeUnavailable: true) {
                        _ = try await eventually("posts") { writer.accepted.count >= 20 ? true : nil }
                        try await database.crash()
                        _ = try await eventually("503 to a post") { writer.unavailable > 0 ? true : nil }
                        let me = try await rest.send("GET", "/v1/users/me", by: ann)
                        #expect(me.isUnavailable(retryAfter: "5"))
                        for server in [rest, servers.live] { try await server.wait(for: .without("database")) }

                        try await database.start()
                        for server in [rest, servers.live] { try await server.wait(for: .ready) }
                        let count = writer.accepted.count
                        _ = try await eventually("posts after the outage", within: .seconds(60)) {
                            writer.accepted.count >= count + 20 ? true : nil
                        }
                    }
                    let stored = try await rest.posts(of: ann)
                    #expect(stored.isSuperset(of: writer.accepted))
                    // A post that was answered 503 may be stored all the same; then it has its frame too.
                    _ = try await eventually("the frames of \(stored.count) posts", within: .seconds(60)) {
                        atBob.posts.count >= stored.count ? true : nil
                    }
                    #expect(Set(atBob.posts) == stored)
                    #expect(atBob.isInOrder)
                }
                #expect(try await servers.stop() == [0])
            }
        }
    }
}
