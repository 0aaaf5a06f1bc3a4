import Application
import Domain
import Logging

/// Brings the bus's events to the hub in their one order, and reads from the log what the bus did not bring.
actor LiveFeed {
    private let bus: any EventBus
    private let history: any EventHistory
    private let authenticator: Authenticator
    private let hub: Hub
    private let logger: Logger
    private var sequencer = Sequencer(head: .start)

    init(bus: any EventBus, history: any EventHistory, authenticator: Authenticator, hub: Hub, logger: Logger) {
        self.bus = bus
        self.history = history
        self.authenticator = authenticator
        self.hub = hub
        self.logger = logger
    }

    /// Runs until cancelled. The head is read before subscribing, and again by `.subscribed` once the subscription
    /// stands: what was published in between is found missing and fetched.
    func run() async throws {
        let head = try await untilItWorks("read the head of the event log") { try await self.history.head() }
        sequencer = Sequencer(head: head)
        await hub.publish([HubEvent(position: head, effect: .nothing)])
        try await bus.subscribe { message in await self.handle(message) }
    }

    /// Returns when the message has been handed to every loop. The bus calls it for one message at a time, so nothing
    /// changes the sequencer while it waits.
    private func handle(_ message: BusMessage) async {
        do {
            switch message {
            case .event(let event): try await take(sequencer.receive(event))
            case .head(let position): try await take(sequencer.announce(position))
            case .subscribed:
                let head = try await untilItWorks("read the head of the event log") { try await self.history.head() }
                try await take(sequencer.announce(head))
            }
        } catch {
            // Only cancellation gets here: the server is going down and its clients are told so.
            logger.debug("the live feed stopped in the middle of a message")
        }
    }

    private func take(_ step: Sequencer.Step) async throws {
        switch step {
        case .ignore: break
        case .apply(let event): await hub.publish([effect(of: event)])
        case .fetch(let target): try await fetch(upTo: target)
        }
    }

    private func fetch(upTo target: Position) async throws {
        while sequencer.head < target {
            let after = sequencer.head
            let events = try await untilItWorks("read the event log") {
                try await self.history.events(after: after, limit: Self.fetchLimit)
            }
            let fetched = sequencer.receive(fetched: events, upTo: target)
            await hub.publish(fetched.map { effect(of: $0) })
        }
    }

    private func effect(of fetched: Sequencer.Fetched) -> HubEvent {
        switch fetched {
        case .apply(let event): return effect(of: event)
        case .lost(let position):
            logger.error("events are gone from the log unread", metadata: ["before": "\(position.rawValue)"])
            return HubEvent(position: Position(rawValue: position.rawValue - 1), effect: .lost)
        }
    }

    private func effect(of event: RecordedEvent) -> HubEvent {
        let effect: HubEvent.Effect =
            switch event.event {
            // A post that is gone by now has its own event further on.
            case .postCreated(_, let author):
                event.post.map { .deliver(LiveFrame.postCreated(event, $0), author: author) } ?? .nothing
            case .postDeleted(let post, let author): .deliver(LiveFrame.postDeleted(event, post), author: author)
            case .followed(let followee, let user): .follow(followee, by: user)
            case .unfollowed(let followee, let user): .unfollow(followee, by: user)
            case .sessionRevoked(let session, let user): .endSession(session, of: user)
            case .userDeleted(let user): .endUser(user)
            }
        // Before the sockets close, so that their clients do not come back on a remembered token.
        switch effect {
        case .endSession(let session, _): authenticator.forget(session)
        case .endUser(let user): authenticator.forget(user)
        case .deliver, .follow, .unfollow, .nothing, .lost: break
        }
        return HubEvent(position: event.position, effect: effect)
    }

    /// An event is never skipped: whatever fails is tried again, ever less often, until it works or the server stops.
    private func untilItWorks<Value: Sendable>(
        _ what: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        var pause = Self.shortestPause
        while true {
            do {
                return try await body()
            } catch {
                try Task.checkCancellation()
                logger.warning("could not \(what), trying again", metadata: ["error": "\(error)", "in": "\(pause)"])
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// A page of full posts is then below 1 MB.
    private static let fetchLimit = 256
    private static let shortestPause: Duration = .milliseconds(100)
    /// How long the feed may stand still after the database is back.
    private static let longestPause: Duration = .seconds(5)
}
