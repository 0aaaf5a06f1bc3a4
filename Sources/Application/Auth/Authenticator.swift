package import Domain
import Synchronization

/// Tells who is behind an access token, for REST and the live feed alike.
///
/// A token's signature and its session are checked together and remembered for ``recheckInterval``: a session that this
/// process revokes ends at once, one that another process revokes ends within that time.
package final class Authenticator: Sendable {
    /// How long a check is good for: the longest that a revoked session lives on in another process.
    package static let recheckInterval: Duration = .seconds(5)

    private let tokens: any TokenCoder
    private let sessions: any SessionStore
    private let clock: any WallClock
    private let remembered = Mutex(RecentPrincipals())

    package init(tokens: any TokenCoder, sessions: any SessionStore, clock: any WallClock) {
        self.tokens = tokens
        self.sessions = sessions
        self.clock = clock
    }

    /// - Throws: ``ApplicationError`` `unauthenticated` with the word `invalid_token`, `token_expired` or
    ///   `session_revoked`; `unavailable` if the session cannot be read.
    package func principal(for token: String) async throws -> Principal {
        let now = clock.now()
        let (known, endings) = remembered.withLock { ($0.principal(for: token, at: now), $0.endings) }
        if let known { return known }

        let claims: AccessClaims
        do {
            claims = try await tokens.verifyAccessToken(token, at: now)
        } catch TokenError.expired {
            throw ApplicationError(.unauthenticated, "token_expired", "The access token has expired.")
        } catch TokenError.invalid {
            throw ApplicationError(.unauthenticated, "invalid_token", "The access token is not valid.")
        }
        guard let session = try await sessions.session(claims.sessionID), session.userID == claims.userID,
            session.isActive(at: now)
        else {
            throw ApplicationError(.unauthenticated, "session_revoked", "This session has ended: log in again.")
        }
        let principal = Principal(
            userID: claims.userID,
            username: claims.username,
            role: claims.role,
            sessionID: claims.sessionID,
            expiresAt: claims.expiresAt
        )
        let recheck = min(claims.expiresAt, now.advanced(by: Self.recheckInterval))
        remembered.withLock { $0.remember(principal, for: token, until: recheck, asOf: endings) }
        return principal
    }

    /// Ends what this process remembers of a session.
    package func forget(_ session: SessionID) {
        remembered.withLock { $0.forget(where: { $0.sessionID == session }) }
    }

    /// Ends what this process remembers of a user's sessions.
    package func forget(_ user: UserID) {
        remembered.withLock { $0.forget(where: { $0.userID == user }) }
    }
}

/// The principals seen lately, in two generations: when the young one is full it becomes the old one, and the old one
/// is dropped. That bounds memory without keeping an order of use.
private struct RecentPrincipals {
    /// About 5 MB of tokens for both generations.
    private static let generationSize = 4096

    private struct Entry {
        let principal: Principal
        let validUntil: Timestamp
    }

    private var young: [String: Entry] = [:]
    private var old: [String: Entry] = [:]
    /// How often something was forgotten. A check that began before the last time may have read a session that has ended since.
    private(set) var endings: UInt64 = 0

    func principal(for token: String, at now: Timestamp) -> Principal? {
        guard let entry = young[token] ?? old[token], now < entry.validUntil else { return nil }
        return entry.principal
    }

    /// - Parameter endings: ``endings`` before the check began; if any came since, nothing is remembered.
    mutating func remember(
        _ principal: Principal,
        for token: String,
        until validUntil: Timestamp,
        asOf endings: UInt64
    ) {
        guard endings == self.endings else { return }
        if young.count >= Self.generationSize {
            old = young
            young = [:]
        }
        young[token] = Entry(principal: principal, validUntil: validUntil)
    }

    mutating func forget(where matches: (Principal) -> Bool) {
        endings += 1
        young = young.filter { !matches($0.value.principal) }
        old = old.filter { !matches($0.value.principal) }
    }
}
