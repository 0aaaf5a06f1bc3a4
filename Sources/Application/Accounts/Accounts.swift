package import Domain

/// What people do with their own account, and admins with all of them.
package struct Accounts: Sendable {
    private let users: any UserStore
    private let hasher: any PasswordHasher
    private let sessions: Sessions
    private let authenticator: Authenticator
    private let identifiers: Identifiers
    private let outbox: OutboxSignal
    private let allowsOpenAdminRegistration: Bool

    /// - Parameter allowsOpenAdminRegistration: Whether anyone may register as an admin. For development alone.
    package init(
        users: any UserStore,
        hasher: any PasswordHasher,
        sessions: Sessions,
        authenticator: Authenticator,
        identifiers: Identifiers,
        outbox: OutboxSignal,
        allowsOpenAdminRegistration: Bool = false
    ) {
        self.users = users
        self.hasher = hasher
        self.sessions = sessions
        self.authenticator = authenticator
        self.identifiers = identifiers
        self.outbox = outbox
        self.allowsOpenAdminRegistration = allowsOpenAdminRegistration
    }

    /// Makes an account and signs it in.
    ///
    /// - Parameter caller: Who asks, if they sent a token: only an admin may make an admin.
    /// - Throws: ``ApplicationError`` `invalid` with every broken rule; `forbidden` `role_not_allowed`; `conflict`
    ///   `username_taken` or `email_taken`; `overloaded`.
    package func register(_ request: Registration, by caller: Principal?) async throws -> SignedIn {
        let account = try request.validated()
        guard account.role == .user || caller?.role == .admin || allowsOpenAdminRegistration else {
            throw ApplicationError(.forbidden, "role_not_allowed", "Only an admin may create an admin.")
        }
        return try await sessions.open(for: try await create(account))
    }

    /// Makes an account for an operator at the command line, who needs nobody's leave.
    ///
    /// - Throws: As ``register(_:by:)``, without `forbidden`.
    package func create(_ request: Registration) async throws -> User {
        try await create(try request.validated())
    }

    private func create(_ account: Registration.Validated) async throws -> User {
        // Asked first because a hash costs a thousand times as much; the store decides the race.
        guard try await users.user(named: account.username) == nil else { throw Self.usernameTaken }
        let hash = try await hasher.hash(account.password)
        return try await identifiers.withFresh(User.self) { id, now in
            let user = User(
                id: id,
                username: account.username,
                displayName: account.displayName,
                email: account.email,
                role: account.role,
                createdAt: now
            )
            try await Self.translatingConflicts { try await users.insert(user, passwordHash: hash) }
            return user
        }
    }

    /// The caller's own profile.
    package func profile(of principal: Principal) async throws -> Profile {
        guard let profile = try await users.profile(.id(principal.userID), viewedBy: principal.userID) else {
            throw ApplicationError.notFound("user")
        }
        return profile
    }

    /// - Throws: ``ApplicationError`` `invalid` with every broken rule; `conflict` `username_taken` or `email_taken`.
    package func update(_ request: AccountUpdate, by principal: Principal) async throws -> Profile {
        let change = try request.validated()
        if !change.isEmpty {
            let changed = try await Self.translatingConflicts { try await users.update(principal.userID, change) }
            guard changed != nil else { throw ApplicationError.notFound("user") }
        }
        return try await profile(of: principal)
    }

    /// Deletes the caller's account and everything of theirs.
    ///
    /// - Throws: ``ApplicationError`` `forbidden` `wrong_password`; `overloaded`.
    package func delete(_ principal: Principal, password: String) async throws {
        guard let credentials = try await users.credentials(of: principal.userID) else {
            throw ApplicationError.notFound("user")
        }
        guard try await hasher.verify(Password(given: password), against: credentials.passwordHash) else {
            throw ApplicationError(.forbidden, "wrong_password", "The password is wrong.")
        }
        try await users.delete(principal.userID, events: [.userDeleted(principal.userID)])
        authenticator.forget(principal.userID)
        outbox.signal()
    }

    /// All accounts, for admins.
    ///
    /// - Throws: ``ApplicationError`` `forbidden` `admin_only`.
    package func all(matching query: String?, page: PageRequest, by principal: Principal) async throws -> Page<Profile>
    {
        guard principal.role == .admin else {
            throw ApplicationError(.forbidden, "admin_only", "Only an admin may do this.")
        }
        return try await users.users(matching: query, page: page)
    }

    private static let usernameTaken = ApplicationError(.conflict, "username_taken", "This username is taken.")

    private static func translatingConflicts<Outcome>(_ change: () async throws -> Outcome) async throws -> Outcome {
        do {
            return try await change()
        } catch StoreConflict.username {
            throw usernameTaken
        } catch StoreConflict.email {
            throw ApplicationError(.conflict, "email_taken", "Another account uses this e-mail address.")
        }
    }
}
