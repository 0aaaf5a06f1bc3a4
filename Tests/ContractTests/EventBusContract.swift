import Application
import BusTestSupport
import Domain
import Testing

@Suite("Every event bus", .timeLimit(.minutes(2)))
struct EventBusContract {
    @Test("shows every event to every subscriber, in order", arguments: BusKind.allCases)
    func everySubscriber(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await withSubscriber(to: bus) { first in
                try await withSubscriber(to: bus) { second in
                    let events = someEvents(1...100)
                    try await bus.publish(Array(events[..<60]))
                    try await bus.publish(Array(events[60...]))
                    for recorder in [first, second] {
                        try await recorder.waitForEvents(100)
                        #expect(recorder.events == events)
                    }
                }
            }
        }
    }

    @Test("carries every kind of event unchanged", arguments: BusKind.allCases)
    func everyKind(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await withSubscriber(to: bus) { recorder in
                try await bus.publish(eventsOfEveryKind)
                try await recorder.waitForEvents(eventsOfEveryKind.count)
                #expect(recorder.events == eventsOfEveryKind)
            }
        }
    }

    @Test("hands over what was published before anybody subscribed", arguments: BusKind.allCases)
    func handOver(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await bus.publish(someEvents(1...20))
            try await withSubscriber(to: bus) { recorder in
                try await recorder.waitForEvents(20)
                #expect(recorder.events == someEvents(1...20))
            }
        }
    }

    @Test("hands an event to another subscriber if the first went away while handling it", arguments: BusKind.allCases)
    func handOverAfterCrash(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await bus.publish(someEvents(1...5))
            let first = MessageRecorder()
            let dying: @Sendable (BusMessage) async -> Void = { message in
                first.record(message)
                guard case .event(let event) = message, event.position.rawValue == 3 else { return }
                // In the midst of its work until it is killed.
                do { try await Task.sleep(for: .seconds(60)) } catch {}
            }
            try await withSubscriber(to: bus, handler: dying) {
                try await first.waitForEvents(3)
            }
            #expect(first.events.last?.position.rawValue == 3)
            try await withSubscriber(to: bus) { second in
                try await second.wait("event 5") { $0.contains(.event(anEvent(at: 5))) }
                #expect(second.events.contains(anEvent(at: 3)))
                #expect(second.events.contains(anEvent(at: 4)))
                #expect(second.events.map(\.position) == second.events.map(\.position).sorted())
            }
        }
    }

    @Test("tells every subscriber of the head", arguments: BusKind.allCases)
    func heads(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await withSubscriber(to: bus) { first in
                try await withSubscriber(to: bus) { second in
                    try await bus.publish(someEvents(1...3))
                    try await bus.announce(head: Position(rawValue: 3))
                    for recorder in [first, second] {
                        try await recorder.wait("the head") { $0.contains(.head(Position(rawValue: 3))) }
                    }
                }
            }
        }
    }

    @Test("keeps no head for a later subscriber", arguments: BusKind.allCases)
    func headsAreTransient(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await bus.publish(someEvents(1...1))
            try await bus.announce(head: Position(rawValue: 1))
            // The bus takes messages in order, so after this one the head is gone its way.
            try await bus.publish(someEvents(2...2))
            try await withSubscriber(to: bus) { recorder in
                try await recorder.waitForEvents(2)
                #expect(!recorder.messages.contains(.head(Position(rawValue: 1))))
            }
        }
    }

    @Test("says first that the subscription is in place", arguments: BusKind.allCases)
    func subscribedFirst(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await bus.publish(someEvents(1...2))
            try await withSubscriber(to: bus) { recorder in
                try await recorder.waitForEvents(2)
                #expect(recorder.messages.first == .subscribed)
            }
        }
    }

    @Test("calls the handler for one message at a time", arguments: BusKind.allCases)
    func oneAtATime(_ kind: BusKind) async throws {
        try await kind.run { bus in
            let recorder = MessageRecorder()
            let running = Counter()
            let handler: @Sendable (BusMessage) async -> Void = { message in
                await running.enter()
                await Task.yield()
                await running.leave()
                recorder.record(message)
            }
            try await withSubscriber(to: bus, handler: handler) {
                try await recorder.waitForSubscription()
                try await bus.publish(someEvents(1...50))
                try await recorder.waitForEvents(50)
            }
            #expect(await running.most == 1)
        }
    }

    @Test("publishes a thousand events at once, and many callers' events together", arguments: BusKind.allCases)
    func thousand(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await withSubscriber(to: bus) { recorder in
                try await bus.publish(someEvents(1...1000))
                try await withThrowingTaskGroup { group in
                    for start in stride(from: Int64(1001), through: 1991, by: 10) {
                        group.addTask { try await bus.publish(someEvents(start...start + 9)) }
                    }
                    try await group.waitForAll()
                }
                try await recorder.waitForEvents(2000)
                #expect(Array(recorder.events.prefix(1000)) == someEvents(1...1000))
                #expect(Set(recorder.events) == Set(someEvents(1...2000)))
            }
        }
    }

    @Test("takes an empty publish for done", arguments: BusKind.allCases)
    func empty(_ kind: BusKind) async throws {
        try await kind.run { bus in try await bus.publish([]) }
    }

    @Test("ends a subscription when it is cancelled", arguments: BusKind.allCases)
    func cancellation(_ kind: BusKind) async throws {
        try await kind.run { bus in
            let recorder = MessageRecorder()
            try await deadline(.seconds(20), waitingFor: "the end of a cancelled subscription") {
                try await withSubscriber(to: bus, handler: { recorder.record($0) }) {
                    try await recorder.waitForSubscription()
                }
            }
            let count = recorder.messages.count
            try await withSubscriber(to: bus) { other in
                try await bus.publish(someEvents(1...3))
                try await other.waitForEvents(3)
            }
            #expect(recorder.messages.count == count)
        }
    }

    @Test("is healthy while it runs", arguments: BusKind.allCases)
    func health(_ kind: BusKind) async throws {
        try await kind.run { bus in
            try await bus.publish(someEvents(1...1))
            try await bus.checkHealth()
        }
    }
}

private actor Counter {
    private var count = 0
    private(set) var most = 0

    func enter() {
        count += 1
        most = max(most, count)
    }

    func leave() { count -= 1 }
}
