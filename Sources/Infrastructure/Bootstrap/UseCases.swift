import Application
import Logging

/// The ports of one process, filled with adapters.
struct Ports: Sendable {
    let users: any UserStore
    let sessions: any SessionStore
    let posts: any PostStore
    let follows: any FollowStore
    let events: any EventLog
    let bus: any EventBus
    let hasher: any PasswordHasher
    let tokens: any TokenCoder
    let clock: any WallClock
    let entropy: any Entropy
}

/// The use cases over those ports: the one wiring that servers, the command line and tests share.
struct UseCases: Sendable {
    let authenticator: Authenticator
    let sessions: Sessions
    let accounts: Accounts
    let graph: SocialGraph
    let posts: Posts
    let relay: Relay
    let housekeeping: Housekeeping

    init(_ ports: Ports, settings: Settings, logger: Logger) {
        let identifiers = Identifiers(clock: ports.clock, entropy: ports.entropy)
        let outbox = OutboxSignal()
        authenticator = Authenticator(tokens: ports.tokens, sessions: ports.sessions, clock: ports.clock)
        sessions = Sessions(
            users: ports.users,
            sessions: ports.sessions,
            hasher: ports.hasher,
            tokens: ports.tokens,
            authenticator: authenticator,
            identifiers: identifiers,
            clock: ports.clock,
            outbox: outbox,
            lifetimes: settings.lifetimes,
            logger: logger
        )
        accounts = Accounts(
            users: ports.users,
            hasher: ports.hasher,
            createAccount: CreateAccount(users: ports.users, hasher: ports.hasher, identifiers: identifiers),
            sessions: sessions,
            authenticator: authenticator,
            outbox: outbox,
            allowsOpenAdminRegistration: settings.allowsOpenAdminRegistration
        )
        graph = SocialGraph(users: ports.users, follows: ports.follows, clock: ports.clock, outbox: outbox)
        posts = Posts(posts: ports.posts, users: ports.users, identifiers: identifiers, outbox: outbox)
        relay = Relay(log: ports.events, bus: ports.bus, signal: outbox, logger: logger)
        housekeeping = Housekeeping(log: ports.events, sessions: ports.sessions, clock: ports.clock, logger: logger)
    }
}
