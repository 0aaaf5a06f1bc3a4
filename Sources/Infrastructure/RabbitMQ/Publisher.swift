import CRabbitMQ
import Logging
import Synchronization

/// The publishing side: callers wait for confirms, one thread does the talking.
final class Publisher: Sendable {
    let link: BrokerLink
    private let topology: Topology
    private let deadline: Duration
    private let state = Mutex(State())

    private struct State {
        var pipeline = PublishPipeline()
        var callers: [PublishPipeline.BatchID: CheckedContinuation<Void, any Error>] = [:]
        /// The latest tick that is still to be sent; older ones say nothing that it does not.
        var tick: OutgoingMessage?
        /// Whether somebody sees to connection and deadlines.
        var isRunning = false
    }

    /// Ticks go where nothing is confirmed.
    private static let tickChannel: UInt16 = 2

    init(_ configuration: RabbitMQConfiguration, logger: Logger) throws(AMQPFailure) {
        self.link = try BrokerLink(configuration, name: "publisher", logger: logger)
        self.topology = Topology(configuration)
        self.deadline = configuration.publishDeadline
    }

    /// Keeps the connection up until cancelled.
    func run() async throws {
        let callbacks = BrokerLink.Callbacks(
            serve: { (connection) throws(AMQPFailure) in try self.serve(connection) },
            lost: { failure in self.settle { $0.disconnected(failure) } }
        )
        try await withThrowingTaskGroup { group in
            group.addTask { await self.watchDeadlines() }
            group.addTask {
                try await withTaskCancellationHandler {
                    try await self.link.run(callbacks)
                } onCancel: {
                    self.link.stop()
                }
            }
            defer { group.cancelAll() }
            try await group.waitForAll()
        }
    }

    /// One timer for all callers: a sleep for each, though cancelled, would stay with the system until it is over.
    private func watchDeadlines() async {
        state.withLock { $0.isRunning = true }
        do {
            while true {
                try await Task.sleep(for: deadline / Self.deadlineSteps)
                settle { $0.expire(at: .now, .overdue(outage: self.link.outage)) }
            }
        } catch {
            // Cancelled: nobody may wait for what nobody watches.
            state.withLock { $0.isRunning = false }
            settle { $0.disconnected(.stopped) }
        }
    }

    /// Returns when the broker has confirmed every message; waits for a connection if there is none.
    ///
    /// - Throws: ``AMQPFailure``, or `CancellationError` if cancelled while waiting.
    func publish(_ messages: [OutgoingMessage]) async throws {
        guard !messages.isEmpty else { return }
        // A step early, since deadlines are looked at once a step.
        let end = ContinuousClock.now + deadline - deadline / Self.deadlineSteps
        let batch = state.withLock { $0.pipeline.makeBatch() }
        try await waitUntilRunning(until: end)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(messages, as: batch, deadline: end, continuation)
                // Cancelled before there was something to give up.
                if Task.isCancelled { abandon(batch) }
            }
        } onCancel: {
            abandon(batch)
        }
    }

    /// Services start in any order, so a caller may be here first.
    private func waitUntilRunning(until end: ContinuousClock.Instant) async throws {
        while !state.withLock({ $0.isRunning }) {
            guard .now < end else { throw AMQPFailure.overdue(outage: "the bus does not run") }
            try await Task.sleep(for: min(deadline / Self.deadlineSteps, Self.startPoll))
        }
    }

    /// Deadlines are kept to a twentieth.
    private static let deadlineSteps = 20
    /// How late a caller notices that the bus was started; nobody waits in a running process.
    private static let startPoll: Duration = .milliseconds(20)

    /// Sends `tick` when it can; a later one takes the place of one that still waits.
    func announce(_ tick: OutgoingMessage) {
        state.withLock { $0.tick = tick }
        link.wake.signal()
    }

    private func submit(
        _ messages: [OutgoingMessage],
        as batch: PublishPipeline.BatchID,
        deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        do {
            try state.withLock { (state) throws(AMQPFailure) in
                guard state.isRunning else { throw .stopped }
                try state.pipeline.submit(messages, as: batch, deadline: deadline)
                state.callers[batch] = continuation
            }
            link.wake.signal()
        } catch {
            continuation.resume(throwing: error)
        }
    }

    private func abandon(_ batch: PublishPipeline.BatchID) {
        let caller = state.withLock { state in
            _ = state.pipeline.abandon(batch)
            return state.callers.removeValue(forKey: batch)
        }
        caller?.resume(throwing: CancellationError())
    }

    /// Changes the pipeline and tells the callers what came of it.
    private func settle(_ change: (inout PublishPipeline) -> [PublishPipeline.Outcome]) {
        typealias Answer = (caller: CheckedContinuation<Void, any Error>, failure: AMQPFailure?)
        let answers: [Answer] = state.withLock { state in
            change(&state.pipeline).compactMap { outcome -> Answer? in
                let (batch, failure): (PublishPipeline.BatchID, AMQPFailure?) =
                    switch outcome {
                    case .succeeded(let batch): (batch, nil)
                    case .failed(let batch, let failure): (batch, failure)
                    }
                return state.callers.removeValue(forKey: batch).map { ($0, failure) }
            }
        }
        for (caller, failure) in answers {
            if let failure { caller.resume(throwing: failure) } else { caller.resume() }
        }
    }
}

