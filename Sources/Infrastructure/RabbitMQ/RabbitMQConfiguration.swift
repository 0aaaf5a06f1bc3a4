/// Where the broker is and what our part of it is called.
package struct RabbitMQConfiguration: Hashable, Sendable {
    package var host: String
    package var port: Int
    package var user: String
    package var password: String
    package var virtualHost: String
    /// The hand-over queue; its dead letters go to `<postsQueue>.dead`.
    package var postsQueue: String
    /// The exchanges are `<exchangePrefix>.events` and `<exchangePrefix>.dead`.
    package var exchangePrefix: String
    /// At least 1 s, in whole seconds. A broker that stays silent for two of them counts as lost.
    package var heartbeat: Duration
    /// How long a publish may wait for the broker.
    package var publishDeadline: Duration

    /// - Parameters:
    ///   - heartbeat: 5 s, so that a lost broker is noticed in 10 s, within one publish deadline.
    ///   - publishDeadline: What the port `EventBus` promises.
    package init(
        host: String = "127.0.0.1",
        port: Int = 5672,
        user: String = "guest",
        password: String = "guest",
        virtualHost: String = "/",
        postsQueue: String = "posts",
        exchangePrefix: String = "martlet",
        heartbeat: Duration = .seconds(5),
        publishDeadline: Duration = .seconds(10)
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.postsQueue = postsQueue
        self.exchangePrefix = exchangePrefix
        self.heartbeat = heartbeat
        self.publishDeadline = publishDeadline
    }
}

extension RabbitMQConfiguration {
    /// Why a URL cannot be used. Never repeats a part of it: any may hold the password.
    package enum URLError: Error, Hashable, CustomStringConvertible {
        case schemeNotAMQP
        case encryptionUnsupported
        case invalidPort
        case invalidPercentEncoding
        case emptyHost

        package var description: String {
            switch self {
            case .schemeNotAMQP: "not a RabbitMQ URL; expected amqp://user:password@host:port/vhost"
            case .encryptionUnsupported: "amqps:// (TLS) is not supported; use amqp:// within a private network"
            case .invalidPort: "the port in the RabbitMQ URL is not a number from 1 to 65535"
            case .invalidPercentEncoding: "the RabbitMQ URL is not correctly percent-encoded; write % itself as %25"
            case .emptyHost: "the RabbitMQ URL names no host; expected amqp://user:password@host:port/vhost"
            }
        }
    }

    /// Reads `amqp://user:password@host:port/vhost`; every part but the scheme and the host may be left out, and then
    /// keeps its default. Parts are percent-encoded; `/%2F` and no path both name the virtual host `/`.
    ///
    /// Source: https://www.rabbitmq.com/docs/uri-spec, but for a bare trailing slash, which names `/` too.
    /// - Throws: ``URLError``, whose description is a sentence for the operator.
    package init(url: String) throws(URLError) {
        self.init()
        guard let schemeEnd = url.firstRange(of: "://") else { throw .schemeNotAMQP }
        switch url[..<schemeEnd.lowerBound].lowercased() {
        case "amqp": break
        case "amqps": throw .encryptionUnsupported
        default: throw .schemeNotAMQP
        }
        var rest = url[schemeEnd.upperBound...]
        rest = rest.prefix { $0 != "?" && $0 != "#" }

        if let slash = rest.firstIndex(of: "/") {
            let path = rest[rest.index(after: slash)...]
            if !path.isEmpty { self.virtualHost = try Self.decoded(path) }
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            self.user = try Self.decoded(credentials[0])
            if credentials.count == 2 { self.password = try Self.decoded(credentials[1]) }
            rest = rest[rest.index(after: at)...]
        }
        // An IPv6 address stands in brackets: its colons start no port.
        let hostEnd = rest.lastIndex(of: "]").map { rest.index(after: $0) } ?? rest.startIndex
        if let colon = rest[hostEnd...].lastIndex(of: ":") {
            guard let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else { throw .invalidPort }
            self.port = Int(port)
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        guard !rest.isEmpty else { throw .emptyHost }
        self.host = try Self.decoded(rest)
    }

    private static func decoded(_ part: Substring) throws(URLError) -> String {
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.first != UInt8(ascii: "+"), let value = UInt8(Substring(digits), radix: 16)
            else { throw .invalidPercentEncoding }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidPercentEncoding }
        return text
    }
}

extension RabbitMQConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "amqp://\(user):***@\(host):\(port)/ vhost \(virtualHost), queue \(postsQueue)" }
    package var debugDescription: String { description }
    /// Keeps `dump` from showing the password.
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
