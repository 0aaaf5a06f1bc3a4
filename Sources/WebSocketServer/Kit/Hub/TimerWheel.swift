/// Many rough timers for the price of one: entries lie in the slot of their tick, and one tick turns to the next slot.
///
/// An entry cannot be taken out; whoever is called too early, or for nothing, says so and is filed again or dropped.
struct TimerWheel<Entry> {
    private var slots: [[Entry]]
    private(set) var now: UInt64 = 0

    /// - Parameter horizon: How many ticks ahead an entry can lie; a later one is called at the horizon.
    init(horizon: Int) {
        slots = Array(repeating: [], count: horizon + 1)
    }

    /// Files `entry` to be called in `ticks` ticks, at least one; gives the tick.
    mutating func schedule(_ entry: Entry, in ticks: UInt64) -> UInt64 {
        let tick = now + min(max(ticks, 1), UInt64(slots.count - 1))
        slots[Int(tick % UInt64(slots.count))].append(entry)
        return tick
    }

    /// Turns by one tick and gives whose turn it is.
    mutating func advance() -> [Entry] {
        now += 1
        let index = Int(now % UInt64(slots.count))
        defer { slots[index] = [] }
        return slots[index]
    }
}
