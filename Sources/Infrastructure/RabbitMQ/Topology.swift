/// The exchanges and queues that both sides declare, each time they connect: whoever comes first makes them.
struct Topology: Sendable {
    /// Everything is declared and published here; ticks and the two consumers have channels of their own, since
    /// confirms and prefetch are counted by channel.
    static let mainChannel: UInt16 = 1

    let events: String
    let deadLetters: String
    let postsQueue: String
    var deadQueue: String { postsQueue + ".dead" }

    init(_ configuration: RabbitMQConfiguration) {
        self.events = configuration.exchangePrefix + ".events"
        self.deadLetters = configuration.exchangePrefix + ".dead"
        self.postsQueue = configuration.postsQueue
    }

    static let tickKey = "tick"
    private static let everyEvent = "event.#"

    static func routingKey(ofKind kind: String) -> String { "event." + kind }

    /// Opens ``mainChannel`` and declares what is durable.
    func declare(on connection: AMQPConnection) throws(AMQPFailure) {
        let channel = Self.mainChannel
        try connection.openChannel(channel)
        try connection.declareExchange(events, type: "topic", channel: channel)
        try connection.declareExchange(deadLetters, type: "direct", channel: channel)
        try connection.declareQueue(deadQueue, .durable, arguments: deadArguments, channel: channel)
        try connection.bind(queue: deadQueue, to: deadLetters, routingKey: postsQueue, channel: channel)
        try connection.declareQueue(postsQueue, .durable, arguments: postsArguments, channel: channel)
        try connection.bind(queue: postsQueue, to: events, routingKey: Self.everyEvent, channel: channel)
    }

    /// Declares this connection's own queue, which sees every event and tick, and gives its name.
    func declareOwnQueue(on connection: AMQPConnection, channel: UInt16) throws(AMQPFailure) -> String {
        let own = try connection.declareQueue("", .exclusive, arguments: ownArguments, channel: channel)
        try connection.bind(queue: own.name, to: events, routingKey: Self.everyEvent, channel: channel)
        try connection.bind(queue: own.name, to: events, routingKey: Self.tickKey, channel: channel)
        return own.name
    }

    private var postsArguments: [QueueArgument] {
        [
            .text("x-queue-type", "quorum"),
            // One subscriber at a time keeps the order.
            .boolean("x-single-active-consumer", true),
            .integer("x-delivery-limit", Self.deliveryLimit),
            .integer("x-max-length", Self.postsLimit),
            .text("x-dead-letter-exchange", deadLetters),
            .text("x-dead-letter-routing-key", postsQueue),
        ]
    }

    private var deadArguments: [QueueArgument] {
        [.text("x-queue-type", "quorum"), .integer("x-max-length", Self.deadLimit)]
    }

    private var ownArguments: [QueueArgument] { [.integer("x-max-length", Self.ownLimit)] }

    /// How often a message may come back because its subscriber vanished. One that keeps killing its subscriber must
    /// stop; a restart or a lost connection counts too, and a dozen of those in a row is a bad day, not a bad message.
    /// 20 is also what RabbitMQ 4 has by default; 3.10 has none.
    private static let deliveryLimit: Int64 = 20
    /// A day of 11 events a second without any subscriber, about 1 GB on disk. Past it the oldest go to the dead
    /// letters; subscribers see the hole in the positions and read it from the database.
    private static let postsLimit: Int64 = 1_000_000
    /// Enough to study what went wrong; the newest are kept.
    private static let deadLimit: Int64 = 10_000
    /// What a subscriber may be behind before it is cheaper for it to read the database: the broker keeps this in
    /// memory, at about a kilobyte each.
    private static let ownLimit: Int64 = 50_000
}
