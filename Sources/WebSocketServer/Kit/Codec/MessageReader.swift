package import NIOCore

/// Puts frames together into messages, and holds them to the rules that span frames: fragmentation, UTF-8, size.
package struct MessageReader: Sendable {
    package enum Message: Hashable, Sendable {
        /// Valid UTF-8.
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case pong(ByteBuffer)
        /// `nil` where the frame named no code.
        case close(CloseCode?)
    }

    /// A data message that has begun and not ended.
    private struct Open {
        let isText: Bool
        var bytes = ByteBuffer()
        var validator = UTF8Validator()
    }

    private let maximumMessageBytes: Int
    private var parser: FrameParser
    private var header: FrameHeader?
    private var open: Open?
    private var control = ByteBuffer()

    /// - Parameter maximumMessageBytes: What all fragments of one message may hold together.
    package init(maximumMessageBytes: Int, allowedReservedBits: ReservedBits = []) {
        self.maximumMessageBytes = maximumMessageBytes
        self.parser = FrameParser(allowedReservedBits: allowedReservedBits)
    }

    /// The next message, or `nil` when more bytes are needed. After a throw the connection is lost: call no more.
    package mutating func next(from buffer: inout ByteBuffer) throws(ProtocolViolation) -> Message? {
        while let element = try parser.next(from: &buffer) {
            switch element {
            case .header(let header): try begin(header)
            case .payload(let piece): try append(piece)
            case .end: if let message = try end() { return message }
            }
        }
        return nil
    }

    private mutating func begin(_ header: FrameHeader) throws(ProtocolViolation) {
        switch header.opcode {
        case .text, .binary:
            guard open == nil else { throw .messageInsideMessage }
            open = Open(isText: header.opcode == .text)
        case .continuation:
            guard open != nil else { throw .continuationWithoutStart }
        case .close, .ping, .pong:
            control = ByteBuffer()
        }
        if !header.opcode.isControl {
            // Told from the header, before a byte of it is kept.
            let held = open?.bytes.readableBytes ?? 0
            guard header.payloadBytes <= maximumMessageBytes - held else { throw .messageTooBig }
        }
        self.header = header
    }

    private mutating func append(_ piece: ByteBuffer) throws(ProtocolViolation) {
        guard let header else { return }
        if header.opcode.isControl {
            control.appendOrTake(piece)
            return
        }
        if open?.isText == true {
            let isValid = piece.withUnsafeReadableBytes { open?.validator.accept($0) }
            guard isValid == true else { throw .invalidUTF8 }
        }
        open?.bytes.appendOrTake(piece)
    }

    private mutating func end() throws(ProtocolViolation) -> Message? {
        guard let header else { return nil }
        self.header = nil
        switch header.opcode {
        case .text, .binary, .continuation:
            guard header.isFinal, let message = open else { return nil }
            open = nil
            guard message.isText else { return .binary(message.bytes) }
            guard message.validator.isComplete else { throw .invalidUTF8 }
            return .text(message.bytes)
        case .ping: return .ping(takeControl())
        case .pong: return .pong(takeControl())
        case .close: return .close(try Self.closeCode(in: takeControl()))
        }
    }

    private mutating func takeControl() -> ByteBuffer {
        defer { control = ByteBuffer() }
        return control
    }

    /// RFC 6455, 5.5.1: nothing, or a code of two bytes and a reason in UTF-8.
    private static func closeCode(in payload: ByteBuffer) throws(ProtocolViolation) -> CloseCode? {
        var payload = payload
        guard payload.readableBytes > 0 else { return nil }
        guard let raw: UInt16 = payload.readInteger() else { throw .truncatedCloseCode }
        let code = CloseCode(rawValue: raw)
        guard code.mayBeSent else { throw .invalidCloseCode }
        var validator = UTF8Validator()
        let isValid = payload.withUnsafeReadableBytes { validator.accept($0) }
        guard isValid, validator.isComplete else { throw .invalidCloseReason }
        return code
    }
}

extension ByteBuffer {
    /// Most messages come in one piece: take its storage then, copy only to join.
    fileprivate mutating func appendOrTake(_ piece: ByteBuffer) {
        if readableBytes == 0 {
            self = piece
        } else {
            writeImmutableBuffer(piece)
        }
    }
}
