import Application
import Domain

/// Events that some subscriber still needs, with a cursor for each subscriber, without any I/O.
///
/// An entry leaves when every subscriber has handled it; without any subscriber it waits for one. Entries that one
/// subscriber handled while another had not are not given to a third that comes later: it was handed over.
struct HandOverLog {
    typealias SubscriberID = Int

    private struct Subscriber {
        /// The number of the first entry that it has not handled.
        var next: Int
        var isTold = false
        var head: Position?
    }

    private var entries: [RecordedEvent] = []
    /// Entries in front of `entries` that are gone, and the number of its first.
    private var firstNumber = 0
    /// The number of the first entry that no subscriber has handled.
    private var handedOver = 0
    private var subscribers: [SubscriberID: Subscriber] = [:]
    private var nextSubscriber: SubscriberID = 0
    private let limit: Int
    /// Handled entries leave in blocks, since each removal moves what is left.
    private let trimBlock: Int

    /// - Parameter limit: Entries that are kept at most; at least 1.
    init(limit: Int) {
        self.limit = limit
        self.trimBlock = max(1, limit / 16)
    }

    /// Starts with what waits.
    mutating func addSubscriber() -> SubscriberID {
        defer { nextSubscriber += 1 }
        subscribers[nextSubscriber] = Subscriber(next: handedOver)
        return nextSubscriber
    }

    /// What only this subscriber had not handled leaves with it.
    mutating func removeSubscriber(_ id: SubscriberID) {
        subscribers[id] = nil
        trim()
    }

    var hasRoom: Bool { entries.count < limit || subscribers.isEmpty }

    /// Takes an event, or gives `false` if subscribers must first handle others. Without subscribers the oldest event
    /// makes room.
    mutating func append(_ event: RecordedEvent) -> Bool {
        guard hasRoom else { return false }
        if entries.count >= limit {
            entries.removeFirst()
            firstNumber += 1
            handedOver = max(handedOver, firstNumber)
        }
        entries.append(event)
        return true
    }

    mutating func announce(_ head: Position) {
        for id in subscribers.keys { subscribers[id]?.head = head }
    }

    /// What `id` handles next, in order. An event is given again until it is ``handled(by:)``.
    mutating func next(for id: SubscriberID) -> BusMessage? {
        guard let subscriber = subscribers[id] else { return nil }
        if !subscriber.isTold {
            subscribers[id]?.isTold = true
            return .subscribed
        }
        let index = subscriber.next - firstNumber
        if entries.indices.contains(index) { return .event(entries[index]) }
        // A head is told after the events before it, so that it reveals no hole that is none.
        defer { subscribers[id]?.head = nil }
        return subscriber.head.map { .head($0) }
    }

    /// The event that ``next(for:)`` gave was handled. Gives whether that made room.
    mutating func handled(by id: SubscriberID) -> Bool {
        guard let next = subscribers[id]?.next else { return false }
        subscribers[id]?.next = next + 1
        handedOver = max(handedOver, next + 1)
        return trim()
    }

    @discardableResult
    private mutating func trim() -> Bool {
        let needed = min(handedOver, subscribers.values.map(\.next).min() ?? handedOver)
        let count = needed - firstNumber
        guard count >= trimBlock || count == entries.count, count > 0 else { return false }
        entries.removeFirst(count)
        firstNumber += count
        return true
    }
}
