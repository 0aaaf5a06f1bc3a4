package import Domain

/// Keeps who follows whom. Counts in ``Profile`` MUST never drift from what is kept here.
package protocol FollowStore: Sendable {
    /// Idempotent: stores the follow with ``Event/followed(_:by:)``, or nothing if it is there.
    ///
    /// - Throws: ``ApplicationError`` `notFound` if either user is gone.
    func insert(_ follow: Follow) async throws

    /// Idempotent: removes the follow with ``Event/unfollowed(_:by:)``, or nothing if there is none.
    func remove(follower: UserID, followee: UserID) async throws

    /// Who follows `user`, latest first.
    func followers(of user: UserID, page: PageRequest) async throws -> Page<Profile>

    /// Whom `user` follows, latest first.
    func following(of user: UserID, page: PageRequest) async throws -> Page<Profile>

    /// The ids of all whom `user` follows, in no order: what the live feed listens for.
    func followees(of user: UserID) async throws -> [UserID]
}
