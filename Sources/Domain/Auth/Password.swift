/// A password in clear, on its way to the hasher. It prints as `<redacted>`, so no log can hold one.
package struct Password: Sendable, CustomStringConvertible, CustomReflectable {
    /// UTF-8, for the hasher alone.
    package let secret: String

    /// A new password: 8 to 128 characters, as NIST SP 800-63B 3.1.1.2 asks, without rules on what is in it.
    ///
    /// - Throws: `too_short`, `too_long`.
    package init(new text: String, field: String = "password") throws(Violation) {
        guard text.unicodeScalars.count >= 8 else {
            throw Violation(field: field, code: "too_short", detail: "Use at least 8 characters.")
        }
        // Counted in bytes too: the cost of hashing grows with them.
        guard text.unicodeScalars.count <= 128, text.utf8.count <= Self.maximumBytes else {
            throw Violation(field: field, code: "too_long", detail: "Use at most 128 characters.")
        }
        self.secret = text
    }

    /// A password to be checked against a stored hash. No rule applies but the bound on its size: a longer one cannot
    /// be right, and is cut so that it costs what any other costs, to one byte more than any stored one has.
    package init(given text: String) {
        let isTooLong = text.utf8.count > Self.maximumBytes
        self.secret = isTooLong ? String(decoding: text.utf8.prefix(Self.maximumBytes + 1), as: UTF8.self) : text
    }

    private static let maximumBytes = 512

    package var description: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
