package import Domain

/// Carries recorded events from the relay to every live server: at least once, in order of publication between two
/// reconnects. Consumers drop what they know and fetch what they miss by position, so the bus need not be perfect.
package protocol EventBus: Sendable {
    /// Publishes in order and returns when the bus has accepted responsibility for every event: durable, and put into
    /// the hand-over queue. On a throw some may have been accepted; the caller publishes them again.
    ///
    /// - Throws: ``ApplicationError`` `unavailable` at the latest 10 s after the bus stopped answering.
    func publish(_ events: [RecordedEvent]) async throws

    /// Tells every subscriber that `head` is the last published position, so that a lost tail shows. May be lost.
    func announce(head: Position) async throws

    /// Runs `handler` for every event that is published from now on, and for what waits in the hand-over queue, until
    /// cancelled; it reconnects by itself with back-off. Each subscriber MUST see every event at least once while it is
    /// connected. A message MUST leave the hand-over queue only after `handler` returned for it on some subscriber.
    /// `handler` is called for one message at a time.
    func subscribe(_ handler: @escaping @Sendable (BusMessage) async -> Void) async throws

    /// Throws if the bus cannot be reached now.
    func checkHealth() async throws
}

package enum BusMessage: Hashable, Sendable {
    case event(RecordedEvent)
    case head(Position)
    /// The subscription is (again) in place: whatever was published before may have been missed.
    case subscribed
}
