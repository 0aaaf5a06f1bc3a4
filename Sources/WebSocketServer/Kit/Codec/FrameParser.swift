package import NIOCore

/// Cuts a client's bytes into frames, as they come: a payload is handed on in pieces, so nothing is held back here but
/// an unfinished header of at most 13 bytes, which stays in the caller's buffer.
package struct FrameParser: Sendable {
    package enum Element: Hashable, Sendable {
        case header(FrameHeader)
        /// A piece of the payload of the last header, unmasked.
        case payload(ByteBuffer)
        /// The payload of the last header is complete.
        case end
    }

    private enum State: Hashable {
        case header
        case payload(remaining: Int, mask: Mask)
    }

    /// The reserved bits that a negotiated extension uses.
    private let allowedReservedBits: ReservedBits
    private var state = State.header

    package init(allowedReservedBits: ReservedBits = []) {
        self.allowedReservedBits = allowedReservedBits
    }

    /// The next element, or `nil` when more bytes are needed. After a throw the connection is lost: call no more.
    package mutating func next(from buffer: inout ByteBuffer) throws(ProtocolViolation) -> Element? {
        switch state {
        case .header:
            guard let header = try readHeader(from: &buffer), let mask = header.mask else { return nil }
            state = .payload(remaining: header.payloadBytes, mask: mask)
            return .header(header)
        case .payload(remaining: 0, _):
            state = .header
            return .end
        case .payload(let remaining, var mask):
            let count = min(remaining, buffer.readableBytes)
            guard count > 0 else { return nil }
            buffer.withUnsafeMutableReadableBytes { bytes in
                mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            }
            guard let piece = buffer.readSlice(length: count) else { return nil }
            state = .payload(remaining: remaining - count, mask: mask)
            return .payload(piece)
        }
    }

    /// Every byte is judged as soon as it is there: a wrong first byte is refused without the second.
    private func readHeader(from buffer: inout ByteBuffer) throws(ProtocolViolation) -> FrameHeader? {
        let start = buffer.readerIndex
        guard let first: UInt8 = buffer.getInteger(at: start) else { return nil }
        let reserved = ReservedBits(rawValue: first & 0x70)
        guard reserved.isSubset(of: allowedReservedBits) else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 0x0f) else { throw .reservedOpcode }
        // RFC 7692, 6: of the frames of a message only the first may carry RSV1, and no control frame.
        guard reserved.isEmpty || opcode == .text || opcode == .binary else { throw .reservedBits }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .fragmentedControlFrame }

        guard let second: UInt8 = buffer.getInteger(at: start + 1) else { return nil }
        guard second & 0x80 != 0 else { throw .unmaskedFrame }
        let shortLength = second & 0x7f
        guard shortLength <= 125 || !opcode.isControl else { throw .controlFrameTooLong }
        guard let length = try readLength(short: shortLength, at: start + 2, from: buffer) else { return nil }
        let maskIndex = start + 2 + length.fieldBytes
        guard let key: UInt32 = buffer.getInteger(at: maskIndex) else { return nil }
        buffer.moveReaderIndex(to: maskIndex + 4)
        return FrameHeader(
            isFinal: isFinal,
            reserved: reserved,
            opcode: opcode,
            mask: Mask(networkOrder: key),
            payloadBytes: length.payloadBytes
        )
    }

    private func readLength(
        short: UInt8,
        at index: Int,
        from buffer: ByteBuffer
    ) throws(ProtocolViolation) -> (payloadBytes: Int, fieldBytes: Int)? {
        switch short {
        case 126:
            guard let length: UInt16 = buffer.getInteger(at: index) else { return nil }
            guard length > 125 else { throw .nonMinimalLength }
            return (Int(length), 2)
        case 127:
            guard let length: UInt64 = buffer.getInteger(at: index) else { return nil }
            guard length > UInt64(UInt16.max) else { throw .nonMinimalLength }
            // The highest bit must be zero (RFC 6455, 5.2).
            guard let count = Int(exactly: length) else { throw .lengthTooLarge }
            return (count, 8)
        default:
            return (Int(short), 0)
        }
    }
}
