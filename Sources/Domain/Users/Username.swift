/// The name a user logs in with and is mentioned by: 3 to 30 of `a`–`z`, `0`–`9` and `_`, not digits alone.
///
/// Kept in lower case, so names that differ only in case are one name. ASCII alone leaves no look-alikes of
/// other scripts; not digits alone keeps a name from being read as an id where a path takes either.
package struct Username: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Throws: `too_short`, `too_long`, `invalid_characters`, `digits_only`, or `reserved` for a word of our own paths.
    package init(_ text: String) throws(Violation) {
        func broken(_ code: String, _ detail: String) -> Violation {
            Violation(field: "username", code: code, detail: detail)
        }
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isAllowed else { throw broken("invalid_characters", "Use only letters a–z, digits and _.") }
        guard text.utf8.count >= 3 else { throw broken("too_short", "Use at least 3 characters.") }
        guard text.utf8.count <= 30 else { throw broken("too_long", "Use at most 30 characters.") }
        let hasOtherThanDigits = text.utf8.contains { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard hasOtherThanDigits else { throw broken("digits_only", "Use at least one letter or _.") }
        let folded = text.lowercased()
        guard !Self.reserved.contains(folded) else { throw broken("reserved", "This name is reserved.") }
        self.description = folded
    }

    /// A name that already passed ``init(_:)`` once, as a store reads it back.
    package init(stored: String) {
        self.description = stored
    }

    /// Words that follow `/v1/users/` in paths of ours.
    private static let reserved: Set<String> = ["me", "search"]
}
