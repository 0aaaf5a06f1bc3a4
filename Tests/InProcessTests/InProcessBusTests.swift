import Application
import BusTestSupport
import Domain
import InProcess
import Synchronization
import Testing

@Suite("In-process bus", .timeLimit(.minutes(1)))
struct InProcessBusTests {
    @Test("keeps the newest events while nobody is subscribed")
    func dropsOldest() async throws {
        let bus = InProcessBus(limit: 10)
        try await bus.publish(someEvents(1...15))
        try await withSubscriber(to: bus) { recorder in
            try await recorder.waitForEvents(10)
            #expect(recorder.events == someEvents(6...15))
        }
    }

    @Test("makes a publisher wait for a subscriber that is behind")
    func backPressure() async throws {
        let bus = InProcessBus(limit: 10, publishDeadline: .milliseconds(100))
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let recorder = MessageRecorder()
        let slow: @Sendable (BusMessage) async -> Void = { message in
            recorder.record(message)
            guard case .event(let event) = message, event.position.rawValue == 1 else { return }
            for await _ in gate { return }
        }
        try await withSubscriber(to: bus, handler: slow) {
            try await recorder.waitForSubscription()
            try await bus.publish(someEvents(1...10))
            try await recorder.waitForEvents(1)
            let refusal = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(11...11)) }
            #expect(refusal?.code == .unavailable)
            open.yield()
            try await recorder.waitForEvents(10)
            try await bus.publish(someEvents(11...40))
            try await recorder.waitForEvents(40)
            #expect(recorder.events == someEvents(1...40))
        }
    }

    @Test("lets a waiting publisher go on when the slow subscriber leaves")
    func slowSubscriberLeaves() async throws {
        let bus = InProcessBus(limit: 2)
        let recorder = MessageRecorder()
        let stuck: @Sendable (BusMessage) async -> Void = { message in
            recorder.record(message)
            guard case .event = message else { return }
            do { try await Task.sleep(for: .seconds(60)) } catch {}
        }
        try await withThrowingTaskGroup { group in
            try await withSubscriber(to: bus, handler: stuck) {
                try await recorder.waitForSubscription()
                group.addTask { try await bus.publish(someEvents(1...5)) }
                try await recorder.waitForEvents(1)
            }
            try await group.waitForAll()
        }
        try await withSubscriber(to: bus) { next in
            try await next.waitForEvents(2)
            #expect(next.events == someEvents(4...5))
        }
    }

    @Test("gives up a publish that is cancelled while it waits")
    func cancelledPublish() async throws {
        let bus = InProcessBus(limit: 1)
        let recorder = MessageRecorder()
        let stuck: @Sendable (BusMessage) async -> Void = { message in
            recorder.record(message)
            guard case .event = message else { return }
            do { try await Task.sleep(for: .seconds(60)) } catch {}
        }
        try await withSubscriber(to: bus, handler: stuck) {
            try await recorder.waitForSubscription()
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup { group in
                    group.addTask { try await bus.publish(someEvents(1...3)) }
                    try await recorder.waitForEvents(1)
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        }
    }
}
