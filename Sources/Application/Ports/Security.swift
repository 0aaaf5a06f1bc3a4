package import Domain

/// Turns passwords into what may be stored. Work is bounded: beyond the bound it is refused at once, so a flood of
/// logins costs its senders, not everybody.
package protocol PasswordHasher: Sendable {
    /// - Throws: ``ApplicationError`` `overloaded` if too many wait already.
    func hash(_ password: Password) async throws -> PasswordHash

    /// Whether `password` made `hash`; in time that does not depend on either.
    ///
    /// - Throws: ``ApplicationError`` `overloaded` if too many wait already.
    func verify(_ password: Password, against hash: PasswordHash) async throws -> Bool

    /// A hash that no password makes, to be verified against where a user is unknown: it costs the same.
    var decoy: PasswordHash { get }
}

/// A PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…`; it prints as `<redacted>`.
package struct PasswordHash: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    package let phcString: String

    package init(phcString: String) {
        self.phcString = phcString
    }

    package var description: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Writes and reads the two tokens of a session. Stateless: whether the session still stands is asked elsewhere.
package protocol TokenCoder: Sendable {
    /// A signed access token that names `principal` and ends with it.
    func accessToken(_ principal: Principal) async throws -> String

    /// The principal of a token that is ours, unaltered, of the access kind and not expired at `now`.
    ///
    /// - Throws: ``TokenError``.
    func verifyAccessToken(_ token: String, at now: Timestamp) async throws -> Principal

    /// An opaque token that names a session and a generation and cannot be forged.
    func refreshToken(_ session: SessionID, generation: Int64) -> String

    /// `nil` for anything ``refreshToken(_:generation:)`` did not write.
    func readRefreshToken(_ token: String) -> (session: SessionID, generation: Int64)?
}

package enum TokenError: Error, Hashable, Sendable {
    /// Not a token of ours, or altered.
    case invalid
    case expired
}
