import Application
import Domain
import Foundation
import MartletSecurity
import Testing

@Suite("The machine's clock and chance")
struct SystemEnvironmentTests {
    @Test("the clock tells the time of this machine to the millisecond")
    func clock() {
        let before = Date()
        let now = SystemClock().now()
        let after = Date()
        let milliseconds = Double(now.millisecondsSinceEpoch)
        #expect(milliseconds >= (before.timeIntervalSince1970 * 1000).rounded(.down))
        #expect(milliseconds <= (after.timeIntervalSince1970 * 1000).rounded(.up))
    }

    @Test("bits differ from draw to draw and use the whole width")
    func entropy() {
        let draws = (0..<1000).map { _ in SystemEntropy().bits() }
        // Two equal ones among a thousand come once in 8,600 runs, five once in the life of the universe.
        #expect(Set(draws).count > 995)
        #expect(draws.reduce(0, |) == .max)
        #expect(draws.reduce(.max, &) == 0)
    }
}
