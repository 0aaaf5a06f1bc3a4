package import Domain

/// Written by hand because it is on the path of every post: it takes a microsecond.
extension EventCoding {
    package static func encode(_ recorded: RecordedEvent) -> [UInt8] {
        var json = JSONObjectWriter(capacity: 200 + 2 * (recorded.post?.post.text.description.utf8.count ?? 0))
        json.write("v", Int64(version))
        json.write("kind", kind(of: recorded.event))
        json.write("id", decimal: recorded.id)
        json.write("position", decimal: recorded.position.rawValue)
        json.write("at", recorded.recordedAt.millisecondsSinceEpoch)
        switch recorded.event {
        case .postCreated(let post, let author), .postDeleted(let post, let author):
            json.write("post", decimal: post.rawValue)
            json.write("by", decimal: author.rawValue)
        case .followed(let user, let follower), .unfollowed(let user, let follower):
            json.write("user", decimal: user.rawValue)
            json.write("by", decimal: follower.rawValue)
        case .sessionRevoked(let session, let user):
            json.write("session", decimal: session.rawValue)
            json.write("user", decimal: user.rawValue)
        case .userDeleted(let user):
            json.write("user", decimal: user.rawValue)
        }
        if let view = recorded.post {
            json.open("view")
            json.write("text", view.post.text.description)
            json.write("visibility", view.post.visibility.rawValue)
            json.write("at", view.post.createdAt.millisecondsSinceEpoch)
            json.write("username", view.author.username.description)
            json.write("name", view.author.displayName.description)
            json.close()
        }
        return json.finished()
    }

    /// Several events, a line each (JSON Lines): controls within strings are escaped, so no line breaks inside an event.
    package static func encodeLines(_ events: some Collection<RecordedEvent>) -> [UInt8] {
        Array(events.map(encode).joined(separator: CollectionOfOne(UInt8(ascii: "\n"))))
    }

    package static func encode(head: Position) -> [UInt8] {
        var json = JSONObjectWriter(capacity: 48)
        json.write("v", Int64(version))
        json.write("head", decimal: head.rawValue)
        return json.finished()
    }
}

/// Writes one JSON object (RFC 8259) of strings, integers and objects. Keys are our own and need no escapes.
private struct JSONObjectWriter {
    private var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func write(_ key: StaticString, _ value: Int64) {
        write(key: key)
        append(value)
    }

    /// As a string, since some readers' numbers end at 2⁵³.
    mutating func write(_ key: StaticString, decimal value: Int64) {
        write(key: key)
        bytes.append(UInt8(ascii: "\""))
        append(value)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func write(_ key: StaticString, _ value: String) {
        write(key: key)
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: #"\u00"#.utf8)
                bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                bytes.append(hexDigit(byte & 0xf))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func open(_ key: StaticString) {
        write(key: key)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func close() {
        bytes.append(UInt8(ascii: "}"))
    }

    consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func write(key: StaticString) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ value: Int64) {
        bytes.append(contentsOf: String(value).utf8)
    }

    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
