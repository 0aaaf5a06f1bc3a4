package import Application
import Domain
import MartletSecurity

/// Every use case over one database, with real hashing and signing; only the clock and the ids are the test's own.
package struct Services: Sendable {
    package let stores: Stores
    package let createAccount: CreateAccount
    package let accounts: Accounts
    package let sessions: Sessions
    package let graph: SocialGraph
    package let posts: Posts
    package let authenticator: Authenticator
    package let tokens: any TokenCoder

    package init(
        _ stores: Stores,
        hasher: (any PasswordHasher)? = nil,
        lifetimes: SessionLifetimes = SessionLifetimes(),
        allowsOpenAdminRegistration: Bool = false
    ) async throws {
        let hasher = try hasher ?? Self.hasher.get()
        let tokens = await JWTTokenCoder(
            secret: try JWTSecret(Self.secret),
            issuer: "martlet-tests",
            clock: stores.clock
        )
        let identifiers = Identifiers(clock: stores.clock, entropy: CountingEntropy())
        let outbox = OutboxSignal()
        self.stores = stores
        self.tokens = tokens
        authenticator = Authenticator(tokens: tokens, sessions: stores.sessions, clock: stores.clock)
        sessions = Sessions(
            users: stores.users,
            sessions: stores.sessions,
            hasher: hasher,
            tokens: tokens,
            authenticator: authenticator,
            identifiers: identifiers,
            clock: stores.clock,
            outbox: outbox,
            lifetimes: lifetimes,
            logger: .quiet
        )
        createAccount = CreateAccount(users: stores.users, hasher: hasher, identifiers: identifiers)
        accounts = Accounts(
            users: stores.users,
            hasher: hasher,
            createAccount: createAccount,
            sessions: sessions,
            authenticator: authenticator,
            outbox: outbox,
            allowsOpenAdminRegistration: allowsOpenAdminRegistration
        )
        graph = SocialGraph(users: stores.users, follows: stores.follows, clock: stores.clock, outbox: outbox)
        posts = Posts(posts: stores.posts, users: stores.users, identifiers: identifiers, outbox: outbox)
    }

    /// What is stored of a password.
    package static func hash(of password: String) async throws -> PasswordHash {
        try await hasher.get().hash(Password(given: password))
    }

    /// The password of every account that a test makes without saying otherwise.
    package static let password = "correct horse battery staple"

    private static let secret = "b0f4c2ad9e7f43d1865c0e8a3f5d2719c6ab48e0d37f9152"
    /// One for all tests: its queue is long enough for suites that run side by side.
    private static let hasher = Result { try Argon2idHasher(waitingLimit: 10_000) }
}
