package import NIOCore

/// One end of an open WebSocket, without I/O: bytes in, actions out. Answers pings, joins messages and carries the
/// closing handshake through.
package struct WebSocketState: Sendable {
    package enum Action: Hashable, Sendable {
        case deliverText(ByteBuffer)
        case deliverBinary(ByteBuffer)
        case deliverPong
        /// Write this and go on.
        case write(ByteBuffer)
        /// Write the last frame, then close our direction. What still comes in is dropped.
        case finish(ByteBuffer, because: Ending)
        /// Both close frames have gone over: close the connection.
        case disconnect
    }

    package enum Ending: Hashable, Sendable {
        case closedByPeer(CloseCode?)
        case violation(ProtocolViolation)
    }

    private enum Phase {
        case open
        /// Our close frame is out; messages are dropped until the peer's comes.
        case closing
        case closed
    }

    private var reader: MessageReader
    private var phase = Phase.open

    package init(maximumMessageBytes: Int, allowedReservedBits: ReservedBits = []) {
        self.reader = MessageReader(
            maximumMessageBytes: maximumMessageBytes,
            allowedReservedBits: allowedReservedBits
        )
    }

    package var isOpen: Bool { phase == .open }

    /// The next thing to do for the bytes in `buffer`, or `nil` when they are used up. What stays in the buffer belongs
    /// in front of the next bytes.
    package mutating func next(from buffer: inout ByteBuffer) -> Action? {
        while phase != .closed {
            do {
                guard let message = try reader.next(from: &buffer) else { return nil }
                if let action = action(for: message) { return action }
            } catch {
                let wasOpen = phase == .open
                phase = .closed
                buffer.clear()
                return wasOpen ? .finish(FrameWriter.close(error.closeCode), because: .violation(error)) : .disconnect
            }
        }
        buffer.clear()
        return nil
    }

    /// Starts the closing handshake; gives the frame to write, or `nil` if it was started before.
    package mutating func close(_ code: CloseCode) -> ByteBuffer? {
        guard phase == .open else { return nil }
        phase = .closing
        return FrameWriter.close(code)
    }

    private mutating func action(for message: MessageReader.Message) -> Action? {
        switch (message, phase) {
        case (.close(let code), .open):
            phase = .closed
            return .finish(FrameWriter.close(code), because: .closedByPeer(code))
        case (.close, _):
            phase = .closed
            return .disconnect
        // RFC 6455, 5.5.1: after our close frame nothing more may be sent, not even a pong.
        case (_, .closing), (_, .closed): return nil
        case (.text(let bytes), .open): return .deliverText(bytes)
        case (.binary(let bytes), .open): return .deliverBinary(bytes)
        case (.pong, .open): return .deliverPong
        case (.ping(let payload), .open): return .write(FrameWriter.pong(payload))
        }
    }
}
