import Domain

/// How an event is kept: a kind, who did it, and what it is about.
enum EventRow {
    private static let insertion: SQLStatement = """
        INSERT INTO events (kind, actor_id, subject_id, recorded_at) VALUES ($1, $2, $3, $4)
        """

    static func insertion(of event: Event, at now: Timestamp) -> BoundStatement {
        let (kind, actor, subject) = columns(of: event)
        return BoundStatement(
            insertion,
            [.text(kind), .int(actor.rawValue), .int(subject), .int(now.millisecondsSinceEpoch)]
        )
    }

    static let postCreated = "post.created"

    private static func columns(of event: Event) -> (kind: String, actor: UserID, subject: Int64) {
        switch event {
        case .postCreated(let post, let author): (postCreated, author, post.rawValue)
        case .postDeleted(let post, let author): ("post.deleted", author, post.rawValue)
        case .followed(let followee, let follower): ("followed", follower, followee.rawValue)
        case .unfollowed(let followee, let follower): ("unfollowed", follower, followee.rawValue)
        case .sessionRevoked(let session, let user): ("session.revoked", user, session.rawValue)
        case .userDeleted(let user): ("user.deleted", user, user.rawValue)
        }
    }

    static func event(kind: String, actor: Int64, subject: Int64) throws(SQLError) -> Event {
        let actor = UserID(rawValue: actor)
        return switch kind {
        case postCreated: .postCreated(PostID(rawValue: subject), by: actor)
        case "post.deleted": .postDeleted(PostID(rawValue: subject), by: actor)
        case "followed": .followed(UserID(rawValue: subject), by: actor)
        case "unfollowed": .unfollowed(UserID(rawValue: subject), by: actor)
        case "session.revoked": .sessionRevoked(SessionID(rawValue: subject), of: actor)
        case "user.deleted": .userDeleted(actor)
        default: throw .defect("unknown event kind \(kind)")
        }
    }
}

extension SQLConnection {
    func append(_ event: Event, at now: Timestamp) throws {
        let bound = EventRow.insertion(of: event, at: now)
        try run(bound.statement, bound.arguments)
    }
}
