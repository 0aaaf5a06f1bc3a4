import Application
import BusTestSupport
import Domain
import RabbitMQ
import Testing

@Suite("RabbitMQ outages", .timeLimit(.minutes(2)))
struct OutageTests {
    @Test("a connection that is cut fails what is unconfirmed, and publishing goes on over the next one")
    func cutWhilePublishing() async throws {
        try await withProxiedBus { bus, proxy in
            try await bus.publish(someEvents(1...10))
            // About a third of what follows.
            proxy.cut(afterBytes: 40_000)
            let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(11...300)) }
            #expect(failure?.code == .unavailable)
            await #expect(throws: ApplicationError.self) { try await bus.checkHealth() }
            proxy.set(.fair)
            try await publishStubbornly(someEvents(11...300), on: bus)
            try await bus.checkHealth()
            try await withSubscriber(to: bus) { recorder in
                try await recorder.waitForEvents(300)
                #expect(Set(recorder.events) == Set(someEvents(1...300)))
            }
        }
    }

    @Test("a broker that hangs fails a publish at the deadline and health after two heartbeats")
    func frozenBroker() async throws {
        try await withProxiedBus(publishDeadline: .milliseconds(500)) { bus, proxy in
            try await publishStubbornly(someEvents(1...1), on: bus)
            proxy.set(.frozen)
            let start = ContinuousClock.now
            let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(2...2000)) }
            #expect(failure?.code == .unavailable)
            #expect(failure?.word == "broker_unavailable")
            let elapsed = ContinuousClock.now - start
            #expect(elapsed >= .milliseconds(400))
            #expect(elapsed < .seconds(3))
            try await eventually(within: .seconds(10), "an unhealthy bus") { await !isHealthy(bus) }
            proxy.set(.fair)
            try await eventually("a healthy bus") { await isHealthy(bus) }
            try await publishStubbornly(someEvents(2...20), on: bus)
        }
    }

    @Test("a subscriber whose connection is cut subscribes again, says so and sees what came later")
    func cutSubscriber() async throws {
        try await withProxiedBus { bus, proxy in
            try await withSubscriber(to: bus) { recorder in
                try await publishStubbornly(someEvents(1...5), on: bus)
                try await recorder.waitForEvents(5)
                proxy.set(.cut)
                try await eventually("an unhealthy bus") { await !isHealthy(bus) }
                proxy.set(.fair)
                try await recorder.waitForSubscription(2)
                try await publishStubbornly(someEvents(6...10), on: bus)
                try await recorder.waitForEvents(10)
                #expect(recorder.events == someEvents(1...10))
            }
        }
    }

    @Test("a subscriber of a broker that hangs notices by the missing heartbeats and subscribes again")
    func frozenSubscriber() async throws {
        try await withProxy { configuration, proxy in
            // It does not run, so its health is that of its subscription alone.
            let bus = try RabbitMQBus(configuration, logger: quietLogger)
            try await withSubscriber(to: bus) { recorder in
                #expect(await isHealthy(bus))
                proxy.set(.frozen)
                try await eventually(within: .seconds(10), "an unhealthy bus") { await !isHealthy(bus) }
                proxy.set(.fair)
                try await recorder.waitForSubscription(2)
            }
        }
    }

    @Test("a slow handler does not cost the connection its heartbeats")
    func slowHandler() async throws {
        try await withProxiedBus { bus, proxy in
            let recorder = MessageRecorder()
            let slow: @Sendable (BusMessage) async -> Void = { message in
                recorder.record(message)
                guard case .event(let event) = message, event.position.rawValue == 1 else { return }
                // Longer than the two heartbeats of a second each after which either side gives up.
                do { try await Task.sleep(for: .seconds(4)) } catch {}
            }
            try await withSubscriber(to: bus, handler: slow) {
                try await recorder.waitForSubscription()
                try await eventually("both connections") { await isHealthy(bus) }
                let connections = proxy.connections
                try await bus.publish(someEvents(1...1000))
                try await recorder.waitForEvents(1000)
                #expect(proxy.connections == connections)
            }
            #expect(recorder.events == someEvents(1...1000))
            #expect(recorder.messages.count { $0 == .subscribed } == 1)
        }
    }

    @Test("a bus without a broker fails a publish, is unhealthy and still ends when cancelled")
    func noBroker() async throws {
        // Port 1 of this machine answers with a reset.
        let configuration = RabbitMQConfiguration(port: 1, publishDeadline: .milliseconds(500))
        try await deadline(.seconds(20), waitingFor: "the end of the bus") {
            try await withRunningBus(configuration) { bus in
                let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(1...1)) }
                #expect(failure?.code == .unavailable)
                await #expect(throws: ApplicationError.self) { try await bus.checkHealth() }
            }
        }
    }

    @Test("a bus that does not run is unhealthy, and publishing on it ends at the deadline")
    func notRunning() async throws {
        let bus = try RabbitMQBus(RabbitMQConfiguration(publishDeadline: .milliseconds(50)), logger: quietLogger)
        await #expect(throws: ApplicationError.self) { try await bus.checkHealth() }
        let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(1...1)) }
        #expect(failure?.code == .unavailable)
    }

    @Test("a publish that is cancelled ends at once")
    func cancelledPublish() async throws {
        let bus = try RabbitMQBus(RabbitMQConfiguration(publishDeadline: .seconds(60)), logger: quietLogger)
        try await deadline(.seconds(20), waitingFor: "a cancelled publish") {
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup { group in
                    group.addTask { try await bus.publish(someEvents(1...1)) }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        }
    }

    private func withProxiedBus(
        publishDeadline: Duration = .seconds(10),
        _ body: (RabbitMQBus, TCPProxy) async throws -> Void
    ) async throws {
        try await withProxy { configuration, proxy in
            var configuration = configuration
            configuration.publishDeadline = publishDeadline
            try await withRunningBus(configuration) { try await body($0, proxy) }
        }
    }

    private func withProxy(_ body: (RabbitMQConfiguration, TCPProxy) async throws -> Void) async throws {
        try await withRabbitMQ { configuration in
            try await TCPProxy.with(target: configuration.port) { proxy in
                var proxied = configuration
                proxied.port = proxy.port
                proxied.heartbeat = .seconds(1)
                try await body(proxied, proxy)
            }
        }
    }

    private func isHealthy(_ bus: RabbitMQBus) async -> Bool {
        do {
            try await bus.checkHealth()
            return true
        } catch {
            return false
        }
    }

    /// As the relay does.
    private func publishStubbornly(_ events: [RecordedEvent], on bus: RabbitMQBus) async throws {
        try await eventually("a publish that works") {
            do {
                try await bus.publish(events)
                return true
            } catch is ApplicationError {
                return false
            }
        }
    }
}
