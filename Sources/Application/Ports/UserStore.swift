package import Domain

/// Keeps accounts.
///
/// Every method is atomic.
package protocol UserStore: Sendable {
    /// - Throws: ``StoreConflict`` `.username`, `.email` or `.identifier` if one of them is taken; the race for a name
    ///   MUST have one winner.
    func insert(_ user: User, passwordHash: PasswordHash) async throws

    /// `nil` if nobody has this id.
    func user(_ id: UserID) async throws -> User?

    /// `nil` if nobody has this name.
    func user(named username: Username) async throws -> User?

    /// A user with the hash that login compares with.
    func credentials(of username: Username) async throws -> Credentials?

    /// The same by id, for someone who is already signed in.
    func credentials(of id: UserID) async throws -> Credentials?

    /// The user with counts that are exact at the moment of reading, and how `viewer` stands to them.
    func profile(_ reference: UserReference, viewedBy viewer: UserID) async throws -> Profile?

    /// Makes the change and gives the changed user, or `nil` if there is no such user.
    ///
    /// - Throws: ``StoreConflict`` `.username` or `.email`.
    func update(_ id: UserID, _ change: ProfileChange) async throws -> User?

    /// Removes the user and everything of theirs: posts, follows both ways, sessions, with ``Event/userDeleted(_:)`` in
    /// one transaction. Counts of others MUST follow. Deleting nobody is no error and MUST announce nothing.
    func delete(_ id: UserID) async throws

    /// All users, youngest first; those whose username or display name contains `query` if it is given.
    func users(matching query: String?, page: PageRequest) async throws -> Page<Profile>
}

/// What an unknown caller names a user by.
package enum UserReference: Hashable, Sendable {
    case id(UserID)
    case name(Username)
}

package struct Credentials: Sendable {
    package let user: User
    package let passwordHash: PasswordHash

    package init(user: User, passwordHash: PasswordHash) {
        self.user = user
        self.passwordHash = passwordHash
    }
}

package struct Profile: Hashable, Sendable {
    package let user: User
    package let followerCount: Int
    package let followingCount: Int
    package let postCount: Int
    /// `nil` in lists, and where the viewer looks at themselves.
    package let relationship: Relationship?

    package init(user: User, followerCount: Int, followingCount: Int, postCount: Int, relationship: Relationship? = nil)
    {
        self.user = user
        self.followerCount = followerCount
        self.followingCount = followingCount
        self.postCount = postCount
        self.relationship = relationship
    }
}

/// A unique value was taken by somebody else.
package enum StoreConflict: Error, Hashable, Sendable {
    case username
    case email
    /// A fresh id met an old one: draw again.
    case identifier
}
