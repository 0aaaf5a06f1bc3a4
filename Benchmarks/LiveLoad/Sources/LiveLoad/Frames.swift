/// Frames from a server, cut out of a byte stream (RFC 6455, 5.2). It trusts the server: checking is the tests' work.
struct Frames {
    enum Kind {
        case text
        case ping
        case close
        case other
    }

    /// The start of a frame whose end has not come yet.
    private var rest: [UInt8] = []

    /// Gives every whole frame's payload; the pointer is good for that call only.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (Kind, UnsafeRawBufferPointer) throws -> Void) rethrows
    {
        if rest.isEmpty {
            let used = try Self.cut(bytes, body)
            if used < bytes.count { rest = Array(bytes[used...]) }
        } else {
            rest += bytes
            let used = try rest.withUnsafeBytes { try Self.cut($0, body) }
            rest.removeFirst(used)
        }
    }

    /// Gives how many bytes were whole frames.
    private static func cut(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Kind, UnsafeRawBufferPointer) throws -> Void
    ) rethrows -> Int {
        var start = 0
        while bytes.count - start >= 2 {
            var length = Int(bytes[start + 1] & 0x7f)
            var header = 2
            if length >= 126 {
                header += length == 126 ? 2 : 8
                guard bytes.count - start >= header else { break }
                length = bytes[(start + 2)..<(start + header)].reduce(0) { $0 << 8 | Int($1) }
            }
            let end = start + header + length
            guard end <= bytes.count else { break }
            let kind: Kind =
                switch bytes[start] & 0xf {
                case 0x1: .text
                case 0x8: .close
                case 0x9: .ping
                default: .other
                }
            try body(kind, UnsafeRawBufferPointer(rebasing: bytes[(start + header)..<end]))
            start = end
        }
        return start
    }

    /// A pong as a client sends it: masked, here with zeros, which change nothing.
    static func pong(_ payload: UnsafeRawBufferPointer) -> [UInt8] {
        [0x8a, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
    }
}
