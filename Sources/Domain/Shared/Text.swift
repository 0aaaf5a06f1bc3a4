/// Checks free text of a field: its length in characters as a reader counts them (grapheme clusters), an upper bound
/// on its bytes, since one cluster can hold any number of them, and that no control character hides in it.
package func checkText(
    _ text: String,
    field: String,
    maximumCharacters: Int,
    allowsLineBreaks: Bool
) throws(Violation) {
    let isTooLong = text.utf8.count > maximumCharacters * maximumBytesPerCharacter || text.count > maximumCharacters
    guard !isTooLong else {
        throw Violation(field: field, code: "too_long", detail: "Use at most \(maximumCharacters) characters.")
    }
    let hasControl = text.unicodeScalars.contains { scalar in
        switch scalar {
        case "\n": !allowsLineBreaks
        // C0 and C1 controls, and the overrides that make text read other than it is stored (Unicode UAX #9).
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}": true
        default: false
        }
    }
    guard !hasControl else {
        throw Violation(field: field, code: "invalid_characters", detail: "Control characters are not allowed.")
    }
}

/// The longest emoji in use takes 35 bytes; 32 on average leaves room for any real text and stops "Zalgo".
private let maximumBytesPerCharacter = 32

extension String {
    /// Windows and web forms end a line with CR LF; we keep LF.
    func withPlainLineBreaks() -> String {
        utf8.contains(UInt8(ascii: "\r")) ? String(map { $0 == "\r\n" ? "\n" : $0 }) : self
    }

    func trimmingWhitespace() -> String {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
