/// A 64-bit identifier of one kind of thing: milliseconds since 2024-01-01 in the upper 41 bits, chance in the lower 22.
///
/// Larger ids are younger, so an id is a keyset cursor by itself. Two ids made in one millisecond clash with a
/// probability of 1 in 4 million; the primary key catches that and the store's caller draws again.
/// `Owner` only keeps a `PostID` from being passed as a `UserID`.
package struct Identifier<Owner>: Hashable, Comparable, Sendable {
    /// Always positive.
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// - Parameters:
    ///   - instant: When the thing came to be; instants before 2024 count as 2024.
    ///   - entropy: Random bits, of which the lower 22 are used.
    package init(at instant: Timestamp, entropy: UInt32) {
        let age = max(0, instant.millisecondsSinceEpoch - identifierEpochMilliseconds)
        self.rawValue = age << entropyBits | Int64(entropy & entropyMask)
    }

    /// When the id was made, to the millisecond.
    package var createdAt: Timestamp {
        Timestamp(millisecondsSinceEpoch: rawValue >> entropyBits + identifierEpochMilliseconds)
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// 2024-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2093.
private let identifierEpochMilliseconds: Int64 = 1_704_067_200_000
private let entropyBits: Int64 = 22
private let entropyMask: UInt32 = 1 << 22 - 1

extension Identifier: LosslessStringConvertible {
    /// Accepts what ``description`` writes: 1 to 19 decimal digits, no sign, no leading zero.
    package init?(_ description: String) {
        guard (1...19).contains(description.utf8.count), description.utf8.first != UInt8(ascii: "0") else { return nil }
        var value: Int64 = 0
        for byte in description.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        self.rawValue = value
    }

    package var description: String { String(rawValue) }
}

package typealias UserID = Identifier<User>
package typealias SessionID = Identifier<Session>
package typealias PostID = Identifier<Post>
