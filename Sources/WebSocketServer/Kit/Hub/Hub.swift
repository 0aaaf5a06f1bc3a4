import NIOCore

/// All event loops' parts, as the feed sees them.
struct Hub: Sendable {
    let parts: [HubPart]

    init(eventLoops: [any EventLoop], configuration: LiveServerConfiguration) {
        parts = eventLoops.map { HubPart(eventLoop: $0, configuration: configuration) }
    }

    func part(of eventLoop: any EventLoop) -> HubPart? {
        parts.first { $0.eventLoop === eventLoop }
    }

    /// Hands `events` to every loop and waits for those loops that are far behind.
    func publish(_ events: [HubEvent]) async {
        for part in parts {
            guard part.post(events) > Self.maximumBacklog else { continue }
            await part.caughtUp()
        }
    }

    /// Bounds the frames that wait for a busy loop: about 1 MB of them.
    private static let maximumBacklog = 1024
}
