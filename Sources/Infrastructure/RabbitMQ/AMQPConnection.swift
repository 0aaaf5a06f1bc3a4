import CRabbitMQ
import Glibc

/// One AMQP 0-9-1 connection through librabbitmq, whose calls block.
///
/// Not Sendable: it lives and dies on the thread that opened it. Heartbeats run only inside ``nextFrame()``, which
/// therefore MUST be called at least every ``pollInterval``.
final class AMQPConnection {
    let descriptor: CInt
    /// Half a heartbeat: late by one turn is still in time.
    let pollInterval: Duration
    private let state: OpaquePointer

    /// Connects and logs in.
    ///
    /// - Parameter name: What the broker's list of connections shows.
    static func open(_ configuration: RabbitMQConfiguration, name: String) throws(AMQPFailure) -> AMQPConnection {
        guard let state = amqp_new_connection() else {
            throw .library(operation: "connect", reason: "out of memory")
        }
        guard let socket = amqp_tcp_socket_new(state) else {
            amqp_destroy_connection(state)
            throw .library(operation: "connect", reason: "out of memory")
        }
        var timeout = timeval(stepTimeout)
        let status = amqp_socket_open_noblock(socket, configuration.host, CInt(configuration.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else {
            amqp_destroy_connection(state)
            throw .library(operation: "connect", reason: reason(of: status))
        }
        let connection = AMQPConnection(state: state, heartbeat: configuration.heartbeat)
        amqp_set_handshake_timeout(state, &timeout)
        amqp_set_rpc_timeout(state, &timeout)
        let login = martlet_amqp_login(
            state,
            configuration.virtualHost,
            CInt(max(1, configuration.heartbeat.components.seconds)),
            name,
            configuration.user,
            configuration.password
        )
        try connection.check(login, "log in")
        return connection
    }

    private init(state: OpaquePointer, heartbeat: Duration) {
        self.state = state
        self.descriptor = amqp_get_sockfd(state)
        self.pollInterval = max(.seconds(1), heartbeat) / 2
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// Says good-bye; a broker that does not answer costs at most a second.
    func close() {
        var timeout = timeval(.seconds(1))
        amqp_set_rpc_timeout(state, &timeout)
        _ = amqp_connection_close(state, AMQP_REPLY_SUCCESS)
    }

    /// The limit on connecting, on logging in and on each call that waits for the broker's answer: a third of what a
    /// publish may take, so that the reason is known before the deadline is.
    private static let stepTimeout: Duration = .seconds(3)
}

// MARK: - Calls that wait for an answer

extension AMQPConnection {
    func openChannel(_ channel: UInt16) throws(AMQPFailure) {
        amqp_channel_open(state, channel)
        try checkLast("open a channel")
    }

    /// Declares a durable exchange.
    func declareExchange(_ name: String, type: String, channel: UInt16) throws(AMQPFailure) {
        withBytes(name) { name in
            withBytes(type) { type in
                _ = amqp_exchange_declare(state, channel, name, type, 0, 1, 0, 0, amqp_empty_table)
            }
        }
        try checkLast("declare the exchange \(name)")
    }

    enum QueueKind {
        case durable
        /// Gone with its consumer; an empty name lets the broker choose one.
        case exclusive
        /// Not declared: only looked at.
        case passive
    }

    /// Gives the queue's name and how many messages wait in it.
    ///
    /// - Throws: ``AMQPFailure/queueMismatch(queue:text:)`` if the queue exists with other arguments.
    @discardableResult
    func declareQueue(
        _ name: String,
        _ kind: QueueKind,
        arguments: [QueueArgument] = [],
        channel: UInt16
    ) throws(AMQPFailure) -> (name: String, messages: Int) {
        let exclusive: amqp_boolean_t = kind == .exclusive ? 1 : 0
        let answer = withBytes(name) { name in
            withTable(arguments) { table in
                let passive: amqp_boolean_t = kind == .passive ? 1 : 0
                let durable: amqp_boolean_t = kind == .durable ? 1 : 0
                return amqp_queue_declare(state, channel, name, passive, durable, exclusive, exclusive, table)
            }
        }
        do {
            try checkLast("declare the queue \(name)")
        } catch .channelClosed(_, let code, let text) where code == Int(AMQP_PRECONDITION_FAILED) {
            throw .queueMismatch(queue: name, text: text)
        }
        guard let answer else { throw .library(operation: "declare the queue \(name)", reason: "no answer") }
        return (String(answer.pointee.queue), Int(answer.pointee.message_count))
    }

    func bind(queue: String, to exchange: String, routingKey: String, channel: UInt16) throws(AMQPFailure) {
        withBytes(queue) { queue in
            withBytes(exchange) { exchange in
                withBytes(routingKey) { routingKey in
                    _ = amqp_queue_bind(state, channel, queue, exchange, routingKey, amqp_empty_table)
                }
            }
        }
        try checkLast("bind the queue \(queue)")
    }

    func selectConfirms(channel: UInt16) throws(AMQPFailure) {
        _ = amqp_confirm_select(state, channel)
        try checkLast("ask for confirms")
    }

    /// Starts a consumer that holds at most `prefetch` messages unacknowledged.
    func consume(queue: String, prefetch: UInt16, channel: UInt16) throws(AMQPFailure) {
        _ = amqp_basic_qos(state, channel, 0, prefetch, 0)
        try checkLast("limit the prefetch of \(queue)")
        withBytes(queue) { queue in
            _ = amqp_basic_consume(state, channel, queue, amqp_empty_bytes, 0, 0, 0, amqp_empty_table)
        }
        try checkLast("consume \(queue)")
    }

    func deleteQueue(_ name: String, channel: UInt16) throws(AMQPFailure) {
        withBytes(name) { _ = amqp_queue_delete(state, channel, $0, 0, 0) }
        try checkLast("delete the queue \(name)")
    }

    func deleteExchange(_ name: String, channel: UInt16) throws(AMQPFailure) {
        withBytes(name) { _ = amqp_exchange_delete(state, channel, $0, 0) }
        try checkLast("delete the exchange \(name)")
    }
}

// MARK: - Frames

extension AMQPConnection {
    /// Whether the socket takes a few dozen kilobytes without blocking: Linux says so from a third of its send buffer
    /// being free.
    var canWrite: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, 0) > 0
    }

    /// Sends messages as one burst.
    func publish(_ messages: some Collection<OutgoingMessage>, exchange: String, channel: UInt16) throws(AMQPFailure) {
        // Corked, a burst leaves in full segments and the broker reads many messages at once.
        let corks = messages.count > 1
        if corks { _ = martlet_set_cork(descriptor, true) }
        defer { if corks { _ = martlet_set_cork(descriptor, false) } }
        var status = AMQP_STATUS_OK.rawValue
        withBytes(exchange) { exchange in
            for message in messages where status == AMQP_STATUS_OK.rawValue {
                status = withBytes(message.routingKey) { routingKey in
                    withBytes(message.id) { id in
                        message.body.withUnsafeBytes { body in
                            let isPersistent = message.isPersistent
                            let body = amqp_bytes_t(body)
                            return martlet_amqp_publish(state, channel, exchange, routingKey, id, isPersistent, body)
                        }
                    }
                }
            }
        }
        try check(status, "publish")
    }

    func acknowledge(through tag: UInt64, channel: UInt16) throws(AMQPFailure) {
        try check(amqp_basic_ack(state, channel, tag, 1), "acknowledge")
    }

    /// Sends a message to the dead letters of its queue, if that has any.
    func reject(_ tag: UInt64, channel: UInt16) throws(AMQPFailure) {
        try check(amqp_basic_reject(state, channel, tag, 0), "reject")
    }

    /// The next frame that is already there. Sends a heartbeat when one is due.
    ///
    /// What the frame points to is valid until ``releaseBuffers()``.
    /// - Throws: also when the broker closed the channel or the connection, or missed its heartbeats.
    func nextFrame() throws(AMQPFailure) -> martlet_amqp_frame? {
        var frame = martlet_amqp_frame()
        let status = martlet_amqp_next_frame(state, &frame)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        try check(status, "read")
        switch frame.kind {
        case MARTLET_AMQP_CHANNEL_CLOSE:
            throw .channelClosed(operation: "read", code: Int(frame.reply_code), text: String(frame.bytes))
        case MARTLET_AMQP_CONNECTION_CLOSE:
            throw .connectionClosed(operation: "read", code: Int(frame.reply_code), text: String(frame.bytes))
        default:
            return frame
        }
    }

    /// Gives back the memory of the frames that were read.
    func releaseBuffers() {
        amqp_maybe_release_buffers(state)
    }
}

// MARK: - Errors

extension AMQPConnection {
    private func check(_ status: CInt, _ operation: String) throws(AMQPFailure) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw .library(operation: operation, reason: Self.reason(of: status))
    }

    private func checkLast(_ operation: @autoclosure () -> String) throws(AMQPFailure) {
        try check(martlet_amqp_last_outcome(state), operation())
    }

    private func check(_ outcome: martlet_amqp_outcome, _ operation: @autoclosure () -> String) throws(AMQPFailure) {
        let code = Int(outcome.code)
        switch outcome.kind {
        case MARTLET_AMQP_OK: return
        case MARTLET_AMQP_CHANNEL_CLOSED:
            throw .channelClosed(operation: operation(), code: code, text: String(outcome.text))
        case MARTLET_AMQP_CONNECTION_CLOSED:
            throw .connectionClosed(operation: operation(), code: code, text: String(outcome.text))
        default:
            throw .library(operation: operation(), reason: Self.reason(of: outcome.code))
        }
    }

    private static func reason(of status: CInt) -> String {
        guard let text = amqp_error_string2(status) else { return "status \(status)" }
        return String(cString: text)
    }
}
