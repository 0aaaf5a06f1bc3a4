/// A message that the broker handed to us.
struct Delivery: Hashable {
    let channel: UInt16
    let tag: UInt64
    let routingKey: String
    let body: [UInt8]
}

/// What lies between the thread that reads from the broker and the task that handles: deliveries one way,
/// acknowledgements the other, without any I/O.
///
/// It is bounded because the broker sends no more than the prefetch of each channel before an acknowledgement; that is
/// the back-pressure, and the connection can be read at all times, which keeps its heartbeats alive.
struct DeliveryBuffer {
    enum Item: Hashable {
        case subscribed
        case delivery(Delivery, connection: Int)
    }

    enum Reply: Hashable {
        case acknowledge(through: UInt64, channel: UInt16)
        /// To the dead letters.
        case reject(UInt64, channel: UInt16)
    }

    private var items: [Item] = []
    private var replies: [Reply] = []
    /// Tags mean nothing on another connection than their own.
    private var connection = 0

    /// Starts a new connection. What an older one left is dropped: its queue for us alone is gone, the hand-over queue
    /// delivers again, and ``Item/subscribed`` tells the handler to look for what it missed.
    mutating func connected() {
        connection += 1
        items = [.subscribed]
        replies = []
    }

    mutating func received(_ delivery: Delivery) {
        items.append(.delivery(delivery, connection: connection))
    }

    /// Everything that waits to be handled, in order.
    mutating func takeItems() -> [Item] {
        defer { items = [] }
        return items
    }

    /// A delivery was handled. Deliveries of one channel MUST be reported in their order.
    mutating func handled(_ delivery: Delivery, connection: Int) {
        guard connection == self.connection else { return }
        let reply = Reply.acknowledge(through: delivery.tag, channel: delivery.channel)
        // One acknowledgement covers all before it, up to a rejection.
        for index in replies.indices.reversed() {
            switch replies[index] {
            case .acknowledge(_, delivery.channel):
                replies[index] = reply
                return
            case .reject(_, delivery.channel):
                replies.append(reply)
                return
            case .acknowledge, .reject:
                continue
            }
        }
        replies.append(reply)
    }

    /// A delivery can never be handled.
    mutating func undecodable(_ delivery: Delivery, connection: Int) {
        guard connection == self.connection else { return }
        replies.append(.reject(delivery.tag, channel: delivery.channel))
    }

    /// What to tell the broker, in order.
    mutating func takeReplies() -> [Reply] {
        defer { replies = [] }
        return replies
    }
}
