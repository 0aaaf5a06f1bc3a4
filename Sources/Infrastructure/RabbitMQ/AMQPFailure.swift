import Application

/// Why talking to the broker failed. None of them carries a secret.
enum AMQPFailure: Error, Hashable {
    /// librabbitmq's own complaint: no connection, time-out, missed heartbeats.
    case library(operation: String, reason: String)
    case channelClosed(operation: String, code: Int, text: String)
    case connectionClosed(operation: String, code: Int, text: String)
    /// A queue exists with other arguments than ours.
    case queueMismatch(queue: String, text: String)
    /// The broker ended a consumer, mostly because its queue was deleted.
    case consumerCancelled(queue: String)
    /// An event went to no queue.
    case returned(code: Int, text: String)
    /// The broker could not keep an event.
    case refused
    /// More waits to be published than we hold.
    case backlogFull(limit: Int)
    /// The broker, or the way to it, did not answer in time.
    case overdue(outage: String?)
    case stopped
}

extension AMQPFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .library(let operation, let reason): "\(operation): \(reason)"
        case .channelClosed(let operation, let code, let text):
            "\(operation): channel closed by the broker: \(code) \(text)"
        case .connectionClosed(let operation, let code, let text):
            "\(operation): connection closed by the broker: \(code) \(text)"
        case .queueMismatch(let queue, let text):
            "the queue \(queue) exists with other arguments than Martlet's; "
                + "delete it once it is empty, or set POSTS_QUEUE to another name: \(text)"
        case .consumerCancelled(let queue): "the broker cancelled our consumer of the queue \(queue)"
        case .returned(let code, let text): "an event was returned as unroutable: \(code) \(text)"
        case .refused: "the broker refused to keep an event (nack)"
        case .backlogFull(let limit): "\(limit) events are waiting to be published already"
        case .overdue(let outage): "no confirm in time: \(outage ?? "the broker is silent")"
        case .stopped: "the bus was stopped"
        }
    }

    /// As it leaves the adapter.
    var applicationError: ApplicationError { .unavailable("broker", detail: description) }
}
