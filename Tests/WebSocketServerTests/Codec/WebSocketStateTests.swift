import NIOCore
import Testing
import WebSocketServerKit

@Suite("The closing handshake and pings")
struct WebSocketStateTests {
    private func actions(_ state: inout WebSocketState, _ frames: ClientFrame...) -> [WebSocketState.Action] {
        var buffer = ByteBuffer(bytes: frames.flatMap(\.bytes))
        var actions: [WebSocketState.Action] = []
        while let action = state.next(from: &buffer) { actions.append(action) }
        #expect(buffer.readableBytes == 0)
        return actions
    }

    private func open() -> WebSocketState { WebSocketState(maximumMessageBytes: 1000) }

    @Test("a ping is answered with its payload, in the middle of a message too")
    func ping() {
        var state = open()
        let result = actions(
            &state, .text("a", isFinal: false), ClientFrame(first: 0x89, payload: [7, 8]),
            .continuation([0x62], isFinal: true), ClientFrame(first: 0x8a))
        #expect(
            result == [
                .write(ByteBuffer(bytes: [0x8a, 2, 7, 8])), .deliverText(ByteBuffer(string: "ab")), .deliverPong,
            ])
    }

    @Test("a close is answered with its code, and nothing after it is read")
    func closedByPeer() {
        var state = open()
        let result = actions(&state, .close([0x03, 0xe9]), .text("late"), ClientFrame(first: 0x89))
        #expect(result == [.finish(ByteBuffer(bytes: [0x88, 2, 0x03, 0xe9]), because: .closedByPeer(.goingAway))])
        #expect(!state.isOpen)
        #expect(state.close(.normal) == nil)
    }

    @Test("a close without a code is answered without one")
    func emptyClose() {
        var state = open()
        #expect(actions(&state, .close()) == [.finish(ByteBuffer(bytes: [0x88, 0]), because: .closedByPeer(nil))])
    }

    @Test("after our close, messages and pings are dropped until the peer's close")
    func closedByUs() {
        var state = open()
        #expect(state.close(.goingAway) == ByteBuffer(bytes: [0x88, 2, 0x03, 0xe9]))
        #expect(state.close(.goingAway) == nil)
        #expect(actions(&state, .text("late"), ClientFrame(first: 0x89)) == [])
        #expect(actions(&state, .close([0x03, 0xe9]), .text("later")) == [.disconnect])
    }

    @Test("a violation closes with its code, and nothing after it is read")
    func violation() {
        var state = open()
        let result = actions(&state, .text("a"), ClientFrame(first: 0xc1), .text("b"))
        #expect(
            result == [
                .deliverText(ByteBuffer(string: "a")),
                .finish(ByteBuffer(bytes: [0x88, 2, 0x03, 0xea]), because: .violation(.reservedBits)),
            ])
        var closing = open()
        _ = closing.close(.normal)
        #expect(actions(&closing, ClientFrame(first: 0xc1)) == [.disconnect])
    }

    @Test(
        "server frames are unmasked, with the shortest form of their length", arguments: [0, 125, 126, 65_535, 65_536])
    func writing(_ count: Int) {
        let payload = [UInt8](repeating: 0x61, count: count)
        let header: [UInt8] =
            switch count {
            case ...125: [0x81, UInt8(count)]
            case ...65_535: [0x81, 126, UInt8(count >> 8), UInt8(count & 0xff)]
            default: [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]
            }
        #expect(FrameWriter.text(payload) == ByteBuffer(bytes: header + payload))
    }
}
