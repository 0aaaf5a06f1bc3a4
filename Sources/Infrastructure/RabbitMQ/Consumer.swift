import Application
import CRabbitMQ
import Domain
import Logging
import Synchronization

/// The consuming side: one thread reads and acknowledges, one task handles.
final class Consumer: Sendable {
    let link: BrokerLink
    private let topology: Topology
    private let logger: Logger
    private let buffer = Mutex(DeliveryBuffer())
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    /// The hand-over queue has a channel of its own because acknowledgements are counted by channel.
    private static let handOverChannel: UInt16 = 2
    private static let ownChannel = Topology.mainChannel
    /// Messages of each queue that may be with us unacknowledged: 200 cover a round trip of 5 ms at 40,000/s, and
    /// bound the buffer at about 400 messages.
    private static let prefetch: UInt16 = 200
    /// Handled messages after which an acknowledgement is due, so that a slow batch does not starve the prefetch.
    private static let acknowledgeEvery = 50

    init(_ configuration: RabbitMQConfiguration, logger: Logger) throws(AMQPFailure) {
        self.link = try BrokerLink(configuration, name: "subscriber", logger: logger)
        self.topology = Topology(configuration)
        self.logger = logger
        (self.arrivals, self.arrived) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Calls `handler` until cancelled.
    func run(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                // Does not end by cancellation but after the handler, so that what it handled is acknowledged.
                defer { self.arrived.finish() }
                try await self.link.run(
                    BrokerLink.Callbacks(
                        serve: { (connection) throws(AMQPFailure) in try self.serve(connection) },
                        lost: { _ in }
                    )
                )
            }
            group.addTask {
                defer { self.link.stop() }
                for await _ in self.arrivals {
                    await self.handleBatch(handler)
                }
            }
            try await group.waitForAll()
        }
    }

    private func handleBatch(_ handler: @Sendable (BusMessage) async -> Void) async {
        var handled = 0
        for item in buffer.withLock({ $0.takeItems() }) {
            guard !Task.isCancelled else { break }
            switch item {
            case .subscribed:
                await handler(.subscribed)
            case .delivery(let delivery, let connection):
                guard let messages = decode(delivery) else {
                    buffer.withLock { $0.undecodable(delivery, connection: connection) }
                    break
                }
                for message in messages where !Task.isCancelled { await handler(message) }
                // A handler that was cancelled may have given up half-way: the message goes to another subscriber.
                guard !Task.isCancelled else { break }
                buffer.withLock { $0.handled(delivery, connection: connection) }
            }
            handled += 1
            if handled % Self.acknowledgeEvery == 0 { link.wake.signal() }
        }
        link.wake.signal()
    }

    private func decode(_ delivery: Delivery) -> [BusMessage]? {
        do {
            if delivery.routingKey == Topology.tickKey {
                return [.head(try EventCoding.decodeHead(delivery.body))]
            }
            return try EventCoding.decodeLines(delivery.body).map(BusMessage.event)
        } catch {
            // Each such event comes twice to one subscriber; the copy that goes to the dead letters is told of.
            logger.log(
                level: delivery.channel == Self.handOverChannel ? .error : .debug,
                "a message cannot be read and is set aside",
                metadata: [
                    "deadLetters": "\(topology.deadQueue)",
                    "routingKey": "\(delivery.routingKey)",
                    "reason": "\(error)",
                ]
            )
            return nil
        }
    }
}

// MARK: - On the link's thread

extension Consumer {
    private func serve(_ connection: AMQPConnection) throws(AMQPFailure) {
        try topology.declare(on: connection)
        try connection.openChannel(Self.handOverChannel)
        let own = try topology.declareOwnQueue(on: connection, channel: Self.ownChannel)
        // Both queues wait for acknowledgements: the broker then sends no more than we can hold, and the connection
        // is never left unread, which would starve its heartbeats.
        try connection.consume(queue: own, prefetch: Self.prefetch, channel: Self.ownChannel)
        try connection.consume(queue: topology.postsQueue, prefetch: Self.prefetch, channel: Self.handOverChannel)
        buffer.withLock { $0.connected() }
        link.isUp()
        arrived.yield()

        var reader = DeliveryReader()
        while !link.isStopped {
            try read(from: connection, with: &reader)
            try reply(on: connection)
            link.turned()
            link.wake.wait(for: connection.descriptor, timeout: connection.pollInterval)
        }
        try reply(on: connection)
    }

    private func read(from connection: AMQPConnection, with reader: inout DeliveryReader) throws(AMQPFailure) {
        defer { connection.releaseBuffers() }
        var hasArrived = false
        defer { if hasArrived { arrived.yield() } }
        while let frame = try connection.nextFrame() {
            if frame.kind == MARTLET_AMQP_CANCEL {
                let queue = frame.channel == Self.handOverChannel ? topology.postsQueue : "of this subscriber"
                throw .consumerCancelled(queue: queue)
            }
            guard let delivery = reader.read(frame) else { continue }
            buffer.withLock { $0.received(delivery) }
            hasArrived = true
        }
    }

    private func reply(on connection: AMQPConnection) throws(AMQPFailure) {
        for reply in buffer.withLock({ $0.takeReplies() }) {
            switch reply {
            case .acknowledge(let tag, let channel): try connection.acknowledge(through: tag, channel: channel)
            case .reject(let tag, let channel): try connection.reject(tag, channel: channel)
            }
        }
    }
}

/// Puts deliveries together from their frames; those of different channels may come interleaved.
struct DeliveryReader {
    private struct Partial {
        let tag: UInt64
        let routingKey: String
        var missing: UInt64 = 0
        var body: [UInt8] = []

        mutating func append(_ fragment: UnsafeRawBufferPointer) {
            body.append(contentsOf: fragment)
            missing -= min(UInt64(fragment.count), missing)
        }
    }

    private var partials: [UInt16: Partial] = [:]

    mutating func read(_ frame: martlet_amqp_frame) -> Delivery? {
        switch frame.kind {
        case MARTLET_AMQP_DELIVER:
            partials[frame.channel] = Partial(tag: frame.delivery_tag, routingKey: String(frame.bytes))
            return nil
        case MARTLET_AMQP_HEADER:
            partials[frame.channel]?.missing = frame.body_size
        case MARTLET_AMQP_BODY:
            partials[frame.channel]?.append(frame.bytes.buffer)
        default:
            return nil
        }
        guard let partial = partials[frame.channel], partial.missing == 0 else { return nil }
        partials[frame.channel] = nil
        return Delivery(channel: frame.channel, tag: partial.tag, routingKey: partial.routingKey, body: partial.body)
    }
}
