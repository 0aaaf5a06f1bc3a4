/// What somebody published.
package struct Post: Hashable, Sendable {
    package let id: PostID
    package let authorID: UserID
    package var text: PostText
    package var visibility: Visibility
    package let createdAt: Timestamp

    package init(id: PostID, authorID: UserID, text: PostText, visibility: Visibility = .everyone, createdAt: Timestamp)
    {
        self.id = id
        self.authorID = authorID
        self.text = text
        self.visibility = visibility
        self.createdAt = createdAt
    }

    /// Whether someone may know that this post exists.
    package func isVisible(to viewer: UserID, followsAuthor: Bool) -> Bool {
        switch visibility {
        case .everyone: true
        case .followers: viewer == authorID || followsAuthor
        }
    }
}

/// Who may see a post. Stored and sent as the raw value.
package enum Visibility: String, Hashable, Sendable, CaseIterable {
    case everyone = "public"
    case followers
}

/// The text of a post: 1 to 500 characters as a reader counts them; line breaks are allowed.
package struct PostText: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Throws: `empty`, `too_long` or `invalid_characters`.
    package init(_ text: String) throws(Violation) {
        let trimmed = text.withPlainLineBreaks().trimmingWhitespace()
        guard !trimmed.isEmpty else {
            throw Violation(field: "text", code: "empty", detail: "A post needs at least 1 character.")
        }
        try checkText(trimmed, field: "text", maximumCharacters: 500, allowsLineBreaks: true)
        self.description = trimmed
    }

    package init(stored: String) {
        self.description = stored
    }
}
