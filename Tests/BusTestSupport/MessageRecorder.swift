package import Application
import Domain
import Synchronization

/// Remembers what a subscriber was given and lets a test wait for it.
package final class MessageRecorder: Sendable {
    private let state = Mutex(State())

    private struct State {
        var messages: [BusMessage] = []
        var watchers: [Int: AsyncStream<[BusMessage]>.Continuation] = [:]
        var nextWatcher = 0
    }

    package init() {}

    package func record(_ message: BusMessage) {
        state.withLock { state in
            state.messages.append(message)
            for watcher in state.watchers.values { watcher.yield(state.messages) }
        }
    }

    package var messages: [BusMessage] { state.withLock { $0.messages } }

    /// Each event at its first delivery, in that order: a bus may deliver twice.
    package var events: [RecordedEvent] { Self.events(in: messages) }

    package static func events(in messages: [BusMessage]) -> [RecordedEvent] {
        var seen: Set<Int64> = []
        return messages.compactMap { message in
            guard case .event(let event) = message, seen.insert(event.id).inserted else { return nil }
            return event
        }
    }

    package func waitForEvents(_ count: Int, within limit: Duration = .seconds(20)) async throws {
        try await wait("\(count) events", within: limit) { Self.events(in: $0).count >= count }
    }

    /// Waits for the `count`-th time that the subscription is in place.
    package func waitForSubscription(_ count: Int = 1, within limit: Duration = .seconds(20)) async throws {
        try await wait("subscription \(count)", within: limit) { $0.count { $0 == .subscribed } >= count }
    }

    /// - Throws: ``Overdue`` when `condition` does not come true in time.
    package func wait(
        _ what: String,
        within limit: Duration = .seconds(20),
        until condition: @escaping @Sendable ([BusMessage]) -> Bool
    ) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: [BusMessage].self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            defer { state.nextWatcher += 1 }
            state.watchers[state.nextWatcher] = continuation
            continuation.yield(state.messages)
            return state.nextWatcher
        }
        defer { _ = state.withLock { $0.watchers.removeValue(forKey: id) } }
        try await deadline(limit, waitingFor: what) {
            for await messages in stream where condition(messages) { return }
        }
    }
}

package struct Overdue: Error, CustomStringConvertible {
    package let description: String
}

/// - Throws: ``Overdue`` when `body` takes longer than `limit`.
@discardableResult
package func deadline<Value: Sendable>(
    _ limit: Duration,
    waitingFor what: String,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: limit)
            throw Overdue(description: "waited \(limit) in vain for \(what)")
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// Asks again and again, for what nobody can tell us of.
package func eventually(
    within limit: Duration = .seconds(20),
    _ what: String,
    _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
    try await deadline(limit, waitingFor: what) {
        while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }
}
