import Foundation
import LiveClient
import Synchronization
import TestSupport
import Testing

/// The main job in both topologies, with real processes and, apart from the all-in-one, real PostgreSQL and RabbitMQ.
@Suite("Post here, see it there", .serialized)
struct LiveFeedTests {
    @Test("one frame at the follower, none at a stranger, none after unfollow", arguments: Topology.allCases)
    func audience(topology: Topology) async throws {
        try await topology.withServers { servers in
            let rest = servers.rest
            let (ann, bob, cid) = (
                try await rest.register("ann"), try await rest.register("bob"), try await rest.register("cid")
            )
            try await rest.follow(ann, by: bob)
            try await servers.listening(bob) { atBob in
                try await servers.listening(cid) { atCid in
                    let first = try await rest.post("first", by: ann)
                    try await atBob.wait(for: first)
                    try await rest.unfollow(ann, by: bob)
                    _ = try await rest.post("second", by: ann)
                    // Frames come in order, so what a follower sees last proves what came before.
                    try await rest.follow(ann, by: bob)
                    let third = try await rest.post("third", by: ann)
                    try await atBob.wait(for: third)
                    try await rest.follow(ann, by: cid)
                    let fourth = try await rest.post("fourth", by: ann)
                    try await atCid.wait(for: fourth)
                    try await atBob.wait(for: fourth)
                    #expect(atBob.posts == [first, third, fourth])
                    #expect(atCid.posts == [fourth])
                }
            }
        }
    }

    @Test(
        "a server that is told to end does so cleanly, and its data is there after a restart",
        arguments: Topology.allCases)
    func restart(topology: Topology) async throws {
        try await topology.withServers { servers in
            let rest = servers.rest
            let ann = try await rest.register("ann")
            let post = try await rest.post("kept", by: ann)
            #expect(try await servers.restart() == [0])
            let answer = try await servers.rest.send("GET", "/v1/posts/\(post)", by: ann)
            #expect(try answer.expecting(200).string("text") == "kept")
        }
    }

    @Test("a logout closes the live feed of its session", arguments: Topology.allCases)
    func logout(topology: Topology) async throws {
        try await topology.withServers { servers in
            let ann = try await servers.rest.register("ann")
            try await servers.listening(ann) { feed in
                _ = try await servers.rest.send("POST", "/v1/auth/logout", by: ann).expecting(204)
                #expect(try await feed.closeCode() == 4003)
            }
            #expect(try await servers.rest.send("GET", "/v1/users/me", by: ann).status == 401)
        }
    }
}
