import DequeModule
import SQL

/// What the machine has to know of a call.
protocol PipelinedCall: Sendable {
    var statementCount: Int { get }
    /// Calls that share a segment run in ascending order of it.
    var lockOrder: Int64 { get }
    /// Nobody waits for the answer any more.
    var isAbandoned: Bool { get }
}

/// Which calls wait, which are in flight on which connection, and how the replies settle them.
///
/// Calls travel in segments: a segment ends with a Sync, is one implicit transaction on the server, and stops at its
/// first failing statement. Calls behind that one in the segment are run again. Calls before it have their results if
/// they only read; what they wrote was rolled back, so writers are run again too. No I/O, no clock, no threads.
struct PipelineMachine<Call: PipelinedCall> {
    struct Limits {
        /// How many there may be.
        var connections: Int
        /// How many of them are kept open; the others open when calls wait for them.
        var standing: Int
        /// A connection that is not kept open closes after being idle this long.
        var idleLimit: Duration
        var callsPerSegment: Int
        /// Whether a failing call takes back what those before it in its segment did.
        var callsWrite: Bool
        /// How many segments a connection may have in flight.
        var depth: Int
        var waitingCalls: Int
        var callTimeLimit: Duration
        /// How long a connection may owe the outcome of its next statement.
        var silenceLimit: Duration
        /// How long a call waits while there is no connection.
        var outageTimeLimit: Duration
        /// Whether calls in flight on a lost connection may run once more elsewhere.
        var rerunsLostCalls: Bool
    }

    enum Settlement {
        case succeed(Call, [SQLResult])
        case fail(Call, SQLError)
    }

    struct Dispatch {
        let slot: Int
        let calls: [Call]
    }

    /// Once for a conflict and once for a stale plan or a lost connection.
    static var rerunLimit: Int { 2 }

    private struct Entry {
        let call: Call
        let arrived: ContinuousClock.Instant
        var reruns = 0
        var results: [SQLResult] = []
        var defect: String?
        /// Told that its time is up; what still arrives for it is dropped.
        var isSettled = false

        func forRerun(counted: Bool = true) -> Self {
            var copy = self
            copy.results = []
            copy.defect = nil
            if counted { copy.reruns += 1 }
            return copy
        }
    }

    private struct Segment {
        var entries: [Entry]
        /// When it was sent, or the last of its statements was told.
        var lastProgress: ContinuousClock.Instant
        /// The entry whose statement is the next to be told; past the last one when only the commit is left.
        var current = 0
        var failure: ServerError?

        mutating func tell(_ outcome: StatementOutcome) {
            switch outcome {
            case .completed(let result):
                add(result)
            case .undecodable(let reason):
                if entries.indices.contains(current) { entries[current].defect = reason }
                add(SQLResult(rows: [], affectedRows: 0))
            case .refused(let error):
                failure = failure ?? error
            case .skipped:
                break
            }
        }

        mutating func expire(arrivedBefore cutoff: ContinuousClock.Instant) -> [Call] {
            var calls: [Call] = []
            for index in entries.indices where !entries[index].isSettled && entries[index].arrived <= cutoff {
                entries[index].isSettled = true
                calls.append(entries[index].call)
            }
            return calls
        }

        private mutating func add(_ result: SQLResult) {
            guard entries.indices.contains(current) else { return }
            entries[current].results.append(result)
            if entries[current].results.count == entries[current].call.statementCount { current += 1 }
        }
    }

    private struct Slot {
        /// Open, or to be opened as soon as the server lets us.
        var isWanted: Bool
        var isOpen = false
        var inFlight = Deque<Segment>()
        /// When it was opened, or had its last answer.
        var lastUse: ContinuousClock.Instant
    }

    private let limits: Limits
    private var waiting = Deque<Entry>()
    private var slots: [Slot]
    private var outageBegan: ContinuousClock.Instant?

    init(_ limits: Limits, now: ContinuousClock.Instant) {
        self.limits = limits
        slots = (0..<limits.connections).map { Slot(isWanted: $0 < limits.standing, lastUse: now) }
        outageBegan = now
    }

    /// Nothing waits, nothing is in flight, and there are just the connections that are kept open.
    var isQuiet: Bool {
        guard waiting.isEmpty else { return false }
        return slots.indices.allSatisfy { index in
            let isStanding = index < limits.standing
            return slots[index].isWanted == isStanding && slots[index].isOpen == isStanding
                && slots[index].inFlight.isEmpty
        }
    }

    /// - Returns: whether there was room.
    mutating func enqueue(_ call: Call, now: ContinuousClock.Instant) -> Bool {
        guard waiting.count < limits.waitingCalls else { return false }
        waiting.append(Entry(call: call, arrived: now))
        return true
    }

    /// The next segment to send. Call until nil.
    mutating func nextDispatch(now: ContinuousClock.Instant) -> Dispatch? {
        guard !waiting.isEmpty, let slot = freestSlot() else { return nil }
        var entries: [Entry] = []
        while entries.count < limits.callsPerSegment, let entry = waiting.popFirst() {
            if !entry.call.isAbandoned { entries.append(entry) }
        }
        guard !entries.isEmpty else { return nil }
        if entries.count > 1 { entries.sort { $0.call.lockOrder < $1.call.lockOrder } }
        slots[slot].inFlight.append(Segment(entries: entries, lastProgress: now))
        return Dispatch(slot: slot, calls: entries.map(\.call))
    }

    private func freestSlot() -> Int? {
        var best: Int?
        var fewest = limits.depth
        for index in slots.indices where slots[index].isOpen && slots[index].inFlight.count < fewest {
            best = index
            fewest = slots[index].inFlight.count
        }
        return best
    }

