import Application
import Domain
import NIOCore
import NIOHTTP1
import LiveClient
import Testing
import WebSocketServerKit

@Suite("The live feed")
struct LiveFeedTests {
    @Test("a follower gets one frame with the whole post, a stranger none")
    func audience() async throws {
        try await withLiveServer { server in
            let world = server.world
            world.follow(1, 9)
            let follower = try await server.connect(1)
            let stranger = try await server.connect(2)
            let event = world.post(by: 9, "Hello \"all\" 🐦", visibility: .followers)

            let frame = try await follower.nextFrame()
            #expect(frame.type == "post.created")
            #expect(frame.id == String(event.id))
            #expect(frame.position == String(event.position.rawValue))
            #expect(frame.at == "2027-01-15T08:00:00.000Z")
            #expect(frame.post?.id == event.post?.post.id.description)
            #expect(frame.post?.text == "Hello \"all\" 🐦")
            #expect(frame.post?.visibility == "followers")

            // What a stranger gets next is a later post of their own, and so is what the follower gets: each frame once.
            world.post(by: 2, "my own")
            world.post(by: 1, "mine")
            #expect(try await stranger.nextFrame().post?.text == "my own")
            #expect(try await follower.nextFrame().post?.text == "mine")
        }
    }

    @Test("an author gets their own posts on all their connections")
    func author() async throws {
        try await withLiveServer { server in
            let phone = try await server.connect(1, session: 1)
            let laptop = try await server.connect(1, session: 2)
            server.world.post(by: 1, "mine")
            #expect(try await phone.nextFrame().post?.text == "mine")
            #expect(try await laptop.nextFrame().post?.text == "mine")
        }
    }

