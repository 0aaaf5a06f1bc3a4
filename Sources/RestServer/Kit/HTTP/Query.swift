import APIModel
import Application
import Domain
import Hummingbird

/// The query part of a URL, decoded as forms are: `+` is a space.
struct Query {
    private let items: [(name: String, value: String, raw: Substring)]
    private let path: String

    init(_ request: Request) {
        self.path = request.uri.path
        self.items = (request.uri.query ?? "").split(separator: "&").map { raw in
            let parts = raw.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "", raw)
        }
    }

    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        let spaced = String(text.map { $0 == "+" ? " " : $0 })
        return spaced.percentDecoded() ?? spaced
    }

    /// The first value of a parameter; an empty one counts as absent.
    func value(_ name: String) -> String? {
        items.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// The search text `q`, without control characters: no name holds one, and PostgreSQL takes no NUL.
    func searchText() throws -> String? {
        guard let text = value("q") else { return nil }
        do throws(Violation) {
            try checkText(
                text, field: "q", maximumCharacters: Self.maximumSearchCharacters, allowsLineBreaks: false)
        } catch {
            throw Problem.invalid([error])
        }
        return text
    }

    /// Longer than any name there is to find.
    private static let maximumSearchCharacters = 100

    /// - Throws: ``Problem`` 400 `invalid_cursor`, 422 for a `limit` out of range.
    func page() throws -> PageRequest {
        var limit = PageRequest.defaultLimit
        if let text = value("limit") {
            guard let number = Int(text), (1...PageRequest.maximumLimit).contains(number) else {
                throw Problem.invalid([
                    Violation(
                        field: "limit",
                        code: "out_of_range",
                        detail: "Use a number from 1 to \(PageRequest.maximumLimit)."
                    )
                ])
            }
            limit = number
        }
        guard let text = value("cursor") else { return PageRequest(limit: limit) }
        guard let cursor = Cursor(text) else {
            throw Problem.malformed("invalid_cursor", "Use a cursor as a list gave it.")
        }
        return PageRequest(limit: limit, cursor: cursor)
    }

    /// The same request for the page at `next` (RFC 8288).
    func link(next: Cursor) -> String {
        let kept = items.filter { $0.name != "cursor" }.map { String($0.raw) }
        let query = (kept + ["cursor=\(next)"]).joined(separator: "&")
        return "<\(path)?\(query)>; rel=\"next\""
    }
}
