import Glibc
import Synchronization

/// Stands between us and the broker and plays the bad network.
final class TCPProxy: Sendable {
    enum Weather: Int, AtomicRepresentable {
        case fair
        /// Nothing gets through, but connections stay open, as with a broker that hangs.
        case frozen
        /// Open connections are cut and new ones end at once.
        case cut
    }

    let port: Int
    private let listener: CInt
    private let target: Int
    private let weather = Atomic<Weather>(.fair)
    private let isStopped = Atomic<Bool>(false)
    private let accepted = Atomic<Int>(0)

    private let bytesUntilCut = Atomic<Int>(.max)

    /// Connections that were forwarded so far.
    var connections: Int { accepted.load(ordering: .relaxed) }

    func set(_ weather: Weather) { self.weather.store(weather, ordering: .relaxed) }

    /// Cuts all connections as soon as this many more bytes went to the broker.
    func cut(afterBytes count: Int) { bytesUntilCut.store(count, ordering: .relaxed) }

    /// Calls `body` with a proxy to `target` on this machine.
    static func with(target: Int, _ body: (TCPProxy) async throws -> Void) async throws {
        let proxy = try TCPProxy(target: target)
        defer { proxy.isStopped.store(true, ordering: .relaxed) }
        onThread { proxy.accept() }
        try await body(proxy)
    }

    private init(target: Int) throws {
        self.target = target
        self.listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) | listen(descriptor, 16) | getsockname(descriptor, pointer, &length)
            }
        }
        guard status == 0 else { throw SocketError(code: errno) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    private func accept() {
        defer { close(listener) }
        while !isStopped.load(ordering: .relaxed) {
            guard isReadable(listener) else { continue }
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { continue }
            guard weather.load(ordering: .relaxed) != .cut, let server = connected() else {
                close(client)
                continue
            }
            accepted.add(1, ordering: .relaxed)
            onThread {
                self.pump(client, server)
                close(client)
                close(server)
            }
        }
    }

    /// Both ways on one thread; the buffers are small, so a frozen proxy soon holds up its peers.
    private func pump(_ client: CInt, _ server: CInt) {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while !isStopped.load(ordering: .relaxed) {
            switch weather.load(ordering: .relaxed) {
            case .cut: return
            case .frozen:
                usleep(5000)
                continue
            case .fair: break
            }
            for (from, to) in [(client, server), (server, client)] where isReadable(from, milliseconds: 1) {
                let count = read(from, &buffer, buffer.count)
                if from == client, bytesUntilCut.subtract(count, ordering: .relaxed).newValue < 0 {
                    bytesUntilCut.store(.max, ordering: .relaxed)
                    set(.cut)
                    return
                }
                guard count > 0, send(to, buffer, count, CInt(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    private func connected() -> CInt? {
        let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: target)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(server, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return server }
        close(server)
        return nil
    }
}

struct SocketError: Error {
    let code: CInt
}

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

private func isReadable(_ descriptor: CInt, milliseconds: CInt = 20) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&watched, 1, milliseconds) > 0
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func onThread(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(run)).toOpaque()
    pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        },
        argument
    )
    pthread_detach(thread)
}