    @Test("a follow counts from its place in the order, and so does an unfollow")
    func followChanges() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            world.post(by: 9, "too early")
            world.follow(1, 9)
            world.post(by: 9, "heard")
            world.unfollow(1, 9)
            world.post(by: 9, "too late")
            world.post(by: 1, "mine")
            #expect(try await client.nextFrame().post?.text == "heard")
            #expect(try await client.nextFrame().post?.text == "mine")
        }
    }

    @Test("a deleted post is told to the same audience, by its id alone")
    func deletion() async throws {
        try await withLiveServer { server in
            let world = server.world
            world.follow(1, 9)
            let client = try await server.connect(1)
            world.record(.postDeleted(PostID(rawValue: 77), by: UserID(rawValue: 9)))
            let frame = try await client.nextFrame()
            #expect(frame.type == "post.deleted")
            #expect(frame.post?.id == "77")
            #expect(frame.post?.text == nil)
        }
    }

    @Test("an event that the bus lost is fetched from the log, in its place")
    func hole() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            world.post(by: 1, "one")
            world.post(by: 1, "two", .lost)
            world.post(by: 1, "three")
            for text in ["one", "two", "three"] {
                #expect(try await client.nextFrame().post?.text == text)
            }
        }
    }

    @Test("a lost tail shows by the announced head, and by a new subscription")
    func lostTail() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            let first = world.post(by: 1, "one", .lost)
            world.send(.head(first.position))
            #expect(try await client.nextFrame().post?.text == "one")
            world.post(by: 1, "two", .lost)
            world.send(.subscribed)
            #expect(try await client.nextFrame().post?.text == "two")
        }
    }

    @Test("an event that comes twice is told once")
    func duplicates() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            let first = world.post(by: 1, "one")
            world.send(.event(first))
            world.post(by: 1, "two")
            world.send(.event(first))
            world.post(by: 1, "three")
            for text in ["one", "two", "three"] {
                #expect(try await client.nextFrame().post?.text == text)
            }
        }
    }

    @Test("a database that is out when a hole must be filled delays the frames and loses none")
    func databaseOutDuringFetch() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            world.failReads(2)
            world.post(by: 1, "one", .lost)
            world.post(by: 1, "two")
            #expect(try await client.nextFrame().post?.text == "one")
            #expect(try await client.nextFrame().post?.text == "two")
            #expect(world.failuresLeft == 0)
        }
    }

    @Test("when the log no longer holds what was lost, clients are sent back to catch up")
    func lostForGood() async throws {
        try await withLiveServer { server in
            let world = server.world
            let client = try await server.connect(1)
            world.post(by: 1, "gone", .lost)
            world.pruneLog()
            world.post(by: 1, "two")
            #expect(try await client.closeCode() == 4200)
        }
    }

    @Test("a session that is revoked loses its sockets with 4003, another session of the user keeps them")
    func revocation() async throws {
        try await withLiveServer { server in
            let world = server.world
            let phone = try await server.connect(1, session: 1)
            let laptop = try await server.connect(1, session: 2)
            world.record(.sessionRevoked(SessionID(rawValue: 1001), of: UserID(rawValue: 1)))
            world.post(by: 1, "mine")
            #expect(try await phone.nextFrame().error == "session_revoked")
            #expect(try await phone.closeCode() == 4003)
            #expect(try await laptop.nextFrame().post?.text == "mine")
        }
    }

    @Test("a deleted user loses all sockets with 4003")
    func deletedUser() async throws {
        try await withLiveServer { server in
            let phone = try await server.connect(1, session: 1)
            let laptop = try await server.connect(1, session: 2)
            server.world.record(.userDeleted(UserID(rawValue: 1)))
            #expect(try await phone.closeCode() == 4003)
            #expect(try await laptop.closeCode() == 4003)
        }
    }

    @Test("a token that expires closes with 4001, unless a new auth frame came before")
    func expiry() async throws {
        try await withLiveServer { server in
            let world = server.world
            let extended = try await server.open(token: world.token(2, expiresIn: .seconds(2)))
            #expect(try await extended.nextFrame().type == "ready")
            try await extended.send(#"{"type":"auth","token":"\#(world.token(2))"}"#)
            // Begins later and lasts as long, so when it ends the first token of the other has lapsed as well.
            let lapsing = try await server.open(token: world.token(1, expiresIn: .seconds(2)))
            #expect(try await lapsing.closeCode() == 4001)
            world.post(by: 2, "still here")
            #expect(try await extended.nextFrame().post?.text == "still here")
        }
    }

    @Test("a connection cannot change its user")
    func otherUser() async throws {
        try await withLiveServer { server in
            let client = try await server.connect(1)
            try await client.send(#"{"type":"auth","token":"\#(server.world.token(2))"}"#)
            #expect(try await client.nextFrame().error == "other_user")
            #expect(try await client.closeCode() == 4000)
        }
    }

    @Test("who answers pings stays, who does not is closed with 4201")
    func heartbeat() async throws {
        try await withLiveServer(World()) {
            $0.pingInterval = .milliseconds(100)
            $0.pongTimeout = .milliseconds(200)
        } _: { server in
            let world = server.world
            let alive = try await server.connect(1)
            let silent = try await WebSocketClient.connect(
                server.url,
                headers: ["Authorization": "Bearer \(world.token(2))"],
                answersPings: false
            )
            #expect(try await silent.closeCode() == 4201)
            world.post(by: 1, "mine")
            #expect(try await alive.nextFrame().post?.text == "mine")
        }
    }

    @Test("a long hole that is filled at once reaches a client that reads, whole and in order")
    func longHole() async throws {
        try await withLiveServer { server in
            let world = server.world
            world.follow(1, 9)
            let client = try await server.connect(1)
            // More than the sockets' own buffers take.
            let count = 1200
            let text = String(repeating: "x", count: 16_000)
            for number in 1..<count { world.post(by: 9, "\(number) \(text)", .lost) }
            world.post(by: 9, "\(count) \(text)")
            for number in 1...count {
                #expect(try await client.nextFrame().post?.text == "\(number) \(text)")
            }
        }
    }

    @Test("a client that does not read is given up, and the others are not held up")
    func slowClient() async throws {
        try await withLiveServer(World()) {
            $0.maximumOutboundBytes = 16 * 1024
            $0.closeTimeout = .milliseconds(100)
        } _: { server in
            let world = server.world
            let slow = try await server.connect(1)
            let quick = try await server.connect(2)
            for follower in [1, 2] as [Int64] { world.follow(follower, 9) }
            try await slow.stopReading()
            // Far more than the two sockets' own buffers take.
            let text = String(repeating: "x", count: 16_000)
            for _ in 0..<1000 {
                world.post(by: 9, text)
                #expect(try await quick.nextFrame().post?.text == text)
            }
            world.post(by: 2, "end")
            #expect(try await quick.nextFrame().post?.text == "end")
            try await slow.resumeReading()
            // The close frame may be behind more than the client is given time for; the end of the connection is what
            // counts.
            let code = try await slow.closeCode()
            #expect(code == nil || code == 4202)
        }
    }
}
