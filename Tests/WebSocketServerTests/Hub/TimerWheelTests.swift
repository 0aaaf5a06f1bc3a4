import Testing

@testable import WebSocketServerKit

@Suite("The timer wheel")
struct TimerWheelTests {
    @Test("an entry is called at its tick and at no other", arguments: [0, 1, 2, 7, 8, 9, 100])
    func calls(_ ticks: UInt64) {
        for turned in 0..<20 {
            var wheel = TimerWheel<String>(horizon: 8)
            for _ in 0..<turned { _ = wheel.advance() }
            let tick = wheel.schedule("x", in: ticks)
            var called: [UInt64] = []
            for _ in 0..<30 where !wheel.advance().isEmpty { called.append(wheel.now) }
            #expect(called == [tick])
            #expect(tick == UInt64(turned) + min(max(ticks, 1), 8))
        }
    }
}
