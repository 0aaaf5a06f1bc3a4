import Domain
import Testing

@Suite("Identifier")
struct IdentifierTests {
    @Test("ids of a later millisecond are larger, whatever chance says")
    func order() {
        let early = PostID(at: Timestamp(millisecondsSinceEpoch: 1_767_225_600_000), entropy: .max)
        let late = PostID(at: Timestamp(millisecondsSinceEpoch: 1_767_225_600_001), entropy: 0)
        #expect(early < late)
        #expect(late.createdAt.millisecondsSinceEpoch == 1_767_225_600_001)
        #expect(early.rawValue > 0)
    }

    @Test("the text of an id reads back", arguments: [1, 42, 184_467_440_737, Int64.max])
    func text(value: Int64) {
        #expect(PostID("\(value)")?.rawValue == value)
    }

    @Test(
        "what is no id is refused",
        arguments: ["", "0", "01", "-1", "+1", "1.0", "1e3", " 1", "９", "9223372036854775808", "99999999999999999999"]
    )
    func refusal(text: String) {
        #expect(PostID(text) == nil)
    }
}

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "a moment prints as RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (4_107_542_399_007, "2100-02-28T23:59:59.007Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ]
    )
    func iso8601(milliseconds: Int64, text: String) {
        #expect(Timestamp(millisecondsSinceEpoch: milliseconds).iso8601 == text)
    }

    @Test("a duration moves a moment forth and back by whole milliseconds")
    func advance() {
        let moment = Timestamp(millisecondsSinceEpoch: 10_000)
        #expect(moment.advanced(by: .milliseconds(1500)).millisecondsSinceEpoch == 11_500)
        #expect(moment.advanced(by: .seconds(-3)).millisecondsSinceEpoch == 7000)
        #expect(moment.advanced(by: .microseconds(999)).millisecondsSinceEpoch == 10_000)
    }
}
