import CEpoll
import Foundation
import Glibc
import Synchronization

/// Many live connections, read on one thread.
final class Audience {
    /// A read takes all that a connection has, so that each costs one call as long as the reader keeps up.
    private static let readBytes = 64 * 1024
    private static let eventsPerWait: Int32 = 512

    private var connections: [LiveConnection]
    private let epoll: Int32
    private let buffer: UnsafeMutableRawBufferPointer

    /// Connects each token, `concurrency` at a time: a server takes so many handshakes at once and no more.
    init(port: UInt16, tokens: [String], concurrency: Int = 16) throws {
        let outcomes = Mutex<[Result<LiveConnection, any Error>]>([])
        let next = Atomic<Int>(0)
        runThreads(concurrency) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < tokens.count else { return }
                let outcome = Result { try LiveConnection(port: port, token: tokens[index]) }
                outcomes.withLock { $0.append(outcome) }
            }
        }
        connections = try outcomes.withLock { try $0.map { try $0.get() } }
        buffer = .allocate(byteCount: Self.readBytes, alignment: 16)
        epoll = epoll_create1(0)
        for (index, connection) in connections.enumerated() {
            var event = epoll_event()
            event.events = EPOLLIN.rawValue
            event.data.u64 = UInt64(index)
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, connection.socket.descriptor, &event) == 0 else {
                throw LoadError.system("epoll_ctl")
            }
        }
    }

    var count: Int { connections.count }

    /// Reads while `goOn` says so, which is asked at least every 100 ms; gives every text frame and when it was read.
    func listen(while goOn: () -> Bool, _ text: (UnsafeRawBufferPointer, Int64) -> Void) throws {
        var events = [epoll_event](repeating: epoll_event(), count: Int(Self.eventsPerWait))
        while goOn() {
            let ready = epoll_wait(epoll, &events, Self.eventsPerWait, 100)
            for event in events.prefix(Int(max(0, ready))) {
                let index = Int(event.data.u64)
                let descriptor = connections[index].socket.descriptor
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { throw LoadError.protocolBroken("a live connection was cut") }
                let now = nanoseconds()
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                try connections[index].received(bytes) { text($0, now) }
            }
        }
    }
}

/// Runs `body` on threads of their own and waits for all.
func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let finished = DispatchGroup()
    for index in 0..<count {
        finished.enter()
        Thread.detachNewThread {
            body(index)
            finished.leave()
        }
    }
    finished.wait()
}
