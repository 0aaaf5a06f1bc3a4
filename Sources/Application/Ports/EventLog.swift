package import Domain

/// What happened, in its one order, for those who read it.
package protocol EventHistory: Sendable {
    /// Events after `position` in order, with their content as it is now. At most `limit`.
    func events(after position: Position, limit: Int) async throws -> [RecordedEvent]

    /// The last position given.
    func head() async throws -> Position
}

/// The outbox: what the relay works on and housekeeping clears.
///
/// Stores append events in the transaction of the change they tell of. An event has no position until ``stamp(limit:published:)``
/// gives it one, since ids given before commit are no cursor: a late commit would be skipped.
package protocol EventLog: EventHistory {
    /// Runs `body` while no other process does; waits until that is so. Cancels `body` and throws when the lease is
    /// lost, e.g. with the connection that holds it.
    func withRelayLease(_ body: @escaping @Sendable () async throws -> Void) async throws

    /// Whether a committed event waits for its position. Cheap enough to be asked ten times a second.
    func hasUnstamped() async throws -> Bool

    /// Gives the next dense positions to up to `limit` committed events without one, in the order of their changes,
    /// and returns those events. Two that race MUST leave neither hole nor duplicate.
    ///
    /// In the same transaction it moves ``publishedPosition()`` forward to `published`.
    func stamp(limit: Int, published: Position) async throws -> [RecordedEvent]

    /// The last position known to be accepted by the bus.
    func publishedPosition() async throws -> Position

    /// Moves ``publishedPosition()`` forward; a lower position changes nothing.
    func markPublished(upTo position: Position) async throws

    /// Removes events that were published and recorded before `moment`; gives how many.
    func removePublished(before moment: Timestamp) async throws -> Int
}

/// An event in its place.
package struct RecordedEvent: Hashable, Sendable {
    /// The event's own number, unique and never used again.
    package let id: Int64
    package let position: Position
    package let recordedAt: Timestamp
    package let event: Event
    /// For ``Event/postCreated(_:by:)``: the post, or `nil` if it is gone by now.
    package let post: PostView?

    package init(id: Int64, position: Position, recordedAt: Timestamp, event: Event, post: PostView? = nil) {
        self.id = id
        self.position = position
        self.recordedAt = recordedAt
        self.event = event
        self.post = post
    }
}
