import Domain

/// Publishing, reading and removing posts.
package struct Posts: Sendable {
    private let posts: any PostStore
    private let users: any UserStore
    private let identifiers: Identifiers
    private let outbox: OutboxSignal

    package init(posts: any PostStore, users: any UserStore, identifiers: Identifiers, outbox: OutboxSignal) {
        self.posts = posts
        self.users = users
        self.identifiers = identifiers
        self.outbox = outbox
    }

    /// Stores the post with its event, which the relay then carries to the followers.
    ///
    /// - Throws: ``ApplicationError`` `invalid` with every broken rule.
    package func publish(text: String, visibility: String?, by principal: Principal) async throws -> PostView {
        var violations = Violations()
        let text = violations.check { () throws(Violation) in try PostText(text) }
        let visibility = violations.check { () throws(Violation) in
            try Visibility(given: visibility ?? Visibility.everyone.rawValue)
        }
        try violations.throwIfAny()
        guard let text, let visibility else { throw ApplicationError.defect("a rule broke unnoticed") }

        let view = try await identifiers.withFresh(Post.self) { id, now in
            try await posts.insert(
                Post(id: id, authorID: principal.userID, text: text, visibility: visibility, createdAt: now)
            )
        }
        outbox.signal()
        return view
    }

    /// - Throws: ``ApplicationError`` `notFound` `post_not_found`, also for what the caller may not see.
    package func post(_ id: String, by principal: Principal) async throws -> PostView {
        guard let id = PostID(id), let view = try await posts.post(id, viewedBy: principal.userID) else {
            throw ApplicationError.notFound("post")
        }
        return view
    }

    /// - Throws: ``ApplicationError`` `notFound`; `forbidden` `not_the_author` for a post of somebody else.
    package func delete(_ id: String, by principal: Principal) async throws {
        let view = try await post(id, by: principal)
        guard view.author.id == principal.userID else {
            throw ApplicationError(.forbidden, "not_the_author", "Only its author may delete a post.")
        }
        guard try await posts.delete(view.post.id, by: principal.userID) else {
            throw ApplicationError.notFound("post")
        }
        outbox.signal()
    }

    /// - Parameter user: An id or a username.
    /// - Throws: ``ApplicationError`` `notFound` `user_not_found`.
    package func posts(by user: String, page: PageRequest, for principal: Principal) async throws -> Page<PostView> {
        guard let reference = UserReference(given: user),
            let author = try await users.profile(reference, viewedBy: principal.userID)
        else { throw ApplicationError.notFound("user") }
        return try await posts.posts(by: author.user.id, viewedBy: principal.userID, page: page)
    }

    /// Posts of those the caller follows, and their own, newest first.
    package func homeTimeline(of principal: Principal, page: PageRequest) async throws -> Page<PostView> {
        try await posts.homeTimeline(of: principal.userID, page: page)
    }
}

extension Visibility {
    fileprivate init(given text: String) throws(Violation) {
        guard let visibility = Visibility(rawValue: text) else {
            throw Violation(field: "visibility", code: "unknown_value", detail: "Use public or followers.")
        }
        self = visibility
    }
}
