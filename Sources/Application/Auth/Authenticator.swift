package import Domain
import Synchronization

/// Tells who is behind an access token, for REST and the live feed alike.
///
/// A signature is checked once and remembered while the token is good; its session is looked up again every
/// ``recheckInterval``. So a session that this process revokes ends at once, and one that another process revokes ends
/// within that time.
package final class Authenticator: Sendable {
    /// The longest that a session revoked by another process lives on here.
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
        let (known, isTrusted) = remembered.withLock { $0.principal(for: token, at: now) }
        if let known, now >= known.expiresAt { throw Self.expired }
        if let known, isTrusted { return known }
        let principal = if let known { known } else { try await verified(token, at: now) }
        guard let session = try await sessions.session(principal.sessionID), session.userID == principal.userID,
            session.isActive(at: now)
        else {
            throw ApplicationError(.unauthenticated, "session_revoked", "This session has ended: log in again.")
        }
        remembered.withLock { $0.remember(principal, for: token, until: now.advanced(by: Self.recheckInterval)) }
        return principal
    }

    private func verified(_ token: String, at now: Timestamp) async throws -> Principal {
        do {
            return try await tokens.verifyAccessToken(token, at: now)
        } catch TokenError.expired {
            throw Self.expired
        } catch TokenError.invalid {
            throw ApplicationError(.unauthenticated, "invalid_token", "The access token is not valid.")
        }
    }

    private static let expired = ApplicationError(
        .unauthenticated,
        "token_expired",
        "The access token has expired."
    )

    /// Has every token of a session checked again.
    package func forget(_ session: SessionID) {
        let now = clock.now()
        remembered.withLock { $0.endedSessions.insert(session, at: now) }
    }

    /// Has every token of a user checked again.
    package func forget(_ user: UserID) {
        let now = clock.now()
        remembered.withLock { $0.endedUsers.insert(user, at: now) }
    }
}

/// The principals seen lately, in two generations: when the young one is full it becomes the old one, and the old one
/// is dropped. That bounds memory without keeping an order of use.
private struct RecentPrincipals {
    /// At about 600 bytes each, both generations take 20 MB when 32,768 people are active at once.
    private static let generationSize = 16_384

    private struct Entry {
        let principal: Principal
        let recheckAt: Timestamp
    }

    private var young: [String: Entry] = [:]
    private var old: [String: Entry] = [:]
    var endedSessions = RecentlyEnded<SessionID>()
    var endedUsers = RecentlyEnded<UserID>()

    func principal(for token: String, at now: Timestamp) -> (known: Principal?, isTrusted: Bool) {
        guard let entry = young[token] ?? old[token] else { return (nil, false) }
        let isTrusted =
            now < entry.recheckAt && !endedSessions.contains(entry.principal.sessionID)
            && !endedUsers.contains(entry.principal.userID)
        return (entry.principal, isTrusted)
    }

    mutating func remember(_ principal: Principal, for token: String, until recheckAt: Timestamp) {
        if young.count >= Self.generationSize {
            old = young
            young = [:]
        }
        young[token] = Entry(principal: principal, recheckAt: recheckAt)
    }
}

/// What ended within the last recheck interval. After it every check made before the end has lapsed by itself.
private struct RecentlyEnded<ID: Hashable & Sendable> {
    /// Rarely reached: that many logouts within the interval.
    private static var pruningSize: Int { 1024 }

    private var lapsesAt: [ID: Timestamp] = [:]

    func contains(_ id: ID) -> Bool { lapsesAt[id] != nil }

    mutating func insert(_ id: ID, at now: Timestamp) {
        if lapsesAt.count >= Self.pruningSize { lapsesAt = lapsesAt.filter { now < $0.value } }
        lapsesAt[id] = now.advanced(by: Authenticator.recheckInterval)
    }
}
