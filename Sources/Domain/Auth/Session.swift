/// One login on one device. Its refresh token rotates: each use gives a new one and makes the old one worthless.
package struct Session: Hashable, Sendable {
    package let id: SessionID
    package let userID: UserID
    /// Counts rotations; a refresh token is good for exactly one generation.
    package var generation: Int64
    package let createdAt: Timestamp
    package var expiresAt: Timestamp
    package var revokedAt: Timestamp?

    package init(
        id: SessionID,
        userID: UserID,
        generation: Int64 = 0,
        createdAt: Timestamp,
        expiresAt: Timestamp,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.userID = userID
        self.generation = generation
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    package func isActive(at now: Timestamp) -> Bool { revokedAt == nil && now < expiresAt }

    /// Decides what a refresh token of `generation` is worth now.
    package func rotation(presenting generation: Int64, at now: Timestamp) -> Rotation {
        guard isActive(at: now) else { return .refused }
        if generation == self.generation { return .rotate }
        // A token that was already exchanged is in two hands, and one of them stole it (RFC 9700, 4.14.2).
        return generation < self.generation ? .reused : .refused
    }

    package enum Rotation: Hashable, Sendable {
        /// Give the next token.
        case rotate
        /// An exchanged token came back: revoke the session.
        case reused
        /// Unknown, expired or revoked.
        case refused
    }
}
