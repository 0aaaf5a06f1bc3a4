import NIOCore
import Synchronization

/// One event loop's share of the hub: a mailbox that anyone may fill, and the state that only the loop touches.
final class HubPart: Sendable {
    let eventLoop: any EventLoop
    private let inbox = Mutex(Inbox())
    private let chunkBytes: Int
    private let box: NIOLoopBoundBox<LocalHub>

    init(eventLoop: any EventLoop, configuration: LiveServerConfiguration) {
        self.eventLoop = eventLoop
        self.chunkBytes = configuration.maximumOutboundBytes / Self.chunksOutbound
        self.box = NIOLoopBoundBox.makeBoxSendingValue(
            LocalHub(eventLoop: eventLoop, configuration: configuration),
            eventLoop: eventLoop
        )
    }

    /// Only on the loop.
    var local: LocalHub { box.value }

    private struct Inbox {
        var events: ArraySlice<HubEvent> = []
        /// Whether a task of the loop is going to take from it.
        var isAwaited = false
        /// Who waits until it is empty.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// How many chunks fit into what may wait for a connection: few enough to leave it time to read between them.
    private static let chunksOutbound = 16
    /// Bounds a chunk of events that send nothing.
    private static let chunkEvents = 256
    /// Between two chunks. A pause, since a loop runs the tasks that are due before it looks at its sockets.
    private static let pause: TimeAmount = .milliseconds(1)
    /// The same while somebody does not keep up: some 6 MB/s.
    private static let longPause: TimeAmount = .milliseconds(10)

    /// Hands events over in order; whatever gathers before the loop gets to it is applied together. Gives how many
    /// events wait.
    @discardableResult
    func post(_ events: [HubEvent]) -> Int {
        let (waiting, isAwaited) = inbox.withLock { inbox in
            defer { inbox.isAwaited = true }
            inbox.events.append(contentsOf: events)
            return (inbox.events.count, inbox.isAwaited)
        }
        if !isAwaited {
            eventLoop.execute { self.applyChunk() }
        }
        return waiting
    }

    /// Returns when every event posted so far has been applied.
    func caughtUp() async {
        await withCheckedContinuation { continuation in
            let isEmpty = inbox.withLock { inbox in
                if inbox.isAwaited { inbox.waiters.append(continuation) }
                return !inbox.isAwaited
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func applyChunk() {
        let isBehind = local.apply(inbox.withLock { takeChunk(from: &$0) })
        let waiters = inbox.withLock { inbox in
            guard inbox.events.isEmpty else { return [CheckedContinuation<Void, Never>]?.none }
            defer { inbox = Inbox() }
            return inbox.waiters
        }
        if let waiters {
            for waiter in waiters { waiter.resume() }
        } else {
            eventLoop.scheduleTask(in: isBehind ? Self.longPause : Self.pause) { self.applyChunk() }
        }
    }

    private func takeChunk(from inbox: inout Inbox) -> ArraySlice<HubEvent> {
        var bytes = 0
        let chunk = inbox.events.prefix(Self.chunkEvents).prefix { event in
            defer { bytes += event.frameBytes }
            return bytes < chunkBytes
        }
        inbox.events.removeFirst(chunk.count)
        return chunk
    }
}
