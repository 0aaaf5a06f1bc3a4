/// Which part of a list to read: at most `limit` items that come after `cursor`.
package struct PageRequest: Hashable, Sendable {
    package static let defaultLimit = 20
    package static let maximumLimit = 100

    /// 1 to ``maximumLimit``.
    package let limit: Int
    package let cursor: Cursor?

    package init(limit: Int = defaultLimit, cursor: Cursor? = nil) {
        self.limit = min(max(limit, 1), Self.maximumLimit)
        self.cursor = cursor
    }
}

/// The sort key of the last item of a page: lists go down, so the next page holds lower keys.
package struct Cursor: Hashable, Sendable {
    package let key: Int64

    package init(key: Int64) {
        self.key = key
    }
}

extension Cursor: LosslessStringConvertible {
    /// Accepts what ``description`` writes.
    package init?(_ description: String) {
        guard let key = Int64(description, radix: 36), String(key, radix: 36) == description else { return nil }
        self.key = key
    }

    /// The form that clients pass back. Opaque: they must not read or make it.
    package var description: String { String(key, radix: 36) }
}

package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    /// `nil` when nothing is left.
    package let next: Cursor?

    package init(items: [Item], next: Cursor?) {
        self.items = items
        self.next = next
    }

    /// Makes a page of `limit + 1` rows: the surplus row only tells that there is a next page.
    package init(surplus rows: [Item], limit: Int, key: (Item) -> Int64) {
        let items = Array(rows.prefix(limit))
        self.items = items
        self.next = rows.count > limit ? items.last.map { Cursor(key: key($0)) } : nil
    }

    package func map<Other: Sendable>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), next: next)
    }
}

extension Page: Equatable where Item: Equatable {}
