/// Something that happened which others are told of. It names what it is about and carries no content: whoever
/// publishes it reads the content then, so that a deleted text is deleted from here too.
package enum Event: Hashable, Sendable {
    case postCreated(PostID, by: UserID)
    case postDeleted(PostID, by: UserID)
    case followed(UserID, by: UserID)
    case unfollowed(UserID, by: UserID)
    /// Logged out, or revoked because an exchanged refresh token came back.
    case sessionRevoked(SessionID, of: UserID)
    case userDeleted(UserID)
}

/// A place in the one order of all events: dense from 1, in commit order, the same on every server.
package struct Position: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    /// Before the first event.
    package static let start = Position(rawValue: 0)

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package var next: Position { Position(rawValue: rawValue + 1) }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
