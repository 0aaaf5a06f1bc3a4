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
                try await running(
                    Servers(.allInOne, environment: Servers.ports.merging(["DATA_DIR": folder]) { $1 }), body)
            }
        case .distributed:
            try await PostgresServer.shared.withDatabase { url in
                let parts = Servers.distributed(database: url, broker: try RabbitMQServer.url())
                try await running(Servers(.distributed, environment: parts), body)
            }
        }
    }

    private func running(_ servers: Servers, _ body: @Sendable (Servers) async throws -> Void) async throws {
        try await servers.start()
        do {
            try await body(servers)
        } catch {
            _ = try await servers.stop()
            throw error
        }
        _ = try await servers.stop()
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

    private struct Running {
        var processes: [ServerProcess] = []
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
    var liveURL: String { "ws://127.0.0.1:\(running.withLock { $0.livePort })/v1/live" }
    var processes: [ServerProcess] { running.withLock { $0.processes } }

    func start() async throws {
        switch topology {
        case .allInOne:
            let server = try ServerProcess("martlet", ["serve"], environment: environment)
            running.withLock { $0.processes = [server] }
            try await findPorts(rest: server, live: server)
        case .distributed:
            let rest = try ServerProcess("RestServer", environment: environment)
            running.withLock { $0.processes = [rest] }
            _ = try await rest.port(after: Self.restListens)  // It migrates first.
            let live = try ServerProcess("WebSocketServer", environment: environment)
            running.withLock { $0.processes = [rest, live] }
            try await findPorts(rest: rest, live: live)
        }
    }

    private func findPorts(rest: ServerProcess, live: ServerProcess) async throws {
        let restPort = try await rest.port(after: Self.restListens)
        let livePort = try await live.port(after: "Live feed listens")
        running.withLock { running in
            running.restPort = restPort
            running.livePort = livePort
        }
    }

    private static let restListens = "REST server listens"

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
        var posts: [String] = []
        var closeCode: UInt16??
    }

    private struct Frame: Decodable {
        struct Post: Decodable {
            let id: String
        }

        let type: String
        let post: Post?
    }

    private let seen = Mutex(Seen())

    var isReady: Bool { seen.withLock { $0.isReady } }

    /// The ids of `post.created` frames in the order they came.
    var posts: [String] { seen.withLock { $0.posts } }

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
            if frame.type == "post.created", let post = frame.post { seen.posts.append(post.id) }
        }
    }

    func wait(for post: String) async throws {
        _ = try await eventually("a frame with post \(post)") { posts.contains(post) ? true : nil }
    }

    func closeCode() async throws -> UInt16? {
        try await eventually("the server closes") { seen.withLock { $0.closeCode } }
    }
}
