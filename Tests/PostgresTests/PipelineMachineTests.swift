import SQL
import Testing

@testable import Postgres

private struct Call: PipelinedCall, Hashable {
    let name: String
    var statementCount = 1
    var lockOrder: Int64 = 0
    var isAbandoned = false
}

private typealias Machine = PipelineMachine<Call>

/// What a test sees of a settlement: the call's name and its result.
private enum Seen: Hashable {
    case succeeded(String, Int)
    case failed(String, SQLError)
}

@Suite("The pipeline machine")
struct PipelineMachineTests {
    private let start = ContinuousClock.now

    @Test("what arrives while a segment is in flight goes out together as the next one")
    func batchesNaturally() {
        var machine = opened(aMachine())
        #expect(enqueue(["a"], in: &machine) == [["a"]])
        #expect(enqueue(["b", "c"], in: &machine) == [])
        machine.told(.completed(aResult), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [.succeeded("a", 1)])
        #expect(dispatches(&machine) == [["b", "c"]])
    }

    @Test("a failing call fails alone: calls before it succeed and calls behind it run again")
    func failureIsolation() {
        var machine = opened(aMachine())
        _ = enqueue(["first"], in: &machine)
        _ = enqueue(["a", "bad", "c", "d"], in: &machine)
        machine.told(.completed(aResult), on: 0, now: start)
        _ = machine.synced(0, now: start)
        #expect(dispatches(&machine) == [["a", "bad", "c", "d"]])
        machine.told(.completed(aResult), on: 0, now: start)
        machine.told(.refused(anError("22012")), on: 0, now: start)
        machine.told(.skipped, on: 0, now: start)
        machine.told(.skipped, on: 0, now: start)
        #expect(
            seen(machine.synced(0, now: start)) == [
                .succeeded("a", 1), .failed("bad", .defect("22012: data exception")),
            ]
        )
        #expect(dispatches(&machine) == [["c", "d"]])
    }

    @Test("a failing writer fails alone: what those before it wrote was rolled back, so all others run again")
    func writersShareFate() {
        var machine = opened(aMachine { $0.callsWrite = true })
        _ = enqueue(["first"], in: &machine)
        _ = enqueue(["a", "bad", "c"], in: &machine)
        machine.told(.completed(aResult), on: 0, now: start)
        _ = machine.synced(0, now: start)
        #expect(dispatches(&machine) == [["a", "bad", "c"]])
        machine.told(.completed(aResult), on: 0, now: start)
        machine.told(.refused(anError("23505", constraint: "key")), on: 0, now: start)
        machine.told(.skipped, on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [.failed("bad", .uniqueViolation("key"))])
        #expect(dispatches(&machine) == [["a", "c"]])
        machine.told(.completed(aResult), on: 0, now: start)
        machine.told(.completed(aResult), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [.succeeded("a", 1), .succeeded("c", 1)])
    }

    @Test("calls that share a segment run in the order of their locks")
    func lockOrder() {
        var machine = opened(aMachine { $0.callsWrite = true })
        _ = enqueue(["first"], in: &machine)
        for (name, order) in [("c", 3), ("a", 1), ("b", 2)] {
            #expect(accepts(Call(name: name, lockOrder: Int64(order)), &machine))
        }
        machine.told(.completed(aResult), on: 0, now: start)
        _ = machine.synced(0, now: start)
        #expect(dispatches(&machine) == [["a", "b", "c"]])
    }

    @Test("a segment takes no more calls than its limit")
    func segmentLimit() {
        var machine = opened(aMachine { $0.callsPerSegment = 2 })
        #expect(enqueue(["a", "b", "c"], in: &machine) == [["a", "b"]])
    }

    @Test("batches of several callers are under way on one connection, each in its own segment, up to the depth")
    func depth() {
        var machine = opened(aMachine(Self.batches))
        #expect(enqueue(["a", "b", "c"], in: &machine) == [["a"], ["b"]])
        machine.told(.completed(aResult), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [.succeeded("a", 1)])
        #expect(dispatches(&machine) == [["c"]])
    }

    @Test("a batch that fails at commit fails although every statement had passed")
    func commitFailure() {
        var machine = opened(aMachine(Self.batches))
        _ = enqueue(["a"], in: &machine)
        machine.told(.completed(aResult), on: 0, now: start)
        machine.told(.refused(anError("23503", constraint: "posts_author_fkey")), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [.failed("a", .foreignKeyViolation("posts_author_fkey"))])
    }

    @Test("a deadlock and a stale plan run again, but not for ever", arguments: ["40P01", "40001", "26000"])
    func rerunsConflicts(_ sqlState: String) {
        var machine = opened(aMachine(Self.batches))
        _ = enqueue(["a"], in: &machine)
        for _ in 0..<Machine.rerunLimit {
            machine.told(.refused(anError(sqlState)), on: 0, now: start)
            #expect(seen(machine.synced(0, now: start)) == [])
            #expect(dispatches(&machine) == [["a"]])
        }
        machine.told(.refused(anError(sqlState)), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)).count == 1)
    }

    @Test("reads of a lost connection go to another one")
    func rerunsLostReads() {
        var machine = opened(aMachine { $0.connections = 2 }, slots: [0, 1])
        #expect(enqueue(["a"], in: &machine) == [["a"]])
        #expect(seen(machine.lost(0, "reset", now: start)) == [])
        #expect(machine.nextDispatch(now: start)?.slot == 1)
    }

    @Test("batches of a lost connection fail, since nobody knows whether they were committed")
    func failsLostBatches() {
        var machine = opened(aMachine(Self.batches))
        _ = enqueue(["a", "b", "c"], in: &machine)
        #expect(
            seen(machine.lost(0, "reset", now: start)) == [
                .failed("a", .unavailable("reset")), .failed("b", .unavailable("reset")),
            ]
        )
        machine.opened(0, now: start)
        #expect(dispatches(&machine) == [["c"]])
    }

    @Test("a call waits for a connection no longer than the outage limit")
    func outage() {
        var machine = aMachine()
        #expect(accepts(Call(name: "a"), &machine))
        #expect(seen(machine.expired(now: start + .milliseconds(1999))) == [])
        #expect(seen(machine.expired(now: start + .seconds(2))) == [.failed("a", .unavailable("no connection"))])
    }

    @Test("a call in flight is answered when its time is up, and its late result is dropped")
    func timeLimit() {
        var machine = opened(aMachine())
        _ = enqueue(["a"], in: &machine)
        #expect(seen(machine.expired(now: start + .seconds(10))) == [.failed("a", .unavailable("no answer in time"))])
        machine.told(.completed(aResult), on: 0, now: start)
        #expect(seen(machine.synced(0, now: start)) == [])
    }

    @Test("a connection that owes an outcome for too long is given up, counted from its last one")
    func silence() {
        var machine = opened(aMachine())
        _ = enqueue(["a"], in: &machine)
        _ = enqueue(["b", "c"], in: &machine)
        machine.told(.completed(aResult), on: 0, now: start)
        _ = machine.synced(0, now: start)
        _ = dispatches(&machine)
        machine.told(.completed(aResult), on: 0, now: start + .seconds(5))
        #expect(machine.silentSlots(now: start + .seconds(10)) == [])
        #expect(machine.silentSlots(now: start + .seconds(11)) == [0])
    }

    @Test("a full queue refuses the next call")
    func queueLimit() {
        var machine = aMachine { $0.waitingCalls = 1 }
        #expect(accepts(Call(name: "a"), &machine))
        #expect(!accepts(Call(name: "b"), &machine))
    }

    @Test("connections open as calls wait for them, no more than there may be")
    func growth() {
        var machine = aMachine(Self.onDemand)
        #expect(accepts(Call(name: "early"), &machine))
        #expect(slotsToOpen(&machine) == [], "while the server is away")
        machine.opened(0, now: start)
        #expect(dispatches(&machine) == [["early"]])
        #expect(slotsToOpen(&machine) == [])
        #expect(enqueue(["a", "b"], in: &machine) == [])
        #expect(slotsToOpen(&machine) == [1, 2])
        #expect(slotsToOpen(&machine) == [], "those on their way will take what waits")
        #expect(enqueue(["c", "d", "e"], in: &machine) == [])
        #expect(slotsToOpen(&machine) == [3])
        machine.opened(2, now: start)
        #expect(dispatches(&machine) == [["a"]])
    }

    @Test("a connection that the load does not need closes after a while, and opens again when it does")
    func release() {
        var machine = opened(aMachine(Self.onDemand))
        #expect(machine.isQuiet)
        #expect(enqueue(["a", "b"], in: &machine) == [["a"]])
        #expect(slotsToOpen(&machine) == [1])
        machine.opened(1, now: start)
        #expect(dispatches(&machine) == [["b"]])
        #expect(machine.releaseIdleSlots(now: start + .seconds(60)) == [], "under way")
        for slot in 0...1 {
            machine.told(.completed(aResult), on: slot, now: start + .seconds(1))
            #expect(machine.synced(slot, now: start + .seconds(1)).count == 1)
        }
        #expect(machine.releaseIdleSlots(now: start + .seconds(60)) == [])
        #expect(!machine.isQuiet)
        #expect(machine.releaseIdleSlots(now: start + .seconds(61)) == [1])
        #expect(machine.isQuiet)
        #expect(enqueue(["c", "d"], in: &machine) == [["c"]])
        #expect(slotsToOpen(&machine) == [1])
    }

    @Test("an abandoned call is not sent")
    func abandoned() {
        var machine = opened(aMachine())
        #expect(accepts(Call(name: "a", isAbandoned: true), &machine))
        #expect(machine.nextDispatch(now: start) == nil)
    }

    // MARK: - Fixtures

    private let aResult = SQLResult(rows: [], affectedRows: 1)

    private func anError(_ sqlState: String, constraint: String? = nil) -> ServerError {
        ServerError(sqlState: sqlState, message: "no", constraint: constraint)
    }

    private func aMachine(_ change: (inout Machine.Limits) -> Void = { _ in }) -> Machine {
        var limits = Machine.Limits(
            connections: 1,
            standing: 1,
            idleLimit: .seconds(60),
            callsPerSegment: 64,
            callsWrite: false,
            depth: 1,
            waitingCalls: 100,
            callTimeLimit: .seconds(10),
            silenceLimit: .seconds(6),
            outageTimeLimit: .seconds(2),
            rerunsLostCalls: true
        )
        change(&limits)
        return Machine(limits, now: start)
    }

    private static func batches(_ limits: inout Machine.Limits) {
        limits.callsPerSegment = 1
        limits.callsWrite = true
        limits.depth = 2
        limits.rerunsLostCalls = false
    }

    private static func onDemand(_ limits: inout Machine.Limits) {
        batches(&limits)
        limits.depth = 1
        limits.connections = 4
    }

    private func slotsToOpen(_ machine: inout Machine) -> [Int] {
        var slots: [Int] = []
        while let slot = machine.nextSlotToOpen() { slots.append(slot) }
        return slots
    }

    private func opened(_ machine: Machine, slots: [Int] = [0]) -> Machine {
        var machine = machine
        for slot in slots { machine.opened(slot, now: start) }
        return machine
    }

    private func enqueue(_ names: [String], in machine: inout Machine) -> [[String]] {
        for name in names { #expect(accepts(Call(name: name), &machine)) }
        return dispatches(&machine)
    }

    private func accepts(_ call: Call, _ machine: inout Machine) -> Bool {
        machine.enqueue(call, now: start)
    }

    private func dispatches(_ machine: inout Machine) -> [[String]] {
        var segments: [[String]] = []
        while let dispatch = machine.nextDispatch(now: start) { segments.append(dispatch.calls.map(\.name)) }
        return segments
    }

    private func seen(_ settlements: [Machine.Settlement]) -> [Seen] {
        settlements.map {
            switch $0 {
            case .succeed(let call, let results): .succeeded(call.name, results.count)
            case .fail(let call, let error): .failed(call.name, error)
            }
        }
    }
}
