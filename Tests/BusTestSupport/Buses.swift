package import Application
import FoundationEssentials
import InProcess
package import Logging
package import RabbitMQ

/// Every adapter of the port `EventBus`.
package enum BusKind: CaseIterable, Sendable {
    case inProcess
    case rabbitMQ

    /// Runs `body` with a bus that nobody else uses.
    package func run(_ body: (any EventBus) async throws -> Void) async throws {
        switch self {
        case .inProcess:
            try await body(InProcessBus())
        case .rabbitMQ:
            try await withRabbitMQ { configuration in
                try await withRunningBus(configuration, body)
            }
        }
    }
}

package struct MissingEnvironment: Error, CustomStringConvertible {
    package let description: String
}

/// Calls `body` with names of its own on the broker of MARTLET_TEST_RABBITMQ_URL, and cleans up.
package func withRabbitMQ(_ body: (RabbitMQConfiguration) async throws -> Void) async throws {
    guard let url = ProcessInfo.processInfo.environment["MARTLET_TEST_RABBITMQ_URL"] else {
        throw MissingEnvironment(description: "set MARTLET_TEST_RABBITMQ_URL, e.g. amqp://guest:guest@127.0.0.1:5672/")
    }
    var configuration = try RabbitMQConfiguration(url: url)
    let name = "test-\(UInt64.random(in: .min ... .max))"
    configuration.exchangePrefix = name
    configuration.postsQueue = name + ".posts"
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(try await body(configuration))
    } catch {
        outcome = .failure(error)
    }
    try await RabbitMQQueues(configuration).deleteAll()
    try outcome.get()
}

/// Calls `body` with a bus that runs meanwhile.
package func withRunningBus(
    _ configuration: RabbitMQConfiguration,
    _ body: (RabbitMQBus) async throws -> Void
) async throws {
    let bus = try RabbitMQBus(configuration, logger: quietLogger)
    try await withThrowingTaskGroup { group in
        group.addTask { try await bus.run() }
        defer { group.cancelAll() }
        try await body(bus)
    }
}

/// Calls `body` while a subscriber records what it is given.
package func withSubscriber(
    to bus: any EventBus,
    _ body: (MessageRecorder) async throws -> Void
) async throws {
    let recorder = MessageRecorder()
    try await withSubscriber(to: bus, handler: { recorder.record($0) }) {
        try await recorder.waitForSubscription()
        try await body(recorder)
    }
}

package func withSubscriber(
    to bus: any EventBus,
    handler: @escaping @Sendable (BusMessage) async -> Void,
    _ body: () async throws -> Void
) async throws {
    try await withThrowingTaskGroup { group in
        group.addTask { try await bus.subscribe(handler) }
        defer { group.cancelAll() }
        try await body()
    }
}

/// Outages are what these tests are about: their warnings would only fill the output.
package let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
