package import Domain

/// Keeps logins.
package protocol SessionStore: Sendable {
    /// - Throws: ``StoreConflict/identifier``; ``ApplicationError`` `unauthenticated` if the user is gone.
    func insert(_ session: Session) async throws

    /// The session as it is now, revoked or expired ones included; `nil` if there is none.
    func session(_ id: SessionID) async throws -> Session?

    /// Moves a session from `generation` to the next and its expiry to `expiresAt`, if it still is at `generation` and
    /// not revoked. Of two that race with one generation exactly one MUST get `true`.
    func rotate(_ id: SessionID, from generation: Int64, expiresAt: Timestamp) async throws -> Bool

    /// Revokes a session with its event in one transaction. Revoking twice is no error and MUST announce once.
    func revoke(_ id: SessionID, of user: UserID, at now: Timestamp) async throws

    /// Removes sessions that expired before `moment`; gives how many.
    func removeExpired(before moment: Timestamp) async throws -> Int
}
