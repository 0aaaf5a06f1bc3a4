import Foundation
import LiveClient
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// The two ways to run Martlet.
enum Topology: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case allInOne = "all-in-one"
    case distributed

    var testDescription: String { rawValue }

    /// Runs `body` with servers of its own, on free ports and fresh data.
    func withServers(_ body: @Sendable (Servers) async throws -> Void) async throws {
        switch self {
        case .allInOne:
            try await withTemporaryFolder { folder in
                let parts = Servers.ports.merging(["DATA_DIR": folder]) { $1 }
                try await Servers(.allInOne, environment: parts).run(body)
            }
        case .distributed:
            try await PostgresServer.shared.withDatabase { url in
                let parts = Servers.distributed(database: url, broker: try RabbitMQServer.url())
                try await Servers(.distributed, environment: parts).run(body)
            }
        }
    }
}

/// The processes of one topology.
final class Servers: Sendable {
    static let ports = ["SERVER_ADDRESS": "127.0.0.1", "SERVER_PORT": "0", "WEBSOCKET_PORT": "0"]

    /// Names of their own on the broker, and a key that is new for each run.
    static func distributed(database: String, broker: String) -> [String: String] {
        let name = "test-\(UUID().uuidString)"
        let parts = [
            "PG_DATABASE_URL": database, "RABBITMQ_URL": broker, "RABBITMQ_EXCHANGE_PREFIX": name,
            "POSTS_QUEUE": "\(name).posts", "JWT_SECRET_KEY": UUID().uuidString + UUID().uuidString,
        ]
        return ports.merging(parts) { $1 }
    }

    /// What runs as a process; the all-in-one is both in one.
    enum Part: Sendable {
        case rest
        case live
    }

    private struct Running {
        var processes: [Part: ServerProcess] = [:]
        var restPort = 0
        var livePort = 0
    }

    private let topology: Topology
    let environment: [String: String]
    private let running = Mutex(Running())

    init(_ topology: Topology, environment: [String: String]) {
        self.topology = topology
        self.environment = environment
    }

    var rest: RestClient { RestClient(port: running.withLock { $0.restPort }) }
    /// For what the live feed's port answers to plain HTTP.
    var live: RestClient { RestClient(port: running.withLock { $0.livePort }) }
    var liveURL: String { "ws://127.0.0.1:\(live.port)/v1/live" }

    /// Runs `body` between start and clean end; after a failure nothing is left of them either.
    func run(_ body: @Sendable (Servers) async throws -> Void) async throws {
        do {
            try await start()
            try await body(self)
            _ = try await stop()
        } catch {
            for process in processes { try? await process.kill() }  // The failure before is the one to tell of.
            throw error
        }
    }

    func start() async throws {
        try await start(.rest)  // It migrates first.
        if topology == .distributed { try await start(.live) }
    }

    func start(_ part: Part) async throws {
        let process =
            switch (topology, part) {
            case (.allInOne, _): try ServerProcess("martlet", ["serve"], environment: environment)
            case (.distributed, .rest): try ServerProcess("RestServer", environment: environment)
            case (.distributed, .live): try ServerProcess("WebSocketServer", environment: environment)
            }
        running.withLock { $0.processes[part] = process }
        if part == .rest {
            let port = try await process.port(after: "REST server listens")
            running.withLock { $0.restPort = port }
        }
        if part == .live || topology == .allInOne {
            let port = try await process.port(after: "Live feed listens")
            running.withLock { $0.livePort = port }
        }
    }

    /// Kills a process in the middle of what it does.
    func crash(_ part: Part) async throws {
        try await running.withLock { $0.processes.removeValue(forKey: part) }?.kill()
    }

    private var processes: [ServerProcess] {
        running.withLock { running in [.rest, .live].compactMap { running.processes[$0] } }
    }

    /// Ends every process with SIGTERM; gives the exit statuses that occurred.
    func stop() async throws -> Set<Int32> {
        var statuses: Set<Int32> = []
        for process in processes { statuses.insert(try await process.stop()) }
        return statuses
    }

    func restart() async throws -> Set<Int32> {
        let statuses = try await stop()
        try await start()
        return statuses
    }

    /// Runs `body` while `account` listens.
    func listening(_ account: RestClient.Account, _ body: @Sendable (Feed) async throws -> Void) async throws {
        let feed = Feed()
        let client = try await WebSocketClient.connect(
            liveURL,
            headers: ["Authorization": "Bearer \(account.token)"]
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await feed.read(client) }
            defer { client.drop() }  // It ends the reader too.
            _ = try await eventually("\(account.name) is ready") { feed.isReady ? true : nil }
            try await body(feed)
        }
    }
}

/// What one listener has seen so far.
final class Feed: Sendable {
    private struct Seen {
        var isReady = false
        var frames: [(position: Int64, post: String)] = []
        var closeCode: UInt16??
    }

    private struct Frame: Decodable {
        struct Post: Decodable {
            let id: String
        }

        let type: String
        let position: String?
        let post: Post?
    }

    private let seen = Mutex(Seen())

    var isReady: Bool { seen.withLock { $0.isReady } }

    /// The ids of `post.created` frames in the order they came.
    var posts: [String] { seen.withLock { $0.frames.map(\.post) } }

    /// Whether every frame's position was above that of the frame before: in order, and none twice.
    var isInOrder: Bool {
        seen.withLock { seen in
            zip(seen.frames, seen.frames.dropFirst()).allSatisfy { $0.position < $1.position }
        }
    }

    /// Reads until the connection ends.
    func read(_ client: WebSocketClient) async throws {
        do {
            while true { try take(try await client.nextText(within: .seconds(300))) }
        } catch WebSocketClient.Failure.closed(let code) {
            seen.withLock { $0.closeCode = .some(code) }
        }
    }

    private func take(_ text: String) throws {
        let frame = try JSONDecoder().decode(Frame.self, from: Data(text.utf8))
        seen.withLock { seen in
            if frame.type == "ready" { seen.isReady = true }
            if frame.type == "post.created", let post = frame.post, let position = frame.position.flatMap(Int64.init) {
                seen.frames.append((position, post.id))
            }
        }
    }

    func wait(for post: String, within limit: Duration = .seconds(20)) async throws {
        _ = try await eventually("a frame with post \(post)", within: limit) { posts.contains(post) ? true : nil }
    }

    func closeCode() async throws -> UInt16? {
        try await eventually("the server closes") { seen.withLock { $0.closeCode } }
    }
}
