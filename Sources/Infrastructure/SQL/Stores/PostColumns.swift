import Application
import Domain

/// The columns of a post with its author and how they are read: kept together so that one cannot change without the
/// other.
enum PostColumns {
    static let list = "p.id, p.author_id, p.text, p.visibility, p.created_at, u.username, u.display_name"

    /// Reads a post whose columns start at `offset`.
    static func view(_ row: SQLRow, at offset: Int = 0) throws(SQLError) -> PostView {
        guard let visibility = Visibility(rawValue: try row.text(offset + 3)) else {
            throw .defect("unknown visibility")
        }
        let authorID = UserID(rawValue: try row.int(offset + 1))
        return PostView(
            post: Post(
                id: PostID(rawValue: try row.int(offset)),
                authorID: authorID,
                text: PostText(stored: try row.text(offset + 2)),
                visibility: visibility,
                createdAt: Timestamp(millisecondsSinceEpoch: try row.int(offset + 4))
            ),
            author: UserSummary(
                id: authorID,
                username: Username(stored: try row.text(offset + 5)),
                displayName: DisplayName(stored: try row.text(offset + 6))
            )
        )
    }
}
