import Application
import BusTestSupport
import Domain
import Testing

@testable import RabbitMQ

@Suite("RabbitMQ queues", .timeLimit(.minutes(2)))
struct QueueTests {
    @Test("a message that nobody can read goes to the dead letters once, and the next ones are handled")
    func undecodable() async throws {
        try await withRabbitMQ { configuration in
            let queues = RabbitMQQueues(configuration)
            try await withRunningBus(configuration) { bus in
                try await withSubscriber(to: bus) { recorder in
                    try await bus.publish(someEvents(1...3))
                    try await publishRaw(#"{"v":1,"kind":"from_the_future","id":"1","position":"4","at":1}"#, queues)
                    try await publishRaw("not even JSON", queues)
                    try await bus.publish(someEvents(5...6))
                    try await recorder.waitForEvents(5)
                    #expect(recorder.events == someEvents(1...3) + someEvents(5...6))
                    try await eventually("two dead letters") { try await queues.deadLetters() == 2 }
                    try await eventually("an empty queue") { try await queues.waitingForHandOver() == 0 }
                }
            }
            // Nothing came back when the subscriber left.
            #expect(try await queues.waitingForHandOver() == 0)
            #expect(try await queues.deadLetters() == 2)
        }
    }

    @Test("an event stays in the hand-over queue until its handler returned")
    func handOver() async throws {
        try await withRabbitMQ { configuration in
            let queues = RabbitMQQueues(configuration)
            try await withRunningBus(configuration) { bus in
                for event in someEvents(1...10) { try await bus.publish([event]) }  // A message each.
                #expect(try await queues.waitingForHandOver() == 10)
                let recorder = MessageRecorder()
                let dying: @Sendable (BusMessage) async -> Void = { message in
                    recorder.record(message)
                    guard case .event(let event) = message, event.position.rawValue == 4 else { return }
                    do { try await Task.sleep(for: .seconds(60)) } catch {}
                }
                try await withSubscriber(to: bus, handler: dying) { try await recorder.waitForEvents(4) }
                try await eventually("seven events to hand over") { try await queues.waitingForHandOver() == 7 }
                try await withSubscriber(to: bus) { second in
                    try await second.waitForEvents(7)
                    #expect(second.events == someEvents(4...10))
                    try await eventually("an empty queue") { try await queues.waitingForHandOver() == 0 }
                }
                #expect(try await queues.waitingForHandOver() == 0)
            }
        }
    }

    @Test("a subscriber whose queue is deleted declares it again")
    func consumerCancel() async throws {
        try await withRabbitMQ { configuration in
            try await withRunningBus(configuration) { bus in
                try await withSubscriber(to: bus) { recorder in
                    try await RabbitMQQueues(configuration).deleteHandOverQueue()
                    try await recorder.waitForSubscription(2)
                    try await bus.publish(someEvents(1...3))
                    try await recorder.waitForEvents(3)
                    #expect(try await RabbitMQQueues(configuration).waitingForHandOver() != nil)
                }
            }
        }
    }

    @Test("an event that no queue takes fails its publish, and the queue is declared again")
    func returned() async throws {
        try await withRabbitMQ { configuration in
            try await withRunningBus(configuration) { bus in
                try await bus.publish(someEvents(1...1))
                try await RabbitMQQueues(configuration).deleteHandOverQueue()
                let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(2...3)) }
                #expect(failure?.detail?.contains("NO_ROUTE") == true)
                try await bus.publish(someEvents(2...3))
                #expect(try await RabbitMQQueues(configuration).waitingForHandOver() == 1)  // They share a message.
            }
        }
    }

    @Test("a queue that exists with other arguments is named in the error")
    func mismatch() async throws {
        try await withRabbitMQ { configuration in
            let name = configuration.postsQueue
            try await RabbitMQQueues(configuration).onConnection { (connection) throws(AMQPFailure) in
                _ = try connection.declareQueue(name, .durable, channel: Topology.mainChannel)
            }
            try await withRunningBus(configuration) { bus in
                let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(1...1)) }
                #expect(failure?.code == .unavailable)
                #expect(failure?.detail?.contains("the queue \(name) exists with other arguments") == true)
                #expect(failure?.detail?.contains("POSTS_QUEUE") == true)
            }
        }
    }

    @Test("a wrong password is an error without the password")
    func wrongPassword() async throws {
        try await withRabbitMQ { configuration in
            var wrong = configuration
            wrong.password = "not-the-password"
            try await withRunningBus(wrong) { bus in
                let failure = await #expect(throws: ApplicationError.self) { try await bus.publish(someEvents(1...1)) }
                #expect(failure?.code == .unavailable)
                #expect(failure?.detail?.contains("not-the-password") == false)
            }
        }
    }

    private func publishRaw(_ body: String, _ queues: RabbitMQQueues) async throws {
        try await queues.onConnection { (connection) throws(AMQPFailure) in
            let message = OutgoingMessage(
                routingKey: "event.test", id: "", body: Array(body.utf8), isPersistent: true)
            try connection.publish([message], exchange: queues.eventsExchange, channel: Topology.mainChannel)
        }
    }
}

extension RabbitMQQueues {
    fileprivate var eventsExchange: String { topology.events }
}
