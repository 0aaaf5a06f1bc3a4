import Application
import BusTestSupport
import Domain
import Testing

@Suite("Event coding")
struct EventCodingTests {
    @Test("gives back every kind of event unchanged", arguments: eventsOfEveryKind)
    func roundTrip(_ event: RecordedEvent) throws {
        #expect(try EventCoding.decode(EventCoding.encode(event)) == event)
        #expect(try EventCoding.decodeLines(EventCoding.encodeLines([event])) == [event])
    }

    @Test("several events travel as lines and keep their order, whatever their text holds")
    func lines() throws {
        let events = eventsOfEveryKind + [anEvent(at: 99, text: "one\ntwo\r\n")]
        let bytes = EventCoding.encodeLines(events)
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == events.count - 1)
        #expect(try EventCoding.decodeLines(bytes) == events)
        #expect(throws: EventCodingError.self) { try EventCoding.decodeLines(bytes.dropLast() + [10]) }
    }

    @Test("gives back any text unchanged", arguments: ["\"\\/\n\t\r\u{0}\u{1f}\u{7f}\u{2028}", "👩‍👩‍👧‍👦 é e\u{301} 漢字", ""])
    func texts(_ text: String) throws {
        let event = anEvent(at: 1, text: text)
        let decoded = try EventCoding.decode(EventCoding.encode(event))
        #expect(decoded.post?.post.text.description.utf8.elementsEqual(text.utf8) == true)
    }

    @Test("gives back a head unchanged", arguments: [0, 1, Int64.max])
    func head(_ position: Int64) throws {
        let head = Position(rawValue: position)
        #expect(try EventCoding.decodeHead(EventCoding.encode(head: head)) == head)
    }

    @Test("writes the documented form")
    func form() {
        let event = RecordedEvent(
            id: 9,
            position: Position(rawValue: 8),
            recordedAt: Timestamp(millisecondsSinceEpoch: 7),
            event: .followed(UserID(rawValue: 6), by: UserID(rawValue: 5))
        )
        let json = String(decoding: EventCoding.encode(event), as: UTF8.self)
        #expect(json == #"{"v":1,"kind":"followed","id":"9","position":"8","at":7,"user":"6","by":"5"}"#)
    }

    @Test("passes over fields of a newer release")
    func unknownFields() throws {
        let json = #"""
            {"v":1,"kind":"user_deleted","id":"9","position":"8","at":7,"user":"6","new":{"a":[1,null,"x"]},"view":null}
            """#
        #expect(try EventCoding.decode(Array(json.utf8)).event == .userDeleted(UserID(rawValue: 6)))
    }

    @Test("tells a newer version and a newer kind from broken bytes")
    func newer() {
        #expect(throws: EventCodingError.unknownVersion(2)) { try decode(#"{"v":2}"#) }
        #expect(throws: EventCodingError.unknownKind("liked")) {
            try decode(#"{"v":1,"kind":"liked","id":"9","position":"8","at":7}"#)
        }
        #expect(throws: EventCodingError.unknownVersion(2)) {
            try EventCoding.decodeHead(Array(#"{"v":2,"latest":{}}"#.utf8))
        }
    }

    @Test(
        "refuses what is no event",
        arguments: [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[]", "not JSON"),
            (#"{"kind":"followed"}"#, "v"),
            (#"{"v":1,"kind":"followed","id":9,"position":"8","at":7}"#, "id"),
            (#"{"v":1,"kind":"followed","id":"9","position":"-8","at":7,"user":"6","by":"5"}"#, "position"),
            (#"{"v":1,"kind":"followed","id":"9","position":"8","at":7,"user":"6"}"#, "by"),
            (#"{"v":1,"kind":"user_deleted","id":"9","position":"8","at":7,"user":"99999999999999999999"}"#, "user"),
        ]
    )
    func malformed(_ json: String, _ field: String) {
        #expect(throws: EventCodingError.malformed(field)) { try decode(json) }
    }

    private func decode(_ json: String) throws -> RecordedEvent { try EventCoding.decode(Array(json.utf8)) }
}
