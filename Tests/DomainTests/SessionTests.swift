import Domain
import Testing

@Suite("Session")
struct SessionTests {
    private let now = Timestamp(millisecondsSinceEpoch: 1_767_225_600_000)

    private func session(generation: Int64 = 3, revoked: Bool = false) -> Session {
        Session(
            id: SessionID(rawValue: 1),
            userID: UserID(rawValue: 2),
            generation: generation,
            createdAt: now,
            expiresAt: now.advanced(by: .seconds(60)),
            revokedAt: revoked ? now : nil
        )
    }

    @Test("the token of this generation rotates, an older one is a theft, a newer one a forgery")
    func generations() {
        #expect(session().rotation(presenting: 3, at: now) == .rotate)
        #expect(session().rotation(presenting: 2, at: now) == .reused)
        #expect(session().rotation(presenting: 4, at: now) == .refused)
    }

    @Test("a session that ended or was revoked is worth nothing")
    func end() {
        #expect(session().rotation(presenting: 3, at: now.advanced(by: .seconds(60))) == .refused)
        #expect(session(revoked: true).rotation(presenting: 3, at: now) == .refused)
    }
}

@Suite("Follow and visibility")
struct SocialRuleTests {
    @Test("nobody follows themselves")
    func selfFollow() {
        let user = UserID(rawValue: 1)
        #expect(throws: Violation.self) {
            try Follow(follower: user, followee: user, createdAt: Timestamp(millisecondsSinceEpoch: 0))
        }
    }

    @Test("a post for followers is seen by its author and followers alone")
    func visibility() throws {
        let (author, other) = (UserID(rawValue: 1), UserID(rawValue: 2))
        var post = Post(
            id: PostID(rawValue: 3),
            authorID: author,
            text: try PostText("hi"),
            visibility: .followers,
            createdAt: Timestamp(millisecondsSinceEpoch: 0)
        )
        #expect(post.isVisible(to: author, followsAuthor: false))
        #expect(post.isVisible(to: other, followsAuthor: true))
        #expect(!post.isVisible(to: other, followsAuthor: false))
        post.visibility = .everyone
        #expect(post.isVisible(to: other, followsAuthor: false))
    }
}
