import Application
import Domain
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import LiveClient
import Testing
import WebSocketServerKit

/// A live server on a free port, for as long as `body` runs; it is then cancelled and must end.
func withLiveServer(
    _ world: World = World(),
    _ configure: (inout LiveServerConfiguration) -> Void = { _ in },
    dependencies: [Dependency]? = nil,
    _ body: @Sendable (RunningServer) async throws -> Void
) async throws {
    var configuration = LiveServerConfiguration(port: 0)
    configuration.tickInterval = .milliseconds(20)
    // What is not about lateness must not fail for it on a busy machine.
    configuration.healthCheckTimeout = .seconds(10)
    configure(&configuration)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = LiveServer(
        configuration: configuration,
        authenticator: Authenticator(tokens: Tokens(), sessions: world, clock: world.clock),
        follows: world,
        events: world,
        bus: world,
        clock: world.clock,
        dependencies: dependencies ?? [
            Dependency(name: "database") {},
            Dependency(name: "broker") { try await world.checkHealth() },
        ],
        logger: logger
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let port = try #require(await server.boundPort)
        try await eventually { world.hasSubscriber }
        try await body(RunningServer(world: world, port: port))
        group.cancelAll()
    }
}

/// Waits until `condition` holds.
func eventually(within timeout: Duration = .seconds(10), _ condition: @Sendable () -> Bool) async throws {
    let deadline = ContinuousClock.now + timeout
    while !condition() {
        try #require(ContinuousClock.now < deadline, "the condition did not come true in time")
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct RunningServer: Sendable {
    let world: World
    let port: Int

    var url: String { "ws://127.0.0.1:\(port)/v1/live" }

    /// Connects with a header and takes the `ready` frame.
    func connect(_ user: Int64, session: Int64 = 1) async throws -> WebSocketClient {
        let client = try await open(token: world.token(user, session: session))
        let ready = try await client.nextFrame()
        #expect(ready.type == "ready")
        return client
    }

    func open(token: String? = nil, query: String = "", headers: HTTPHeaders = [:]) async throws -> WebSocketClient {
        var headers = headers
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        return try await WebSocketClient.connect(url + query, headers: headers)
    }

    /// The answer to a handshake that must be refused.
    func refusal(
        token: String? = nil, query: String = "", headers: HTTPHeaders = [:]
    ) async throws -> WebSocketClient.Refusal {
        do {
            let client = try await open(token: token, query: query, headers: headers)
            client.drop()
        } catch let refusal as WebSocketClient.Refusal {
            return refusal
        }
        Issue.record("the handshake was not refused")
        throw WebSocketClient.Failure.timedOut
    }
}

/// A frame of the live feed as a client reads it.
struct ReceivedFrame: Decodable {
    let type: String
    let id: String?
    let position: String?
    let at: String?
    let recovered: Bool?
    let replayed: Int?
    let catchUp: String?
    let error: String?
    let post: ReceivedPost?
}

struct ReceivedPost: Decodable {
    let id: String
    let text: String?
    let visibility: String?
}

extension WebSocketClient {
    func nextFrame(within timeout: Duration = .seconds(10)) async throws -> ReceivedFrame {
        let text = try await nextText(within: timeout)
        return try JSONDecoder().decode(ReceivedFrame.self, from: Data(text.utf8))
    }
}
