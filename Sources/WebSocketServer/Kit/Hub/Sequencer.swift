import Application
import Domain

/// Puts events into their one order: each position once, none before those below it, none left out unnoticed.
struct Sequencer: Sendable {
    enum Step: Hashable, Sendable {
        case apply(RecordedEvent)
        /// Known already.
        case ignore
        /// Something is missing: read the log after ``Sequencer/head`` until `head` reaches `target`.
        case fetch(upTo: Position)
    }

    enum Fetched: Hashable, Sendable {
        case apply(RecordedEvent)
        /// The log no longer holds what stood before `position`; whoever listened has missed it.
        case lost(before: Position)
    }

    /// The last position applied.
    private(set) var head: Position

    init(head: Position) {
        self.head = head
    }

    /// An event came from the bus.
    mutating func receive(_ event: RecordedEvent) -> Step {
        if event.position <= head { return .ignore }
        guard event.position == head.next else { return .fetch(upTo: event.position) }
        head = event.position
        return .apply(event)
    }

    /// Somebody says that `position` was given out: what lies between it and `head` has been missed.
    func announce(_ position: Position) -> Step {
        position > head ? .fetch(upTo: position) : .ignore
    }

    /// A page of the log after `head` came, in order. What `target` promised and an empty page does not hold has been
    /// removed: positions are stamped in the log before anyone tells of them.
    mutating func receive(fetched events: [RecordedEvent], upTo target: Position) -> [Fetched] {
        if events.isEmpty, target > head {
            head = target
            return [.lost(before: target.next)]
        }
        var result: [Fetched] = []
        result.reserveCapacity(events.count)
        for event in events where event.position > head {
            if event.position > head.next { result.append(.lost(before: event.position)) }
            head = event.position
            result.append(.apply(event))
        }
        return result
    }
}
