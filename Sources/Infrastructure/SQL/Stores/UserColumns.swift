import Application
import Domain

/// The columns of a user and how they are read: kept together so that one cannot change without the other.
enum UserColumns {
    static let list = """
        u.id, u.username, u.display_name, u.biography, u.email, u.role, u.is_suspended, u.created_at, \
        u.follower_count, u.following_count, u.post_count
        """
    /// The same columns after a change: SQLite's RETURNING knows no alias.
    static let returning = list.replacing("u.", with: "users.")
    static let count = 11

    static func user(_ row: SQLRow) throws(SQLError) -> User {
        guard let role = Role(rawValue: try row.text(5)) else { throw .defect("unknown role") }
        return User(
            id: UserID(rawValue: try row.int(0)),
            username: Username(stored: try row.text(1)),
            displayName: DisplayName(stored: try row.text(2)),
            biography: Biography(stored: try row.text(3)),
            email: try row.optionalText(4).map(EmailAddress.init(stored:)),
            role: role,
            isSuspended: try row.bool(6),
            createdAt: Timestamp(millisecondsSinceEpoch: try row.int(7))
        )
    }

    static func profile(_ row: SQLRow, relationship: Relationship? = nil) throws(SQLError) -> Profile {
        Profile(
            user: try user(row),
            followerCount: Int(try row.int(8)),
            followingCount: Int(try row.int(9)),
            postCount: Int(try row.int(10)),
            relationship: relationship
        )
    }
}
