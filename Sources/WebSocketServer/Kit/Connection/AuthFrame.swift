import Domain
import FoundationEssentials
import NIOCore

/// The one frame a client may send: `{"type":"auth","token":"…","since":"…"}`.
struct AuthFrame: Hashable, Sendable {
    let token: String
    let since: Position?

    /// - Throws: ``LiveError/malformedFrame`` for anything else, a field too many included.
    init(_ text: ByteBuffer) throws(LiveError) {
        do {
            let fields = try JSONDecoder().decode([String: String].self, from: Data(text.readableBytesView))
            guard fields["type"] == "auth", let token = fields["token"],
                fields.keys.allSatisfy({ ["type", "token", "since"].contains($0) })
            else { throw LiveError.malformedFrame }
            self.token = token
            self.since = try fields["since"].map { since throws(LiveError) in
                guard let position = Position(decimal: since) else { throw .malformedFrame }
                return position
            }
        } catch {
            // What JSONDecoder says quotes the frame, and the frame holds a secret.
            throw .malformedFrame
        }
    }
}

extension Position {
    /// Accepts what frames show: 1 to 19 decimal digits.
    init?(decimal text: some StringProtocol) {
        let isDecimal = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isDecimal, let value = Int64(text) else { return nil }
        self.init(rawValue: value)
    }
}
