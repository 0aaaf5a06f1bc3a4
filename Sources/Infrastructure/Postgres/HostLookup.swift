import Dispatch
import Glibc
import Synchronization

/// One look at the resolver for the addresses of host names, on a thread of its own: libpq would look on the thread that
/// connects, which other connections need, and for as long as the resolver likes.
final class HostLookup: Sendable {
    /// Gives the addresses of a host in numbers, the best first; none if it is not known.
    typealias Resolve = @Sendable (_ host: String) -> [String]

    private let found = Mutex<[String: [String]]?>(nil)
    private let isOver = DispatchSemaphore(value: 0)

    /// - Parameter whenOver: called on the lookup's thread.
    init(
        _ hosts: [String],
        with resolve: @escaping Resolve,
        whenOver: @escaping @Sendable () -> Void = {}
    ) throws(PostgresFailure) {
        let isStarted = RunningThreads().start("postgres-lookup") { [self] in
            let addresses = Dictionary(hosts.map { ($0, resolve($0)) }) { first, _ in first }
            found.withLock { $0 = addresses }
            isOver.signal()
            whenOver()
        }
        guard isStarted else { throw .lost("no thread left") }
    }

    /// By host; nil until the lookup is over.
    var addresses: [String: [String]]? { found.withLock { $0 } }

    /// Blocks the thread until the lookup is over; one thread at most may wait.
    /// - Returns: nil if the time was up first.
    func wait(for limit: Duration) -> [String: [String]]? {
        guard addresses == nil else { return addresses }
        _ = isOver.wait(timeout: .now() + .milliseconds(Int(limit.inMilliseconds)))
        return addresses
    }

    /// Asks the system, which may block for half a minute.
    static let system: Resolve = { host in
        addresses(of: host, flags: 0)
    }

    /// Whether the resolver is not needed, since this is an address in numbers.
    static func isAddress(_ host: String) -> Bool {
        !addresses(of: host, flags: AI_NUMERICHOST).isEmpty
    }

    private static func addresses(of host: String, flags: Int32) -> [String] {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            if status == 0 {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                addresses.append(String(decoding: bytes, as: UTF8.self))
            }
            next = entry.ai_next
        }
        return addresses
    }
}
