import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A client of the live feed for the command line and for tests, on NIO's own WebSocket codec: it shares no code with
/// the server it talks to.
package struct LiveClient: Sendable {
    private let url: URL
    private let host: String
    private let token: String

    /// - Parameter url: `ws://host:port/v1/live`.
    /// - Throws: ``LiveClientError/badURL(_:)``.
    package init(url text: String, token: String) throws(LiveClientError) {
        guard let url = URL(string: text), url.scheme == "ws", let host = url.host() else { throw .badURL(text) }
        self.url = url
        self.host = host
        self.token = token
    }

    /// Connects and calls `onFrame` with the text of every frame until the server closes or the task is cancelled.
    /// Gives the server's close code, or `nil` if the connection just ended.
    ///
    /// - Throws: ``LiveClientError/refused`` if the server does not upgrade; what the network says.
    @discardableResult
    package func listen(_ onFrame: @Sendable (String) async throws -> Void) async throws -> Int? {
        let upgrade = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: url.port ?? 80) { channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
        switch try await upgrade.get() {
        case .refused: throw LiveClientError.refused
        case .upgraded(let channel): return try await read(channel, onFrame)
        }
    }

    private typealias Socket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    private enum Outcome: Sendable {
        case upgraded(Socket)
        case refused
    }

    private func prepare(_ channel: any Channel) throws -> EventLoopFuture<Outcome> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Outcome>(maxFrameSize: Self.maximumFrameBytes) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                .upgraded(try Socket(wrappingChannelSynchronously: channel))
            }
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.path())
        head.headers.add(name: "Host", value: host)
        head.headers.add(name: "Authorization", value: "Bearer \(token)")
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(upgradeRequestHead: head, upgraders: [upgrader]) {
            channel in
            channel.eventLoop.makeSucceededFuture(.refused)
        }
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: .init(upgradeConfiguration: configuration)
        )
    }

    private func read(_ channel: Socket, _ onFrame: @Sendable (String) async throws -> Void) async throws -> Int? {
        try await channel.executeThenClose { inbound, outbound in
            var message = ""
            for try await frame in inbound {
                switch frame.opcode {
                case .text, .continuation:
                    message += String(buffer: frame.unmaskedData)
                    guard frame.fin else { continue }
                    try await onFrame(message)
                    message = ""
                case .ping: try await outbound.write(Self.frame(.pong, frame.unmaskedData))
                case .connectionClose:
                    var data = frame.unmaskedData
                    let code = data.readInteger(as: UInt16.self).map(Int.init)
                    try await outbound.write(Self.frame(.connectionClose, frame.unmaskedData))
                    return code
                default: continue
                }
            }
            return nil
        }
    }

    private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
    }

    /// A post of 500 characters is 16 KB at its worst.
    private static let maximumFrameBytes = 1 << 20
}

package enum LiveClientError: Error, Hashable, Sendable, CustomStringConvertible {
    case badURL(String)
    case refused

    package var description: String {
        switch self {
        case .badURL(let text): "\(text) is no ws:// address."
        case .refused: "The server did not open the live feed; is the token still good?"
        }
    }
}
