package import Application
package import Domain
package import Logging
import Synchronization

/// ``EventBus`` over RabbitMQ: a topic exchange, a quorum queue that hands each event over once, and a queue for each
/// subscriber so that all of them see every event. ``Topology`` has the names and limits.
///
/// Publishing takes a running ``run()``; subscribing does not, so a process that only subscribes has one connection.
package final class RabbitMQBus: EventBus {
    private let configuration: RabbitMQConfiguration
    private let logger: Logger
    private let publisher: Publisher
    /// The connections that were asked for.
    private let links = Mutex<[ObjectIdentifier: BrokerLink]>([:])

    /// - Throws: ``ApplicationError`` `unavailable` if the process has no descriptor left.
    package init(_ configuration: RabbitMQConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        do {
            self.publisher = try Publisher(configuration, logger: logger)
        } catch {
            throw error.applicationError
        }
    }

    /// Keeps the publishing connection up until cancelled, then closes it and returns.
    package func run() async throws {
        try await tracked(publisher.link) { try await publisher.run() }
    }

    package func publish(_ events: [RecordedEvent]) async throws {
        let messages = stride(from: 0, to: events.count, by: Self.eventsPerMessage).map { start in
            Self.message(of: events[start..<min(start + Self.eventsPerMessage, events.count)])
        }
        do {
            try await publisher.publish(messages)
        } catch let failure as AMQPFailure {
            throw failure.applicationError
        }
    }

    /// The broker's work is by the message, so events that are published together share one. 32 posts of the longest text
    /// make 600 KB, and beyond 32 there is little left to save.
    private static let eventsPerMessage = 32

    private static func message(of events: ArraySlice<RecordedEvent>) -> OutgoingMessage {
        let kinds = Set(events.map { EventCoding.kind(of: $0.event) })
        let kind = kinds.count == 1 ? kinds.first : nil
        return OutgoingMessage(
            routingKey: Topology.routingKey(ofKind: kind ?? "several"),
            id: events.first.map { String($0.id) } ?? "",
            body: EventCoding.encodeLines(events),
            isPersistent: true
        )
    }

    /// Sends the latest head when there is a connection; it is not confirmed and no queue keeps it for later.
    package func announce(head: Position) async throws {
        let body = EventCoding.encode(head: head)
        publisher.announce(OutgoingMessage(routingKey: Topology.tickKey, id: "", body: body, isPersistent: false))
    }

    package func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {
        let consumer: Consumer
        do {
            consumer = try Consumer(configuration, logger: logger)
        } catch {
            throw error.applicationError
        }
        try await tracked(consumer.link) { try await consumer.run(handler) }
    }

    /// Costs no round trip: each connection that ``run()`` or ``subscribe(_:)`` keeps must be up, with its heartbeats.
    package func checkHealth() async throws {
        let links = links.withLock { Array($0.values) }
        guard !links.isEmpty else {
            throw ApplicationError.unavailable("broker", detail: "the bus does not run")
        }
        let outages = links.compactMap(\.outage)
        guard outages.isEmpty else {
            throw ApplicationError.unavailable("broker", detail: outages.joined(separator: "; "))
        }
    }

    private func tracked(_ link: BrokerLink, _ body: () async throws -> Void) async throws {
        links.withLock { $0[ObjectIdentifier(link)] = link }
        defer { _ = links.withLock { $0.removeValue(forKey: ObjectIdentifier(link)) } }
        do {
            try await body()
        } catch let failure as AMQPFailure {
            throw failure.applicationError
        }
    }
}
