import DequeModule

/// What is waiting to be published and what is on its way: the bookkeeping of publisher confirms, without any I/O.
///
/// A batch is one call of `publish`. It succeeds when the broker has confirmed each of its messages, and fails as a
/// whole with the first that is refused. Delivery tags count from 1 on each connection.
struct PublishPipeline {
    typealias BatchID = Int

    enum Outcome: Hashable {
        case succeeded(BatchID)
        case failed(BatchID, AMQPFailure)
    }

    /// Messages on their way at once: enough that a broker with 8 ms to a confirm takes 60,000/s, little enough to be
    /// published again after a lost connection.
    static let window = 500
    /// Messages that wait for the window. Callers publish again what is refused here.
    static let backlogLimit = 10_000
    /// Bytes handed over in one go: a third of any send buffer Linux gives a socket, so that writing them does not
    /// block once the socket is writable.
    static let burstBytes = 16 * 1024

    private struct Batch {
        var unconfirmed: Int
        let deadline: ContinuousClock.Instant
    }

    private struct Sent {
        let batch: BatchID
        var isConfirmed = false
    }

    private var nextBatch: BatchID = 0
    /// Those that have neither succeeded nor failed.
    private var open: [BatchID: Batch] = [:]
    private var waiting = Deque<(batch: BatchID, message: OutgoingMessage)>()
    private var sent = Deque<Sent>()
    /// The delivery tag of the first of `sent`.
    private var firstTag: UInt64 = 1
    private var isConnected = false
    private var isBlocked = false

    /// Names a batch before its messages are handed in, so that a caller can give up at any moment.
    mutating func makeBatch() -> BatchID {
        defer { nextBatch += 1 }
        return nextBatch
    }

    /// - Parameter messages: At least one.
    mutating func submit(
        _ messages: [OutgoingMessage],
        as batch: BatchID,
        deadline: ContinuousClock.Instant
    ) throws(AMQPFailure) {
        guard waiting.count + messages.count <= Self.backlogLimit || waiting.isEmpty else {
            throw .backlogFull(limit: Self.backlogLimit)
        }
        open[batch] = Batch(unconfirmed: messages.count, deadline: deadline)
        for message in messages { waiting.append((batch, message)) }
    }

    /// Forgets a batch: what of it waits is not sent, what was sent is of no interest. Gives whether it was open.
    mutating func abandon(_ batch: BatchID) -> Bool {
        guard open.removeValue(forKey: batch) != nil else { return false }
        waiting.removeAll { $0.batch == batch }
        return true
    }

    /// A new connection counts its tags anew.
    mutating func connected() {
        isConnected = true
        isBlocked = false
        firstTag = 1
    }

    /// Fails everything that is open: what was sent may or may not have arrived, and what waits must not overtake it.
    mutating func disconnected(_ failure: AMQPFailure) -> [Outcome] {
        isConnected = false
        let outcomes = open.keys.sorted().map { Outcome.failed($0, failure) }
        open.removeAll()
        waiting.removeAll()
        sent.removeAll()
        return outcomes
    }

    /// Fails the batches whose deadline is `now` or was before.
    mutating func expire(at now: ContinuousClock.Instant, _ failure: AMQPFailure) -> [Outcome] {
        let overdue = open.filter { $0.value.deadline <= now }.keys.sorted()
        return overdue.compactMap { fail($0, failure) }
    }

    /// The broker asks us to stop (or lets us go on): low on memory or disk.
    mutating func setBlocked(_ isBlocked: Bool) {
        self.isBlocked = isBlocked
    }

    var hasSendable: Bool { isConnected && !isBlocked && !waiting.isEmpty && sent.count < Self.window }

    /// The next messages to send, in order; they MUST be sent, as their tags are given.
    mutating func takeSendable() -> [OutgoingMessage] {
        var burst: [OutgoingMessage] = []
        var bytes = 0
        while hasSendable, bytes < Self.burstBytes, let (batch, message) = waiting.first {
            guard burst.isEmpty || bytes + message.body.count <= Self.burstBytes else { break }
            waiting.removeFirst()
            sent.append(Sent(batch: batch))
            burst.append(message)
            bytes += message.body.count
        }
        return burst
    }

    mutating func acknowledged(tag: UInt64, multiple: Bool) -> [Outcome] {
        settle(tag: tag, multiple: multiple, failure: nil)
    }

    mutating func refused(tag: UInt64, multiple: Bool) -> [Outcome] {
        settle(tag: tag, multiple: multiple, failure: .refused)
    }

    private mutating func settle(tag: UInt64, multiple: Bool, failure: AMQPFailure?) -> [Outcome] {
        // A tag of 0 with `multiple` means everything sent so far (AMQP 0-9-1, basic.ack).
        let last = tag == 0 && multiple ? firstTag + UInt64(sent.count) - 1 : tag
        guard last >= firstTag, last < firstTag + UInt64(sent.count) else { return [] }
        let offset = Int(last - firstTag)
        var outcomes: [Outcome] = []
        for index in multiple ? 0...offset : offset...offset where !sent[index].isConfirmed {
            sent[index].isConfirmed = true
            let batch = sent[index].batch
            let outcome = if let failure { fail(batch, failure) } else { confirm(batch) }
            if let outcome { outcomes.append(outcome) }
        }
        while sent.first?.isConfirmed == true {
            sent.removeFirst()
            firstTag += 1
        }
        return outcomes
    }

    private mutating func confirm(_ batch: BatchID) -> Outcome? {
        guard let count = open[batch]?.unconfirmed else { return nil }
        guard count == 1 else {
            open[batch]?.unconfirmed = count - 1
            return nil
        }
        open[batch] = nil
        return .succeeded(batch)
    }

    private mutating func fail(_ batch: BatchID, _ failure: AMQPFailure) -> Outcome? {
        abandon(batch) ? .failed(batch, failure) : nil
    }
}
