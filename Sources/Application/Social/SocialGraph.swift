import Domain

/// Who follows whom.
package struct SocialGraph: Sendable {
    private let users: any UserStore
    private let follows: any FollowStore
    private let clock: any WallClock
    private let outbox: OutboxSignal

    package init(users: any UserStore, follows: any FollowStore, clock: any WallClock, outbox: OutboxSignal) {
        self.users = users
        self.follows = follows
        self.clock = clock
        self.outbox = outbox
    }

    /// - Parameter user: An id or a username.
    /// - Throws: ``ApplicationError`` `notFound` `user_not_found`.
    package func profile(of user: String, by principal: Principal) async throws -> Profile {
        guard let reference = UserReference(given: user),
            let profile = try await users.profile(reference, viewedBy: principal.userID)
        else { throw ApplicationError.notFound("user") }
        return profile
    }

    /// Idempotent.
    ///
    /// - Throws: ``ApplicationError`` `notFound`; `invalid` with `self_follow`.
    package func follow(_ user: String, by principal: Principal) async throws {
        let followee = try await profile(of: user, by: principal).user
        let follow: Follow
        do {
            follow = try Follow(follower: principal.userID, followee: followee.id, createdAt: clock.now())
        } catch {
            throw ApplicationError.invalid([error])
        }
        try await follows.insert(follow)
        outbox.signal()
    }

    /// Idempotent.
    ///
    /// - Throws: ``ApplicationError`` `notFound`.
    package func unfollow(_ user: String, by principal: Principal) async throws {
        let followee = try await profile(of: user, by: principal).user
        try await follows.remove(follower: principal.userID, followee: followee.id)
        outbox.signal()
    }

    /// - Throws: ``ApplicationError`` `notFound`.
    package func followers(of user: String, page: PageRequest, by principal: Principal) async throws -> Page<Profile> {
        try await follows.followers(of: try await profile(of: user, by: principal).user.id, page: page)
    }

    /// - Throws: ``ApplicationError`` `notFound`.
    package func following(of user: String, page: PageRequest, by principal: Principal) async throws -> Page<Profile> {
        try await follows.following(of: try await profile(of: user, by: principal).user.id, page: page)
    }
}

extension UserReference {
    /// Digits alone are an id, since no username is; anything else that is not a username is nobody.
    package init?(given text: String) {
        if let id = UserID(text) {
            self = .id(id)
        } else if let name = try? Username(text) {  // Not a name, so nobody's: that is the answer.
            self = .name(name)
        } else {
            return nil
        }
    }
}
