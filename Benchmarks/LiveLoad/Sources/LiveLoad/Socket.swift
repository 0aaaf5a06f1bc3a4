import Glibc

/// A TCP connection to a port of this machine.
struct Socket {
    let descriptor: Int32

    /// - Throws: ``LoadError`` if nobody listens.
    static func connect(port: UInt16) throws(LoadError) -> Socket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw .system("connect to port \(port)") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return Socket(descriptor: descriptor)
    }

    /// What a load client sends is small, so that the kernel's buffer takes it whole.
    func send(_ bytes: [UInt8]) throws(LoadError) {
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw .system("send")
        }
    }

    /// Waits for bytes and appends them.
    func receive(into buffer: inout [UInt8]) throws(LoadError) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count >= 0 else { throw .system("recv") }
        guard count > 0 else { throw .protocolBroken("the server closed the connection") }
        buffer += chunk[..<count]
    }

    func setTimeout(seconds: Int) {
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
}

enum LoadError: Error, CustomStringConvertible {
    case system(String, code: Int32)
    case protocolBroken(String)
    case usage(String)

    static func system(_ call: String) -> LoadError { .system(call, code: errno) }

    var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .protocolBroken(let what): what
        case .usage(let usage): usage
        }
    }
}

/// Of the machine's monotonic clock, which all threads share.
func nanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
