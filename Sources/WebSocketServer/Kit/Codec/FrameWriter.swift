package import NIOCore

/// Writes what a server sends: never masked (RFC 6455, 5.1), one frame a message.
package enum FrameWriter {
    /// A text frame. The buffer may be written to any number of connections: they share its storage.
    package static func text(_ payload: some Collection<UInt8>) -> ByteBuffer {
        frame(.text, payload)
    }

    package static func binary(_ payload: some Collection<UInt8>) -> ByteBuffer {
        frame(.binary, payload)
    }

    /// - Parameter payload: At most 125 bytes.
    package static func pong(_ payload: ByteBuffer) -> ByteBuffer {
        frame(.pong, payload.readableBytesView)
    }

    package static let ping = frame(.ping, [])

    /// - Parameter code: `nil` for an empty close frame.
    package static func close(_ code: CloseCode?) -> ByteBuffer {
        guard let code else { return frame(.close, []) }
        return frame(.close, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xff)])
    }

    private static func frame(_ opcode: Opcode, _ payload: some Collection<UInt8>) -> ByteBuffer {
        let count = payload.count
        // 10 bytes are the longest header without a mask.
        var buffer = ByteBufferAllocator().buffer(capacity: count + 10)
        buffer.writeInteger(0x80 | opcode.rawValue)
        switch count {
        case 0...125: buffer.writeInteger(UInt8(count))
        case 126...Int(UInt16.max):
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(count))
        default:
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(count))
        }
        buffer.writeBytes(payload)
        return buffer
    }
}
