import Testing
import WebSocketServerKit

@Suite("UTF-8 validation")
struct UTF8ValidatorTests {
    /// Whether `bytes` are valid when they come in the pieces that `cuts` make.
    private func isValid(_ bytes: [UInt8], cuts: [Int] = []) -> Bool {
        var validator = UTF8Validator()
        var start = 0
        for end in cuts + [bytes.count] {
            let isAccepted = bytes[start..<end].withUnsafeBytes { validator.accept($0) }
            guard isAccepted else { return false }
            start = end
        }
        return validator.isComplete
    }

    @Test("all sequences of up to three bytes, and the edges of those of four, are judged as the standard library does")
    func exhaustive() {
        let interesting: [UInt8] = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
            0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ]
        var checked = 0
        func check(_ bytes: [UInt8]) {
            checked += 1
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if isValid(bytes) != expected { Issue.record("\(bytes) should be \(expected)") }
        }
        for first in UInt8.min ... .max {
            check([first])
            for second in UInt8.min ... .max { check([first, second]) }
        }
        for first in interesting {
            for second in interesting {
                for third in interesting {
                    check([first, second, third])
                    for fourth in interesting { check([first, second, third, fourth]) }
                }
            }
        }
        #expect(checked > 400_000)
    }

    @Test("it does not matter where a text is cut")
    func everySplit() {
        let text = Array("plain ascii text, é, κόσμε, \u{ffff}, 🐦 and \u{10ffff}".utf8)
        for first in 0...text.count {
            for second in first...text.count {
                if !isValid(text, cuts: [first, second]) { Issue.record("cut at \(first) and \(second)") }
            }
        }
    }

    @Test("what is wrong is wrong at every cut")
    func everySplitOfWrong() {
        let wrongs: [[UInt8]] = [
            [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0xaf], [0xf4, 0x90, 0x80, 0x80],
            [0xf8, 0x88, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82], [0xff],
        ]
        for wrong in wrongs {
            let text = Array("12345678".utf8) + wrong
            for cut in 0...text.count {
                if isValid(text, cuts: [cut]) { Issue.record("\(wrong) cut at \(cut)") }
            }
        }
    }
}
