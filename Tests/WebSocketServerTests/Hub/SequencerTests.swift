import Application
import Domain
import Testing

@testable import WebSocketServerKit

@Suite("The order of events")
struct SequencerTests {
    private func event(_ position: Int64) -> RecordedEvent {
        RecordedEvent(
            id: position,
            position: Position(rawValue: position),
            recordedAt: Timestamp(millisecondsSinceEpoch: 0),
            event: .userDeleted(UserID(rawValue: 1))
        )
    }

    private func position(_ value: Int64) -> Position { Position(rawValue: value) }

    @Test("the next event is applied, one before it is known already")
    func inOrder() {
        var sequencer = Sequencer(head: position(5))
        #expect(sequencer.receive(event(5)) == .ignore)
        #expect(sequencer.receive(event(1)) == .ignore)
        #expect(sequencer.receive(event(6)) == .apply(event(6)))
        #expect(sequencer.receive(event(6)) == .ignore)
        #expect(sequencer.head == position(6))
    }

    @Test("a hole is fetched, and the event behind it is not applied twice")
    func hole() {
        var sequencer = Sequencer(head: position(5))
        #expect(sequencer.receive(event(8)) == .fetch(upTo: position(8)))
        #expect(sequencer.head == position(5))
        let fetched = sequencer.receive(fetched: [event(6), event(7), event(8), event(9)], upTo: position(8))
        #expect(fetched == [.apply(event(6)), .apply(event(7)), .apply(event(8)), .apply(event(9))])
        #expect(sequencer.receive(event(8)) == .ignore)
        #expect(sequencer.receive(event(9)) == .ignore)
        #expect(sequencer.receive(event(10)) == .apply(event(10)))
    }

    @Test("an announced head reveals a lost tail, and nothing else")
    func announced() {
        let sequencer = Sequencer(head: position(5))
        #expect(sequencer.announce(position(4)) == .ignore)
        #expect(sequencer.announce(position(5)) == .ignore)
        #expect(sequencer.announce(position(7)) == .fetch(upTo: position(7)))
    }

    @Test("a log that begins behind the hole has lost what was in it")
    func pruned() {
        var sequencer = Sequencer(head: position(5))
        let fetched = sequencer.receive(fetched: [event(8), event(9)], upTo: position(9))
        #expect(fetched == [.lost(before: position(8)), .apply(event(8)), .apply(event(9))])
        #expect(sequencer.head == position(9))
    }

    @Test("an empty log has lost everything up to what was promised")
    func emptied() {
        var sequencer = Sequencer(head: position(5))
        #expect(sequencer.receive(fetched: [], upTo: position(9)) == [.lost(before: position(10))])
        #expect(sequencer.head == position(9))
        #expect(sequencer.receive(event(10)) == .apply(event(10)))
    }
}
