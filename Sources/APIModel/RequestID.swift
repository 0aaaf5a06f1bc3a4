import Synchronization

/// Names a request in its response and in the log: `X-Request-Id`, by the same rule on every port.
package enum RequestID {
    /// What the client sent if it is fit for a header and a log line, otherwise a fresh one.
    package static func choose(sent: String?) -> String {
        guard let sent, isValid(sent) else { return fresh() }
        return sent
    }

    private static func isValid(_ text: String) -> Bool {
        (1...maximumLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Room for any UUID, ULID or trace id.
    private static let maximumLength = 128

    /// A part drawn once for the process and a count: unique without asking the kernel for chance at each request.
    private static func fresh() -> String {
        process + String(count.wrappingAdd(1, ordering: .relaxed).newValue, radix: 36)
    }

    private static let process = String(UInt64.random(in: .min ... .max), radix: 36) + "-"
    private static let count = Atomic<UInt64>(0)
}
