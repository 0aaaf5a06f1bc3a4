package import Application
package import Domain
import Synchronization

/// ``EventBus`` for one process: a bounded log that every subscriber reads at its own pace.
///
/// While a subscriber is behind by the whole log, publishing waits. While nobody is subscribed, events wait, and past
/// the limit the oldest are dropped: positions are dense, so the next subscriber sees the hole and fetches it from the
/// event log, as it does after every ``BusMessage/subscribed``. Nothing survives the process; the relay publishes
/// again what it had not marked.
package final class InProcessBus: EventBus {
    private let state: Mutex<State>
    private let publishDeadline: Duration

    private struct State {
        var log: HandOverLog
        var subscribers: [HandOverLog.SubscriberID: AsyncStream<Void>.Continuation] = [:]
        var publishers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextPublisher = 0

        func wakeSubscribers() {
            for subscriber in subscribers.values { subscriber.yield() }
        }

        func wakePublishers() {
            for publisher in publishers.values { publisher.yield() }
        }
    }

    /// - Parameters:
    ///   - limit: Events that may wait, 4,096 by default: seconds of the fastest publishing, a few megabytes of posts.
    ///   - publishDeadline: What the port promises.
    package init(limit: Int = 4096, publishDeadline: Duration = .seconds(10)) {
        self.state = Mutex(State(log: HandOverLog(limit: limit)))
        self.publishDeadline = publishDeadline
    }

    /// Concurrent calls may interleave their events.
    package func publish(_ events: [RecordedEvent]) async throws {
        var rest = append(events[...])
        guard !rest.isEmpty else { return }
        let deadline = ContinuousClock.now + publishDeadline
        while !rest.isEmpty {
            try await waitForRoom(until: deadline)
            rest = append(rest)
        }
    }

    package func announce(head: Position) async throws {
        state.withLock { state in
            state.log.announce(head)
            state.wakeSubscribers()
        }
    }

    package func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            let id = state.log.addSubscriber()
            state.subscribers[id] = signal
            return id
        }
        defer {
            state.withLock { state in
                state.subscribers[id] = nil
                state.log.removeSubscriber(id)
                state.wakePublishers()
            }
        }
        signal.yield()
        for await _ in signals {
            while !Task.isCancelled, let message = state.withLock({ $0.log.next(for: id) }) {
                await handler(message)
                // A handler that was cancelled may have given up half-way: the event waits for another subscriber.
                guard case .event = message, !Task.isCancelled else { continue }
                state.withLock { state in
                    if state.log.handled(by: id) { state.wakePublishers() }
                }
            }
        }
    }

    /// There is nothing that could be out.
    package func checkHealth() async throws {}

    /// Gives what found no room.
    private func append(_ events: ArraySlice<RecordedEvent>) -> ArraySlice<RecordedEvent> {
        state.withLock { state in
            var rest = events
            while let event = rest.first, state.log.append(event) { rest.removeFirst() }
            state.wakeSubscribers()
            return rest
        }
    }

    private func waitForRoom(until deadline: ContinuousClock.Instant) async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            defer { state.nextPublisher += 1 }
            state.publishers[state.nextPublisher] = signal
            // A subscriber may have made room since the append.
            if state.log.hasRoom { signal.yield() }
            return state.nextPublisher
        }
        defer { _ = state.withLock { $0.publishers.removeValue(forKey: id) } }
        try await withThrowingTaskGroup { group in
            group.addTask {
                for await _ in signals { return }
                try Task.checkCancellation()
            }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                throw ApplicationError.unavailable("broker", detail: "subscribers do not keep up")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
