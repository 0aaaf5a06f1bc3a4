package import Application
package import Domain

/// The event at `position`, by default of a post.
package func anEvent(at position: Int64, _ event: Event? = nil, text: String = "Hello, martlet.") -> RecordedEvent {
    let post = PostID(rawValue: 1_000_000 + position)
    let author = UserID(rawValue: 7)
    let moment = Timestamp(millisecondsSinceEpoch: 1_767_225_600_000 + position)
    let view = PostView(
        post: Post(id: post, authorID: author, text: PostText(stored: text), visibility: .followers, createdAt: moment),
        author: UserSummary(id: author, username: Username(stored: "ada"), displayName: DisplayName(stored: "Ada 🐦"))
    )
    return RecordedEvent(
        id: 5000 + position,
        position: Position(rawValue: position),
        recordedAt: moment,
        event: event ?? .postCreated(post, by: author),
        post: event == nil ? view : nil
    )
}

package func someEvents(_ positions: ClosedRange<Int64>) -> [RecordedEvent] {
    positions.map { anEvent(at: $0) }
}

/// One event of each kind.
package let eventsOfEveryKind: [RecordedEvent] = {
    let (ada, bob, post) = (UserID(rawValue: .max), UserID(rawValue: 2), PostID(rawValue: 3))
    let events: [Event] = [
        .postCreated(post, by: ada), .postDeleted(post, by: ada), .followed(bob, by: ada), .unfollowed(bob, by: ada),
        .sessionRevoked(SessionID(rawValue: 4), of: ada), .userDeleted(ada),
    ]
    return [anEvent(at: 1)] + events.enumerated().map { anEvent(at: Int64($0.offset) + 2, $0.element) }
}()
