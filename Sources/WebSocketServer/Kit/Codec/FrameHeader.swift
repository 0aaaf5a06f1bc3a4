/// The head of a frame (RFC 6455, 5.2).
package struct FrameHeader: Hashable, Sendable {
    package var isFinal: Bool
    package var reserved: ReservedBits
    package var opcode: Opcode
    /// `nil` on what a server sends.
    package var mask: Mask?
    package var payloadBytes: Int

    package init(isFinal: Bool, reserved: ReservedBits = [], opcode: Opcode, mask: Mask? = nil, payloadBytes: Int) {
        self.isFinal = isFinal
        self.reserved = reserved
        self.opcode = opcode
        self.mask = mask
        self.payloadBytes = payloadBytes
    }
}

package enum Opcode: UInt8, Hashable, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa

    package var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The bits that an extension gives a meaning; without one they must be zero.
package struct ReservedBits: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let rsv1 = ReservedBits(rawValue: 0x40)
    package static let rsv2 = ReservedBits(rawValue: 0x20)
    package static let rsv3 = ReservedBits(rawValue: 0x10)
}

/// The four bytes a client's payload is XORed with, turned so that the first is due next.
package struct Mask: Hashable, Sendable {
    /// In the order of memory: byte 0 of the key is the lowest address.
    private var key: UInt32

    /// - Parameter key: The key as read in network byte order.
    package init(networkOrder key: UInt32) {
        self.key = key.bigEndian
    }

    /// Masks or unmasks `bytes`, and turns by their count so that the next piece of the payload goes on.
    package mutating func apply(to bytes: UnsafeMutableRawBufferPointer) {
        // Eight at a time: a byte at a time costs more than all else in the parser.
        let wide = UInt64(key) << 32 | UInt64(key)
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            bytes.storeBytes(of: word ^ wide, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < bytes.count {
            bytes[offset] ^= withUnsafeBytes(of: key) { $0[0] }
            turn(by: 1)
            offset += 1
        }
    }

    private mutating func turn(by count: Int) {
        let bits = UInt32(count & 3) * 8
        // The first byte in memory is the low one on a little-endian machine, so it is due again after a right turn.
        let little = key.littleEndian
        key = (little >> bits | little << ((32 - bits) & 31)).littleEndian
    }
}
