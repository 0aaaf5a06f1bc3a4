import NIOCore
import Synchronization

/// One event loop's share of the hub: a mailbox that anyone may fill, and the state that only the loop touches.
final class HubPart: Sendable {
    let eventLoop: any EventLoop
    private let inbox = Mutex<[HubEvent]>([])
    private let box: NIOLoopBoundBox<LocalHub>

    init(eventLoop: any EventLoop, configuration: LiveServerConfiguration) {
        self.eventLoop = eventLoop
        self.box = NIOLoopBoundBox.makeBoxSendingValue(
            LocalHub(eventLoop: eventLoop, configuration: configuration),
            eventLoop: eventLoop
        )
    }

    /// Only on the loop.
    var local: LocalHub { box.value }

    /// Hands events over in order; whatever gathers before the loop gets to it is applied in one go. Gives how many
    /// events wait.
    @discardableResult
    func post(_ events: [HubEvent]) -> Int {
        let waiting = inbox.withLock { inbox in
            inbox.append(contentsOf: events)
            return inbox.count
        }
        if waiting == events.count {
            eventLoop.execute { self.drain() }
        }
        return waiting
    }

    private func drain() {
        let events = inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        local.apply(events)
    }
}
