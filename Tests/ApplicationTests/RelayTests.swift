import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite("Relay")
struct RelayTests {
    @Test("what is committed reaches the bus in order, and is marked published", arguments: Engine.allCases)
    func order(engine: Engine) async throws {
        try await engine.withStores { stores in
            let bus = FlakyBus(failures: 0)
            let signal = OutboxSignal()
            let ann = try await stores.someone()
            try await withRunning(relay(stores, bus, signal)) {
                for number in 0..<20 {
                    _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)"))
                    signal.signal()
                }
                let events = try await eventually("20 events") { bus.published.count == 20 ? bus.published : nil }
                #expect(events.map(\.position.rawValue) == Array(1...20))
                #expect(events.compactMap { $0.post?.post.text.description } == (0..<20).map { "post \($0)" })
                _ = try await eventually("the watermark at 20") {
                    try await stores.events.publishedPosition() == Position(rawValue: 20) ? true : nil
                }
            }
        }
    }

    @Test("a commit of another process is found without a signal", arguments: Engine.allCases)
    func poll(engine: Engine) async throws {
        try await engine.withStores { stores in
            let bus = FlakyBus(failures: 0)
            try await withRunning(relay(stores, bus, OutboxSignal())) {
                _ = try await eventually("the first head") { bus.heads.isEmpty ? nil : true }
                _ = try await stores.posts.insert(try aPost(by: try await stores.someone()))
                _ = try await eventually("the event") { bus.published.isEmpty ? nil : true }
            }
        }
    }

    @Test("while the bus is out events wait, and none is lost when it is back", arguments: Engine.allCases)
    func outage(engine: Engine) async throws {
        try await engine.withStores { stores in
            let bus = FlakyBus(failures: 3)
            let signal = OutboxSignal()
            let ann = try await stores.someone()
            try await withRunning(relay(stores, bus, signal)) {
                for number in 0..<5 {
                    _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)"))
                    signal.signal()
                }
                let positions = try await eventually("5 events") {
                    let seen = Set(bus.published.map(\.position.rawValue))
                    return seen.count == 5 ? seen : nil
                }
                #expect(positions == Set(1...5))
                #expect(bus.refused == 3)
            }
        }
    }

    @Test("a successor publishes what its predecessor stamped and did not publish", arguments: Engine.allCases)
    func takeOver(engine: Engine) async throws {
        try await engine.withStores { stores in
            let ann = try await stores.someone()
            for number in 0..<3 { _ = try await stores.posts.insert(try aPost(by: ann, "post \(number)")) }
            _ = try await stores.events.stamp(limit: 10, published: .start)
            try await stores.events.markPublished(upTo: Position(rawValue: 1))
            let bus = FlakyBus(failures: 0)
            try await withRunning(relay(stores, bus, OutboxSignal())) {
                _ = try await eventually("events 2 and 3") { bus.published.count == 2 ? true : nil }
                #expect(bus.published.map(\.position.rawValue) == [2, 3])
            }
        }
    }

    private func relay(_ stores: Stores, _ bus: FlakyBus, _ signal: OutboxSignal) -> @Sendable () async throws -> Void {
        let relay = Relay(log: stores.events, bus: bus, signal: signal, logger: .quiet)
        return { try await relay.run() }
    }
}

/// A bus that refuses its first publications, as a broker that restarts does.
private final class FlakyBus: EventBus {
    private struct State {
        var failures: Int
        var refused = 0
        var published: [RecordedEvent] = []
        var heads: [Position] = []
    }

    private let state: Mutex<State>

    init(failures: Int) {
        state = Mutex(State(failures: failures))
    }

    var published: [RecordedEvent] { state.withLock { $0.published } }
    var heads: [Position] { state.withLock { $0.heads } }
    var refused: Int { state.withLock { $0.refused } }

    func publish(_ events: [RecordedEvent]) async throws {
        try state.withLock { state in
            guard state.failures == 0 else {
                state.failures -= 1
                state.refused += 1
                throw ApplicationError.unavailable("broker", detail: "refused by the test")
            }
            state.published += events
        }
    }

    func announce(head: Position) async throws {
        state.withLock { $0.heads.append(head) }
    }

    func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws {}

    func checkHealth() async throws {}
}
