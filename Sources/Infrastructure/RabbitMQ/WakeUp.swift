import CRabbitMQ
import Glibc
import Synchronization

/// Lets any thread end another's sleep in `poll`, so that no latency hangs on a polling interval.
final class WakeUp: Sendable {
    private let descriptor: CInt
    /// Saves the system call while a signal is still to be seen.
    private let isSignalled = Atomic<Bool>(false)

    /// - Throws: ``AMQPFailure/library(operation:reason:)`` if the process has no descriptor left.
    init() throws(AMQPFailure) {
        self.descriptor = martlet_eventfd()
        guard descriptor >= 0 else { throw .library(operation: "eventfd", reason: "errno \(errno)") }
    }

    deinit {
        _ = close(descriptor)
    }

    /// Whatever was changed before this call is seen after the sleep that it ends.
    func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        // A full counter would refuse the write, and would have woken the sleeper long before.
        _ = write(descriptor, &one, MemoryLayout.size(ofValue: one))
    }

    /// Sleeps until a signal, `socket` can be read (or written, if `forWriting`), or the time is over.
    func wait(for socket: CInt? = nil, forWriting: Bool = false, timeout: Duration) {
        let events = forWriting ? POLLIN | POLLOUT : POLLIN
        var watched = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is passed over.
            pollfd(fd: socket ?? -1, events: Int16(events), revents: 0),
        ]
        _ = poll(&watched, 2, CInt(clamping: timeout.wholeMilliseconds))
        guard watched[0].revents != 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout.size(ofValue: count))
        _ = isSignalled.exchange(false, ordering: .acquiringAndReleasing)
    }
}

extension Duration {
    /// Rounded up, so that a wait is not cut to a busy loop.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
