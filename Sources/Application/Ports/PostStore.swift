package import Domain

/// Keeps posts and reads them the way they are shown.
///
/// A viewer MUST get what ``Post/isVisible(to:followsAuthor:)`` allows and nothing else; posts of suspended authors
/// are absent for everyone but themselves.
package protocol PostStore: Sendable {
    /// Stores the post and ``Event/postCreated(_:by:)`` in one transaction, counts it, and gives it as it is shown.
    ///
    /// - Throws: ``StoreConflict/identifier``; ``ApplicationError`` `unauthenticated` if the author is gone.
    func insert(_ post: Post) async throws -> PostView

    /// The post if `viewer` may see it.
    func post(_ id: PostID, viewedBy viewer: UserID) async throws -> PostView?

    /// Removes a post if `author` wrote it, with ``Event/postDeleted(_:by:)``, and counts it. Gives whether it did;
    /// of two that race exactly one MUST get `true`.
    func delete(_ id: PostID, by author: UserID) async throws -> Bool

    /// A user's posts, newest first.
    func posts(by author: UserID, viewedBy viewer: UserID, page: PageRequest) async throws -> Page<PostView>

    /// Posts of those `viewer` follows, and their own, newest first.
    func homeTimeline(of viewer: UserID, page: PageRequest) async throws -> Page<PostView>
}

/// A post with what is shown beside it.
package struct PostView: Hashable, Sendable {
    package let post: Post
    package let author: UserSummary

    package init(post: Post, author: UserSummary) {
        self.post = post
        self.author = author
    }
}

/// As much of a user as a list shows.
package struct UserSummary: Hashable, Sendable {
    package let id: UserID
    package let username: Username
    package let displayName: DisplayName

    package init(id: UserID, username: Username, displayName: DisplayName) {
        self.id = id
        self.username = username
        self.displayName = displayName
    }
}
