/// The name shown beside posts: 1 to 50 characters without control characters, trimmed.
package struct DisplayName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Throws: `empty`, `too_long` or `invalid_characters`.
    package init(_ text: String) throws(Violation) {
        let trimmed = text.trimmingWhitespace()
        guard !trimmed.isEmpty else {
            throw Violation(field: "displayName", code: "empty", detail: "Use at least 1 character.")
        }
        try checkText(trimmed, field: "displayName", maximumCharacters: 50, allowsLineBreaks: false)
        self.description = trimmed
    }

    package init(stored: String) {
        self.description = stored
    }
}

/// What a user says of themselves: up to 300 characters; line breaks are allowed.
package struct Biography: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package static let empty = Biography(stored: "")

    /// - Throws: `too_long` or `invalid_characters`.
    package init(_ text: String) throws(Violation) {
        let trimmed = text.withPlainLineBreaks().trimmingWhitespace()
        try checkText(trimmed, field: "bio", maximumCharacters: 300, allowsLineBreaks: true)
        self.description = trimmed
    }

    package init(stored: String) {
        self.description = stored
    }
}

/// An address we could write to. Only its shape is checked: something, `@`, a domain with a dot, 254 bytes at most
/// (RFC 5321, 4.5.3.1.3). The domain part is kept in lower case.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Throws: `invalid_format`.
    package init(_ text: String) throws(Violation) {
        let broken = Violation(field: "email", code: "invalid_format", detail: "This is not an e-mail address.")
        guard text.utf8.count <= 254, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw broken }
        guard let at = text.lastIndex(of: "@"), at != text.startIndex else { throw broken }
        let local = text[..<at]
        let domain = text[text.index(after: at)...]
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard local.utf8.count <= 64, labels.count >= 2, labels.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 })
        else {
            throw broken
        }
        self.description = "\(local)@\(domain.lowercased())"
    }

    package init(stored: String) {
        self.description = stored
    }
}
