import Foundation

/// The RabbitMQ that `make test` starts, or any that `MARTLET_TEST_RABBITMQ_URL` names.
package enum RabbitMQServer {
    package static func url() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["MARTLET_TEST_RABBITMQ_URL"] else {
            throw MissingService(name: "RabbitMQ", variable: "MARTLET_TEST_RABBITMQ_URL")
        }
        return url
    }
}