// MARK: - On the link's thread

extension Publisher {
    private func serve(_ connection: AMQPConnection) throws(AMQPFailure) {
        try topology.declare(on: connection)
        try connection.selectConfirms(channel: Topology.mainChannel)
        try connection.openChannel(Self.tickChannel)
        state.withLock { $0.pipeline.connected() }
        link.isUp()

        var reader = ConfirmReader()
        while !link.isStopped {
            var hasMore = true
            while hasMore && connection.canWrite {
                try send(on: connection)
                try read(from: connection, with: &reader)
                hasMore = state.withLock { $0.pipeline.hasSendable }
            }
            try read(from: connection, with: &reader)
            link.turned()
            link.wake.wait(for: connection.descriptor, forWriting: hasMore, timeout: connection.pollInterval)
        }
    }

    private func send(on connection: AMQPConnection) throws(AMQPFailure) {
        let (burst, tick) = state.withLock { state in
            defer { state.tick = nil }
            return (state.pipeline.takeSendable(), state.tick)
        }
        if !burst.isEmpty {
            try connection.publish(burst, exchange: topology.events, channel: Topology.mainChannel)
        }
        if let tick {
            try connection.publish(CollectionOfOne(tick), exchange: topology.events, channel: Self.tickChannel)
        }
    }

    private func read(from connection: AMQPConnection, with reader: inout ConfirmReader) throws(AMQPFailure) {
        defer { connection.releaseBuffers() }
        while let frame = try connection.nextFrame() {
            switch reader.read(frame) {
            case .acknowledged(let tag, let multiple):
                settle { $0.acknowledged(tag: tag, multiple: multiple) }
            case .refused(let tag, let multiple):
                settle { $0.refused(tag: tag, multiple: multiple) }
            case .returned(let code, let text):
                // The hand-over queue is gone; connecting anew declares it. That fails what is open, with this reason, and
                // not earlier: a caller that publishes again at once would still meet this connection.
                throw .returned(code: code, text: text)
            case .blocked(let reason):
                state.withLock { $0.pipeline.setBlocked(true) }
                link.setOutage("blocked by the broker: \(reason)")
            case .unblocked:
                state.withLock { $0.pipeline.setBlocked(false) }
                link.setOutage(nil)
            case nil:
                break
            }
        }
    }
}

/// Puts the frames of the publishing connection together.
struct ConfirmReader {
    enum Message: Hashable {
        case acknowledged(tag: UInt64, multiple: Bool)
        case refused(tag: UInt64, multiple: Bool)
        case returned(code: Int, text: String)
        case blocked(reason: String)
        case unblocked
    }

    /// A returned message comes as the method, then its header, then its body.
    private var returning: (code: Int, text: String)?

    mutating func read(_ frame: martlet_amqp_frame) -> Message? {
        switch frame.kind {
        case MARTLET_AMQP_ACK: return .acknowledged(tag: frame.delivery_tag, multiple: frame.multiple)
        case MARTLET_AMQP_NACK: return .refused(tag: frame.delivery_tag, multiple: frame.multiple)
        case MARTLET_AMQP_BLOCKED: return .blocked(reason: String(frame.bytes))
        case MARTLET_AMQP_UNBLOCKED: return .unblocked
        case MARTLET_AMQP_RETURN:
            returning = (Int(frame.reply_code), String(frame.bytes))
            return nil
        case MARTLET_AMQP_HEADER:
            defer { returning = nil }
            return returning.map { .returned(code: $0.code, text: $0.text) }
        default: return nil
        }
    }
}
