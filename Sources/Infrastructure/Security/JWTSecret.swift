/// The secret behind all tokens, strong enough to be used. It prints as `<redacted>`.
package struct JWTSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// HS256 wants a key of at least its hash's size (RFC 7518, 3.2).
    package static let minimumByteCount = 32

    let bytes: [UInt8]

    /// - Throws: Why `text` is no secret.
    package init(_ text: String) throws(JWTSecretError) {
        let bytes = Array(text.utf8)
        guard bytes.count >= Self.minimumByteCount else { throw .tooShort(byteCount: bytes.count) }
        guard Set(bytes).count >= Self.minimumDistinctBytes, !Self.isRepetition(bytes) else { throw .tooRegular }
        let letters = text.lowercased().filter { $0.isLetter || $0.isNumber }
        guard !Self.publishedWords.contains(where: letters.contains) else { throw .published }
        self.bytes = bytes
    }

    /// 32 random hexadecimal digits, the poorest way to write 16 random bytes, have fewer once in 25 million times.
    private static let minimumDistinctBytes = 8

    /// Words of samples and placeholders, without case and punctuation: `your-256-bit-secret`, `changeme`, the sample
    /// of jwt.io (`a-string-secret-at-least-256-bits-long`), of Supabase (`super-secret-jwt-token-with-at-least-…`), of
    /// PostgREST (`reallyreallyreallyreallyverysafe`) and our `.env.example`. Chance makes the shortest of them
    /// once in 10 million secrets.
    private static let publishedWords = [
        "secret", "password", "passphrase", "changeme", "changethis", "changeit", "replaceme", "replacethis", "yourkey",
        "yourjwt", "example", "placeholder", "reallyreally", "verysafe", "abcdefgh", "12345678", "qwerty", "setthis",
        "insecure", "development", "martlet",
    ]

    /// Whether the bytes are one piece of at most 16 again and again.
    private static func isRepetition(_ bytes: [UInt8]) -> Bool {
        (1...16).contains { bytes.dropFirst($0).elementsEqual(bytes.dropLast($0)) }
    }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why there is no secret. Its text names the setting or the file and never the value.
package enum JWTSecretError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooShort(byteCount: Int)
    /// Few distinct bytes, or one piece again and again.
    case tooRegular
    /// It holds a word of a published sample, so it is likely one.
    case published
    case file(path: String, reason: String)

    package var description: String {
        let remedy = "Make one with `openssl rand -base64 32`."
        return switch self {
        case .tooShort(let byteCount):
            "JWT_SECRET_KEY has \(byteCount) bytes and takes at least \(JWTSecret.minimumByteCount). \(remedy)"
        case .tooRegular:
            "JWT_SECRET_KEY repeats itself too much to be a secret. \(remedy)"
        case .published:
            "JWT_SECRET_KEY looks like a published sample or a placeholder. \(remedy)"
        case .file(let path, let reason):
            "The secret in \(path), used where JWT_SECRET_KEY is not set, cannot be had: \(reason)"
        }
    }
}
