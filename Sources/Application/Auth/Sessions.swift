import Domain
package import Logging

/// Opens, renews and ends sessions.
package struct Sessions: Sendable {
    private let users: any UserStore
    private let sessions: any SessionStore
    private let hasher: any PasswordHasher
    private let tokens: any TokenCoder
    private let authenticator: Authenticator
    private let identifiers: Identifiers
    private let clock: any WallClock
    private let outbox: OutboxSignal
    private let lifetimes: SessionLifetimes
    private let logger: Logger

    package init(
        users: any UserStore,
        sessions: any SessionStore,
        hasher: any PasswordHasher,
        tokens: any TokenCoder,
        authenticator: Authenticator,
        identifiers: Identifiers,
        clock: any WallClock,
        outbox: OutboxSignal,
        lifetimes: SessionLifetimes,
        logger: Logger
    ) {
        self.users = users
        self.sessions = sessions
        self.hasher = hasher
        self.tokens = tokens
        self.authenticator = authenticator
        self.identifiers = identifiers
        self.clock = clock
        self.outbox = outbox
        self.lifetimes = lifetimes
        self.logger = logger
    }

    /// - Throws: ``ApplicationError`` `unauthenticated` `invalid_credentials`, the same and after the same work for a
    ///   name nobody has and a wrong password; `forbidden` `account_suspended`; `overloaded`.
    package func logIn(username: String, password: String) async throws -> SignedIn {
        let credentials = try await credentials(of: username)
        let hash = credentials?.passwordHash ?? hasher.decoy
        let isRight = try await hasher.verify(Password(given: password), against: hash)
        guard let credentials, isRight else {
            throw ApplicationError(.unauthenticated, "invalid_credentials", "The name or the password is wrong.")
        }
        try Self.refuseSuspended(credentials.user)
        return try await open(for: credentials.user)
    }

    private func credentials(of name: String) async throws -> Credentials? {
        guard let username = try? Username(name) else { return nil }  // Not a name, so nobody's: that is the answer.
        return try await users.credentials(of: username)
    }

    /// Opens a session for someone whose password was just checked or set.
    func open(for user: User) async throws -> SignedIn {
        let session = try await identifiers.withFresh(Session.self) { id, now in
            let session = Session(
                id: id,
                userID: user.id,
                createdAt: now,
                expiresAt: now.advanced(by: lifetimes.session)
            )
            try await sessions.insert(session)
            return session
        }
        return try await signedIn(try await profile(of: user.id), session: session)
    }

    /// Exchanges a refresh token for new tokens. One that was already exchanged ends the session.
    ///
    /// - Throws: ``ApplicationError`` `unauthenticated` `invalid_refresh_token` or `refresh_token_reused`; `forbidden`
    ///   `account_suspended`.
    package func refresh(_ refreshToken: String) async throws -> SignedIn {
        let refused = ApplicationError(
            .unauthenticated,
            "invalid_refresh_token",
            "The refresh token is not valid: log in again."
        )
        guard let (id, generation) = tokens.readRefreshToken(refreshToken),
            var session = try await sessions.session(id)
        else { throw refused }

        let now = clock.now()
        switch session.rotation(presenting: generation, at: now) {
        case .refused: throw refused
        case .reused: throw try await endStolen(session, at: now)
        case .rotate: break
        }
        // Read before the exchange, so that a failure leaves the caller with a token that is still good.
        let profile = try await profile(of: session.userID)
        try Self.refuseSuspended(profile.user)
        session.expiresAt = now.advanced(by: lifetimes.session)
        guard try await sessions.rotate(id, from: generation, expiresAt: session.expiresAt) else {
            throw try await endStolen(session, at: now)  // Somebody else exchanged it at the same moment.
        }
        session.generation += 1
        return try await signedIn(profile, session: session)
    }

    private func endStolen(_ session: Session, at now: Timestamp) async throws -> ApplicationError {
        try await end(session.id, of: session.userID, at: now)
        logger.warning(
            "Refresh token used twice; session revoked",
            metadata: ["user": "\(session.userID)", "session": "\(session.id)"]
        )
        return ApplicationError(
            .unauthenticated,
            "refresh_token_reused",
            "This refresh token was used before, so the session was ended: log in again."
        )
    }

    /// Ends the caller's session. Ending it twice is no error.
    package func logOut(_ principal: Principal) async throws {
        try await end(principal.sessionID, of: principal.userID, at: clock.now())
    }

    private func end(_ session: SessionID, of user: UserID, at now: Timestamp) async throws {
        try await sessions.revoke(session, of: user, at: now)
        authenticator.forget(session)
        outbox.signal()
    }

    private func profile(of user: UserID) async throws -> Profile {
        guard let profile = try await users.profile(.id(user), viewedBy: user) else {
            throw ApplicationError.accountGone
        }
        return profile
    }

    private static func refuseSuspended(_ user: User) throws {
        guard !user.isSuspended else {
            throw ApplicationError(.forbidden, "account_suspended", "This account is suspended.")
        }
    }

    private func signedIn(_ profile: Profile, session: Session) async throws -> SignedIn {
        let expiresAt = clock.now().advanced(by: lifetimes.accessToken)
        let principal = Principal(
            userID: profile.user.id,
            username: profile.user.username,
            role: profile.user.role,
            sessionID: session.id,
            expiresAt: expiresAt
        )
        return SignedIn(
            profile: profile,
            accessToken: try await tokens.accessToken(principal),
            expiresIn: lifetimes.accessToken,
            refreshToken: tokens.refreshToken(session.id, generation: session.generation)
        )
    }
}
