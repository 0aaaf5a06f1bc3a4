import Domain

/// What people do with their own account, and admins with all of them.
package struct Accounts: Sendable {
    private let users: any UserStore
    private let hasher: any PasswordHasher
    private let createAccount: CreateAccount
    private let sessions: Sessions
    private let authenticator: Authenticator
    private let outbox: OutboxSignal
    private let allowsOpenAdminRegistration: Bool

    /// - Parameter allowsOpenAdminRegistration: Whether anyone may register as an admin. For development alone.
    package init(
        users: any UserStore,
        hasher: any PasswordHasher,
        createAccount: CreateAccount,
        sessions: Sessions,
        authenticator: Authenticator,
        outbox: OutboxSignal,
        allowsOpenAdminRegistration: Bool = false
    ) {
        self.users = users
        self.hasher = hasher
        self.createAccount = createAccount
        self.sessions = sessions
        self.authenticator = authenticator
        self.outbox = outbox
        self.allowsOpenAdminRegistration = allowsOpenAdminRegistration
    }

    /// Makes an account and signs it in.
    ///
    /// - Parameter caller: Who asks, if they sent a token: only an admin may make an admin.
    /// - Throws: ``ApplicationError`` `invalid` with every broken rule; `forbidden` `role_not_allowed`; `conflict`
    ///   `username_taken` or `email_taken`; `overloaded`.
    package func register(_ request: Registration, by caller: Principal?) async throws -> SignedIn {
        let role = try request.validated().role
        guard role == .user || caller?.role == .admin || allowsOpenAdminRegistration else {
            throw ApplicationError(.forbidden, "role_not_allowed", "Only an admin may create an admin.")
        }
        return try await sessions.open(for: try await createAccount(request))
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
            let changed = try await translatingAccountConflicts { try await users.update(principal.userID, change) }
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
        try await users.delete(principal.userID)
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
}
