import Application
import Domain
import Logging
import NIOCore
import NIOPosix
import Synchronization
import WebSocketServerKit

#if canImport(Glibc)
    import Glibc
#endif

// Memory per idle connection and CPU per delivery of the live server alone, its ports in memory:
//   LiveBench server CONNECTIONS FOLLOWERS FOLLOWEES POSTS RATE
//   LiveBench client PORT CONNECTIONS
// The server prints its port, waits for the clients, measures, and stops.

let author = UserID(rawValue: 1 << 40)

final class Ports: EventBus, EventLog, FollowStore, SessionStore, TokenCoder, WallClock {
    let followers: Int64
    let followeesEach: Int64
    let loads = Atomic<Int>(0)
    let messages: AsyncStream<BusMessage>
    let continuation: AsyncStream<BusMessage>.Continuation

    init(followers: Int, followeesEach: Int) {
        self.followers = Int64(followers)
        self.followeesEach = Int64(followeesEach)
        (messages, continuation) = AsyncStream.makeStream()
    }

    func publish(_ events: [RecordedEvent]) async throws { for event in events { continuation.yield(.event(event)) } }
    func announce(head: Position) async throws {}
    func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {
        for await message in messages { await handler(message) }
    }
    func checkHealth() async throws {}

    func withRelayLease(_ body: @escaping @Sendable () async throws -> Void) async throws {}
    func stamp(limit: Int) async throws -> [RecordedEvent] { [] }
    func events(after position: Position, limit: Int) async throws -> [RecordedEvent] { [] }
    func head() async throws -> Position { .start }
    func publishedPosition() async throws -> Position { .start }
    func markPublished(upTo position: Position) async throws {}
    func removePublished(before moment: Timestamp) async throws -> Int { 0 }

    func insert(_ follow: Follow) async throws {}
    func remove(follower: UserID, followee: UserID) async throws {}
    func followers(of user: UserID, page: PageRequest) async throws -> Page<Profile> { Page(items: [], next: nil) }
    func following(of user: UserID, page: PageRequest) async throws -> Page<Profile> { Page(items: [], next: nil) }
    func followees(of user: UserID) async throws -> [UserID] {
        loads.add(1, ordering: .relaxed)
        let others = (0..<followeesEach).map { UserID(rawValue: 1 + (user.rawValue * 7919 + $0 * 31) % 10_000) }
        return user.rawValue <= followers ? others + [author] : others
    }

    func insert(_ session: Session) async throws {}
    func session(_ id: SessionID) async throws -> Session? {
        Session(
            id: id, userID: UserID(rawValue: id.rawValue), createdAt: now(),
            expiresAt: now().advanced(by: .seconds(9999)))
    }
    func rotate(_ id: SessionID, from generation: Int64, expiresAt: Timestamp) async throws -> Bool { false }
    func revoke(_ id: SessionID, of user: UserID, at now: Timestamp) async throws {}
    func removeExpired(before moment: Timestamp) async throws -> Int { 0 }

    func accessToken(_ claims: AccessClaims) async throws -> String { "" }
    func refreshToken(_ session: SessionID, generation: Int64) -> String { "" }
    func readRefreshToken(_ token: String) -> (session: SessionID, generation: Int64)? { nil }
    func verifyAccessToken(_ token: String, at now: Timestamp) async throws -> AccessClaims {
        guard let user = Int64(token) else { throw TokenError.invalid }
        return AccessClaims(
            userID: UserID(rawValue: user), username: Username(stored: "u\(user)"), role: .user,
            sessionID: SessionID(rawValue: user), expiresAt: now.advanced(by: .seconds(9999)))
    }

    func now() -> Timestamp { Timestamp(millisecondsSinceEpoch: Int64(time(nil)) * 1000) }
}

func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}

func cpuMicroseconds() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
        + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

func serve(connections: Int, followers: Int, followeesEach: Int, posts: Int, rate: Int) async throws {
    let ports = Ports(followers: followers, followeesEach: followeesEach)
    let server = LiveServer(
        configuration: LiveServerConfiguration(port: 0),
        authenticator: Authenticator(tokens: ports, sessions: ports, clock: ports),
        follows: ports, events: ports, bus: ports, clock: ports, dependencies: [], logger: Logger(label: "bench"))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let port = await server.boundPort ?? 0
        let before = residentBytes()
        print("port \(port)")
        fflush(nil)
        while ports.loads.load(ordering: .relaxed) < connections { try await Task.sleep(for: .milliseconds(50)) }
        try await Task.sleep(for: .seconds(3))
        let after = residentBytes()
        print("idle: \((after - before) / connections) bytes a connection (\(before >> 20) -> \(after >> 20) MiB)")
        let idleCPU = cpuMicroseconds()
        try await Task.sleep(for: .seconds(10))
        print("idle: \((cpuMicroseconds() - idleCPU) / 10) us CPU a second")

        let text = PostText(stored: String(repeating: "Martlets never land. ", count: 7))
        let summary = UserSummary(
            id: author, username: Username(stored: "author"), displayName: DisplayName(stored: "Author"))
        func event(_ index: Int) -> RecordedEvent {
            let id = PostID(rawValue: Int64(index) + 1 << 42)
            let post = Post(id: id, authorID: author, text: text, createdAt: ports.now())
            return RecordedEvent(
                id: Int64(index), position: Position(rawValue: Int64(index)), recordedAt: ports.now(),
                event: .postCreated(id, by: author), post: PostView(post: post, author: summary))
        }
        var start = cpuMicroseconds()
        let clock = ContinuousClock()
        let began = clock.now
        for index in 1...posts {
            try await ports.publish([event(index)])
            try await clock.sleep(until: began + .microseconds(index * 1_000_000 / rate), tolerance: .zero)
        }
        try await Task.sleep(for: .seconds(1))
        let paced = Double(cpuMicroseconds() - start) / Double(posts * followers)
        print("paced at \(rate)/s: \(paced) us CPU a delivery")
        start = cpuMicroseconds()
        for batch in stride(from: posts + 1, to: 2 * posts + 1, by: 50) {
            try await ports.publish((batch..<batch + 50).map { event($0) })
            try await Task.sleep(for: .milliseconds(500))
        }
        try await Task.sleep(for: .seconds(1))
        let burst = Double(cpuMicroseconds() - start) / Double(posts * followers)
        print("bursts of 50: \(burst) us CPU a delivery")
        group.cancelAll()
    }
}

final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    static let bytes = Atomic<Int>(0)
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        Self.bytes.add(unwrapInboundIn(data).readableBytes, ordering: .relaxed)
    }
}

func connect(port: Int, connections: Int) async throws {
    OpenFiles.raiseLimit()
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Reader()) }
        }
    var channels: [any Channel] = []
    for user in 1...connections {
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
        let request =
            "GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer \(user)\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: request))
        channels.append(channel)
    }
    for channel in channels { try await channel.closeFuture.get() }
    print("received \(Reader.bytes.load(ordering: .relaxed)) bytes")
}

let arguments = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
if CommandLine.arguments.dropFirst().first == "client", arguments.count == 2 {
    try await connect(port: arguments[0], connections: arguments[1])
} else if arguments.count == 5 {
    try await serve(
        connections: arguments[0], followers: arguments[1], followeesEach: arguments[2], posts: arguments[3],
        rate: arguments[4])
} else {
    print("LiveBench server CONNECTIONS FOLLOWERS FOLLOWEES POSTS RATE | LiveBench client PORT CONNECTIONS")
}
