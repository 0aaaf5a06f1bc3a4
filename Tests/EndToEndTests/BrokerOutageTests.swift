import TestSupport
import Testing

@Suite("A RabbitMQ outage")
struct BrokerOutageTests {
    /// The REST server is killed too while nothing can be published, so that what is committed and not published is
    /// surely left to its successor.
    @Test("posts written meanwhile are accepted, and their frames come in order once it is back, each once")
    func brokerOutage() async throws {
        try await PrivateService.with(.rabbitMQ) { broker in
            try await PostgresServer.shared.withDatabase { database in
                let parts = Servers.distributed(database: database, broker: broker.url)
                try await Servers(.distributed, environment: parts).run { servers in
                    try await broker.hasOnDisk(quorumQueue: try #require(parts["POSTS_QUEUE"]))
                    let (ann, bob) = (try await servers.rest.register("ann"), try await servers.rest.register("bob"))
                    try await servers.rest.follow(ann, by: bob)
                    try await servers.listening(bob) { atBob in
                        let writer = Writer()
                        try await writer.write(to: servers.rest, by: ann) {
                            _ = try await eventually("posts") { writer.accepted.count >= 20 ? true : nil }
                            try await broker.crash()
                            for server in [servers.rest, servers.live] {
                                try await server.wait(for: .without("broker"))
                            }
                            let count = writer.accepted.count
                            _ = try await eventually("posts in the outage") {
                                writer.accepted.count >= count + 20 ? true : nil
                            }
                        }
                        let unpublished = try #require(writer.accepted.last)
                        #expect(!atBob.posts.contains(unpublished))
                        try await servers.crash(.rest)
                        try await servers.start(.rest)
                        try await servers.rest.wait(for: .without("broker"))
                        try await writer.post(to: servers.rest, by: ann)

                        try await broker.start()
                        for server in [servers.rest, servers.live] { try await server.wait(for: .ready) }
                        try await writer.post(to: servers.rest, by: ann)
                        try await atBob.wait(for: try #require(writer.accepted.last), within: .seconds(60))
                        #expect(atBob.posts == writer.accepted)
                        #expect(atBob.isInOrder)
                    }
                }
            }
        }
    }
}

extension RestClient {
    func wait(for expected: Readiness) async throws {
        _ = try await eventually("/health/ready on port \(port) says \(expected)", within: .seconds(60)) {
            try await readiness() == expected ? true : nil
        }
    }
}
