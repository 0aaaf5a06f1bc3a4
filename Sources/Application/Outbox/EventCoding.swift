package import Domain
import FoundationEssentials

/// Why bytes are no event.
package enum EventCodingError: Error, Hashable, Sendable {
    case malformed(String)
    /// Written by a newer Martlet.
    case unknownVersion(Int)
    /// Written by a newer Martlet.
    case unknownKind(String)
}

/// Events as bytes between our own processes: versioned JSON, ids as decimal strings.
///
/// While a release rolls out, old and new processes read each other: fields that a reader does not know are passed
/// over, so a new optional field needs no new version. A new kind is an ``EventCodingError/unknownKind(_:)`` to old
/// readers. What changes the meaning of a field takes a new ``version``.
package enum EventCoding {
    package static let version = 1

    /// The stable word for what happened; part of routing keys.
    package static func kind(of event: Event) -> String {
        switch event {
        case .postCreated: "post_created"
        case .postDeleted: "post_deleted"
        case .followed: "followed"
        case .unfollowed: "unfollowed"
        case .sessionRevoked: "session_revoked"
        case .userDeleted: "user_deleted"
        }
    }

    /// Decodes what ``encodeLines(_:)`` wrote.
    package static func decodeLines(_ bytes: [UInt8]) throws(EventCodingError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            events.append(try decode(Array(line)))
        }
        return events
    }

    package static func decode(_ bytes: [UInt8]) throws(EventCodingError) -> RecordedEvent {
        let message: EventMessage = try decodeVersion(bytes)
        return RecordedEvent(
            id: try number(message.id, "id"),
            position: Position(rawValue: try number(message.position, "position")),
            recordedAt: Timestamp(millisecondsSinceEpoch: message.at),
            event: try event(in: message),
            post: try message.view.map { (view) throws(EventCodingError) in try postView(view, in: message) }
        )
    }

    package static func decodeHead(_ bytes: [UInt8]) throws(EventCodingError) -> Position {
        let message: HeadMessage = try decodeVersion(bytes)
        return Position(rawValue: try number(message.head, "head"))
    }

    private static func event(in message: EventMessage) throws(EventCodingError) -> Event {
        switch message.kind {
        case "post_created": .postCreated(try id(message.post, "post"), by: try id(message.by, "by"))
        case "post_deleted": .postDeleted(try id(message.post, "post"), by: try id(message.by, "by"))
        case "followed": .followed(try id(message.user, "user"), by: try id(message.by, "by"))
        case "unfollowed": .unfollowed(try id(message.user, "user"), by: try id(message.by, "by"))
        case "session_revoked": .sessionRevoked(try id(message.session, "session"), of: try id(message.user, "user"))
        case "user_deleted": .userDeleted(try id(message.user, "user"))
        default: throw .unknownKind(message.kind)
        }
    }

    private static func postView(_ view: ViewMessage, in message: EventMessage) throws(EventCodingError) -> PostView {
        guard let visibility = Visibility(rawValue: view.visibility) else { throw .malformed("visibility") }
        let author: UserID = try id(message.by, "by")
        return PostView(
            post: Post(
                id: try id(message.post, "post"),
                authorID: author,
                text: PostText(stored: view.text),
                visibility: visibility,
                createdAt: Timestamp(millisecondsSinceEpoch: view.at)
            ),
            author: UserSummary(
                id: author,
                username: Username(stored: view.username),
                displayName: DisplayName(stored: view.name)
            )
        )
    }

    private static func id<Owner>(_ text: String?, _ field: String) throws(EventCodingError) -> Identifier<Owner> {
        Identifier(rawValue: try number(text, field))
    }

    private static func number(_ text: String?, _ field: String) throws(EventCodingError) -> Int64 {
        guard let text, let number = Int64(text), number >= 0 else { throw .malformed(field) }
        return number
    }

    /// Decodes what has our version; the fields of another version are not looked at.
    private static func decodeVersion<Message: Versioned>(_ bytes: [UInt8]) throws(EventCodingError) -> Message {
        do throws(EventCodingError) {
            let message: Message = try decodeJSON(bytes)
            guard message.v == version else { throw .unknownVersion(message.v) }
            return message
        } catch .malformed(let field) {
            let envelope: Envelope = try decodeJSON(bytes)
            guard envelope.v == version else { throw .unknownVersion(envelope.v) }
            throw .malformed(field)
        }
    }

    private static func decodeJSON<Message: Decodable>(_ bytes: [UInt8]) throws(EventCodingError) -> Message {
        do {
            return try JSONDecoder().decode(Message.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .malformed(fieldName(of: error))
        } catch {
            throw .malformed("not JSON")
        }
    }

    /// Names the field and not its content, which may be somebody's post.
    private static func fieldName(of error: DecodingError) -> String {
        let path =
            switch error {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: [any CodingKey]()
            }
        return path.isEmpty ? "not JSON" : path.map(\.stringValue).joined(separator: ".")
    }
}

private protocol Versioned: Decodable {
    var v: Int { get }
}

/// What every version has.
private struct Envelope: Versioned {
    let v: Int
}

/// What ``EventCoding`` reads; `EventCoding+Encode.swift` writes the same fields.
private struct EventMessage: Versioned {
    let v: Int
    let kind: String
    let id: String
    let position: String
    /// Milliseconds since 1970.
    let at: Int64
    let post: String?
    let user: String?
    let session: String?
    let by: String?
    let view: ViewMessage?
}

/// The post of a `post_created`, unless it is gone; its id and author stand beside it.
private struct ViewMessage: Decodable {
    let text: String
    let visibility: String
    /// Milliseconds since 1970.
    let at: Int64
    let username: String
    let name: String
}

private struct HeadMessage: Versioned {
    let v: Int
    let head: String
}
