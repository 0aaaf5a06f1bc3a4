/// One client of the live feed.
struct LiveConnection {
    let socket: Socket
    private var frames = Frames()

    /// Connects and waits until the server has said `ready`.
    init(port: UInt16, token: String) throws {
        socket = try Socket.connect(port: port)
        socket.setTimeout(seconds: 30)
        let request = """
            GET /v1/live HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Authorization: Bearer \(token)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            \r\n
            """
        try socket.send(Array(request.utf8))
        var received: [UInt8] = []
        let head = try HTTPResponse.receiveHead(from: socket, into: &received)
        guard head.status == 101 else {
            throw LoadError.protocolBroken("the live feed answered \(head.status) to the upgrade")
        }
        received.removeFirst(head.count)
        while try !isReady(received) {
            received = []
            try socket.receive(into: &received)
        }
    }

    private mutating func isReady(_ bytes: [UInt8]) throws -> Bool {
        var isReady = false
        try bytes.withUnsafeBytes { bytes in
            try frames.feed(bytes) { kind, payload in
                let text = String(decoding: payload, as: UTF8.self)
                if kind == .close { throw LoadError.protocolBroken("closed before ready: \(text)") }
                if kind == .text, text.contains(#""type":"ready""#) { isReady = true }
            }
        }
        return isReady
    }

    /// Handles what came: answers pings, gives texts.
    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        text: (UnsafeRawBufferPointer) -> Void
    ) throws {
        let socket = socket
        try frames.feed(bytes) { kind, payload in
            switch kind {
            case .text: text(payload)
            case .ping: try socket.send(Frames.pong(payload))
            case .close: throw LoadError.protocolBroken("the server sent a close frame")
            case .other: break
            }
        }
    }
}

enum HTTPResponse {
    struct Head {
        let status: Int
        let contentLength: Int
        /// How many bytes it takes.
        let count: Int
    }

    /// Reads until a whole head is in `buffer`.
    static func receiveHead(from socket: Socket, into buffer: inout [UInt8]) throws(LoadError) -> Head {
        while true {
            if let head = head(of: buffer) { return head }
            try socket.receive(into: &buffer)
        }
    }

    private static func head(of bytes: [UInt8]) -> Head? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let lines = text[..<end.lowerBound].lowercased().split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let field = "content-length: "
        let length = lines.first { $0.hasPrefix(field) }.flatMap { Int($0.dropFirst(field.count)) } ?? 0
        return Head(status: status, contentLength: length, count: text.utf8.distance(to: end.upperBound))
    }
}

extension String.UTF8View {
    fileprivate func distance(to index: Index) -> Int { distance(from: startIndex, to: index) }
}
