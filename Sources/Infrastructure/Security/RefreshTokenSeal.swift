import Crypto
import Domain

/// Writes and reads refresh tokens: `mrt_` and 48 bytes in base64url, which are session, generation (both 8 bytes, big
/// end first) and the HMAC-SHA256 of those 16.
struct RefreshTokenSeal: Sendable {
    /// Lets secret scanners and people tell what they found.
    static let prefix = "mrt_"
    private static let messageByteCount = 16
    private static let byteCount = messageByteCount + SHA256.byteCount

    private let key: SymmetricKey

    init(secret: JWTSecret) {
        // A key of its own (RFC 5869), since the secret itself signs access tokens.
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.bytes),
            info: Array("martlet refresh token v1".utf8),
            outputByteCount: SHA256.byteCount
        )
    }

    func token(_ session: SessionID, generation: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        withUnsafeBytes(of: session.rawValue.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: generation.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: HMAC<SHA256>.authenticationCode(for: bytes, using: key))
        return Self.prefix + Base64URL.encode(bytes)
    }

    func read(_ token: String) -> (session: SessionID, generation: Int64)? {
        let text = token.utf8
        guard text.count == Self.prefix.utf8.count + Self.byteCount / 3 * 4, text.starts(with: Self.prefix.utf8),
            let bytes = Base64URL.decode(text.dropFirst(Self.prefix.utf8.count)), bytes.count == Self.byteCount
        else { return nil }
        let message = bytes.prefix(Self.messageByteCount)
        // Compares in constant time.
        let isOurs = HMAC<SHA256>.isValidAuthenticationCode(
            bytes.dropFirst(Self.messageByteCount),
            authenticating: message,
            using: key
        )
        guard isOurs else { return nil }
        return (SessionID(rawValue: integer(message.prefix(8))), integer(message.suffix(8)))
    }

    private func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        bytes.reduce(0) { $0 << 8 | Int64($1) }
    }
}
