package import Domain

/// Makes an account: for people who register, and for an operator at the command line, who needs nobody's leave.
package struct CreateAccount: Sendable {
    private let users: any UserStore
    private let hasher: any PasswordHasher
    private let identifiers: Identifiers

    package init(users: any UserStore, hasher: any PasswordHasher, identifiers: Identifiers) {
        self.users = users
        self.hasher = hasher
        self.identifiers = identifiers
    }

    /// - Throws: ``ApplicationError`` `invalid` with every broken rule; `conflict` `username_taken` or `email_taken`;
    ///   `overloaded`.
    package func callAsFunction(_ request: Registration) async throws -> User {
        let account = try request.validated()
        // Asked first because a hash costs a thousand times as much; the store decides the race.
        guard try await users.user(named: account.username) == nil else { throw ApplicationError.usernameTaken }
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
            try await translatingAccountConflicts { try await users.insert(user, passwordHash: hash) }
            return user
        }
    }
}

extension ApplicationError {
    fileprivate static let usernameTaken = ApplicationError(.conflict, "username_taken", "This username is taken.")
}

func translatingAccountConflicts<Outcome>(_ change: () async throws -> Outcome) async throws -> Outcome {
    do {
        return try await change()
    } catch StoreConflict.username {
        throw ApplicationError.usernameTaken
    } catch StoreConflict.email {
        throw ApplicationError(.conflict, "email_taken", "Another account uses this e-mail address.")
    }
}
