import Application

/// A look at our queues from outside, for operators and tests. Each call makes a connection of its own.
package struct RabbitMQQueues: Sendable {
    private let configuration: RabbitMQConfiguration

    package init(_ configuration: RabbitMQConfiguration) {
        self.configuration = configuration
    }

    var topology: Topology { Topology(configuration) }

    /// Events that are accepted and ready, but not with any subscriber yet; `nil` if there is no such queue.
    package func waitingForHandOver() async throws -> Int? {
        try await messages(in: topology.postsQueue)
    }

    /// Messages that were set aside; `nil` if there is no such queue.
    package func deadLetters() async throws -> Int? {
        try await messages(in: topology.deadQueue)
    }

    /// Deletes the hand-over queue with what waits in it; subscribers make it anew.
    package func deleteHandOverQueue() async throws {
        let queue = topology.postsQueue
        try await onConnection { (connection) throws(AMQPFailure) in
            try connection.deleteQueue(queue, channel: Topology.mainChannel)
        }
    }

    /// Deletes everything durable that the bus declares.
    package func deleteAll() async throws {
        let topology = topology
        try await onConnection { (connection) throws(AMQPFailure) in
            for queue in [topology.postsQueue, topology.deadQueue] {
                try connection.deleteQueue(queue, channel: Topology.mainChannel)
            }
            for exchange in [topology.events, topology.deadLetters] {
                try connection.deleteExchange(exchange, channel: Topology.mainChannel)
            }
        }
    }

    private func messages(in queue: String) async throws -> Int? {
        try await onConnection { (connection) throws(AMQPFailure) in
            do throws(AMQPFailure) {
                return try connection.declareQueue(queue, .passive, channel: Topology.mainChannel).messages
            } catch .channelClosed(_, code: 404, _) {
                return nil
            }
        }
    }

    func onConnection<Value: Sendable>(
        _ body: @escaping @Sendable (AMQPConnection) throws(AMQPFailure) -> Value
    ) async throws -> Value {
        do {
            return try await onDedicatedThread { [configuration] in
                let connection = try AMQPConnection.open(configuration, name: "martlet queues")
                try connection.openChannel(Topology.mainChannel)
                let value = try body(connection)
                connection.close()
                return value
            }
        } catch let failure as AMQPFailure {
            throw failure.applicationError
        }
    }
}
