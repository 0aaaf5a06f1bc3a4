import APIModel

/// A request's path and query, taken apart.
struct RequestTarget: Sendable {
    let path: String
    /// Decoded names with values as they came: no value that we take needs escapes.
    let query: [(name: String, value: String)]

    init(_ uri: String) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "")
        query = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // Decoded, so that a forbidden name cannot be disguised.
            let name = sides.first ?? ""
            return (name.percentDecoded() ?? String(name), sides.count > 1 ? String(sides[1]) : "")
        }
    }
}