    /// A connection to open because calls wait that those on their way will not take. Call until nil.
    mutating func nextSlotToOpen() -> Int? {
        // While the server is away one that comes back tells as much as all of them.
        guard outageBegan == nil, !waiting.isEmpty else { return nil }
        let opening = slots.count { $0.isWanted && !$0.isOpen }
        guard waiting.count > opening * limits.callsPerSegment else { return nil }
        guard let slot = slots.firstIndex(where: { !$0.isWanted }) else { return nil }
        slots[slot].isWanted = true
        return slot
    }

    /// Connections to close since the load does not need them any more.
    mutating func releaseIdleSlots(now: ContinuousClock.Instant) -> [Int] {
        guard slots.prefix(limits.standing).allSatisfy(\.isOpen) else { return [] }
        let idle = slots.indices.dropFirst(limits.standing).filter { index in
            slots[index].isOpen && slots[index].inFlight.isEmpty && now - slots[index].lastUse >= limits.idleLimit
        }
        for slot in idle {
            slots[slot].isWanted = false
            slots[slot].isOpen = false
        }
        return idle
    }

    /// A statement of the oldest segment in flight on this connection has an outcome.
    mutating func told(_ outcome: StatementOutcome, on slot: Int, now: ContinuousClock.Instant) {
        guard !slots[slot].inFlight.isEmpty else { return }
        slots[slot].inFlight[0].lastProgress = now
        slots[slot].inFlight[0].tell(outcome)
    }

    /// The oldest segment in flight on this connection is over.
    mutating func synced(_ slot: Int, now: ContinuousClock.Instant) -> [Settlement] {
        guard let segment = slots[slot].inFlight.popFirst() else { return [] }
        slots[slot].lastUse = now
        if !slots[slot].inFlight.isEmpty { slots[slot].inFlight[0].lastProgress = now }
        guard let failure = segment.failure else { return segment.entries.compactMap(Self.success) }
        var settlements: [Settlement] = []
        var again: [Entry] = []
        let isCommitFailure = segment.current == segment.entries.count
        for (index, entry) in segment.entries.enumerated() where !entry.isSettled {
            if index == segment.current || isCommitFailure {
                if (failure.isStalePlan || failure.isConflict) && entry.reruns < Self.rerunLimit {
                    again.append(entry.forRerun())
                } else {
                    settlements.append(.fail(entry.call, SQLError(failure)))
                }
            } else if index < segment.current && !limits.callsWrite {
                settlements += [Self.success(entry)].compactMap { $0 }
            } else {
                // Its turn comes again: each round ends with one call fewer.
                again.append(entry.forRerun(counted: false))
            }
        }
        waiting.prepend(contentsOf: again)
        return settlements
    }

    private static func success(_ entry: Entry) -> Settlement? {
        guard !entry.isSettled else { return nil }
        guard let defect = entry.defect else { return .succeed(entry.call, entry.results) }
        return .fail(entry.call, .defect(defect))
    }

    mutating func opened(_ slot: Int, now: ContinuousClock.Instant) {
        slots[slot].isOpen = true
        slots[slot].lastUse = now
        outageBegan = nil
    }

    /// The connection is gone.
    mutating func lost(_ slot: Int, _ reason: String, now: ContinuousClock.Instant) -> [Settlement] {
        slots[slot].isOpen = false
        if outageBegan == nil, slots.allSatisfy({ !$0.isOpen }) { outageBegan = now }
        var settlements: [Settlement] = []
        var again: [Entry] = []
        for entry in slots[slot].inFlight.flatMap(\.entries) where !entry.isSettled {
            if limits.rerunsLostCalls && entry.reruns < Self.rerunLimit {
                again.append(entry.forRerun())
            } else {
                settlements.append(.fail(entry.call, .unavailable(reason)))
            }
        }
        slots[slot].inFlight.removeAll()
        waiting.prepend(contentsOf: again)
        return settlements
    }

    /// Connections that have owed an answer for longer than any statement may take: the server or the network hangs.
    func silentSlots(now: ContinuousClock.Instant) -> [Int] {
        slots.indices.filter { index in
            slots[index].inFlight.first.map { now - $0.lastProgress >= limits.silenceLimit } ?? false
        }
    }

    /// Fails the calls whose time is up.
    mutating func expired(now: ContinuousClock.Instant) -> [Settlement] {
        var settlements: [Settlement] = []
        while let entry = waiting.first, entry.call.isAbandoned || isOverdue(entry, now) {
            _ = waiting.popFirst()
            settlements.append(.fail(entry.call, timeUp))
        }
        let cutoff = now - limits.callTimeLimit
        for slot in slots.indices {
            for segment in slots[slot].inFlight.indices {
                let calls = slots[slot].inFlight[segment].expire(arrivedBefore: cutoff)
                settlements += calls.map { .fail($0, timeUp) }
            }
        }
        return settlements
    }

    /// The end: whatever has not been answered.
    mutating func closed() -> [Settlement] {
        let inFlight = slots.flatMap { $0.inFlight.flatMap(\.entries) }
        let unanswered = inFlight.filter { !$0.isSettled } + waiting
        for slot in slots.indices { slots[slot].inFlight.removeAll() }
        waiting.removeAll()
        return unanswered.map { .fail($0.call, .unavailable("closed")) }
    }

    private func isOverdue(_ entry: Entry, _ now: ContinuousClock.Instant) -> Bool {
        if now - entry.arrived >= limits.callTimeLimit { return true }
        guard let outageBegan else { return false }
        return now - max(outageBegan, entry.arrived) >= limits.outageTimeLimit
    }

    private var timeUp: SQLError {
        .unavailable(outageBegan == nil ? "no answer in time" : "no connection")
    }
}
