/// One user's wish to see another's posts.
package struct Follow: Hashable, Sendable {
    package let follower: UserID
    package let followee: UserID
    package let createdAt: Timestamp

    /// - Throws: `self_follow`.
    package init(follower: UserID, followee: UserID, createdAt: Timestamp) throws(Violation) {
        guard follower != followee else {
            throw Violation(field: "user", code: "self_follow", detail: "You cannot follow yourself.")
        }
        self.follower = follower
        self.followee = followee
        self.createdAt = createdAt
    }
}

/// How one user stands to another.
package struct Relationship: Hashable, Sendable {
    package let following: Bool
    package let followedBy: Bool

    package init(following: Bool, followedBy: Bool) {
        self.following = following
        self.followedBy = followedBy
    }
}
