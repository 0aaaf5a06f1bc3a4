import NIOHTTP1

/// The name a request has in answers and logs: the client's own if it is harmless, else a new one.
enum RequestID {
    static func of(_ headers: HTTPHeaders) -> String {
        guard let given = headers.first(name: "X-Request-Id"), (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return fresh() }
        return given
    }

    private static func fresh() -> String {
        let bits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - bits.count) + bits
    }
}
