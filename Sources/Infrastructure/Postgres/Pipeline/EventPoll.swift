import CPostgres
import Glibc
import SQL

/// Readiness of descriptors by Linux's epoll, level-triggered.
final class EventPoll: Sendable {
    private let descriptor: Int32

    /// - Throws: ``SQLError/unavailable(_:)`` if this process has no descriptor left.
    init() throws(SQLError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .unavailable("no descriptor left") }
    }

    deinit {
        close(descriptor)
    }

    /// Watches a descriptor, or changes what it is watched for. Closing a descriptor ends its watch.
    func watch(_ watched: Int32, token: Int, writable: Bool, readable: Bool = true) {
        var event = epoll_event()
        event.events = (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(token)
        if epoll_ctl(descriptor, EPOLL_CTL_MOD, watched, &event) != 0 {
            epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event)
        }
    }

    /// - Parameters:
    ///   - timeout: milliseconds; -1 waits for ever.
    ///   - events: room for what is told at once; what is in it does not matter.
    func wait(timeout: Int32, _ events: inout [epoll_event], _ body: (_ token: Int) -> Void) {
        let count = epoll_wait(descriptor, &events, Int32(events.count), timeout)
        for index in 0..<max(0, Int(count)) { body(Int(events[index].data.u64)) }
    }
}
