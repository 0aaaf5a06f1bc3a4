import Domain

/// Draws ids from the clock and chance.
package struct Identifiers: Sendable {
    /// A second clash in a row has a chance of one in 10^13; a third is a broken source of entropy.
    private static let attempts = 3

    private let clock: any WallClock
    private let entropy: any Entropy

    package init(clock: any WallClock, entropy: any Entropy) {
        self.clock = clock
        self.entropy = entropy
    }

    /// Runs `insert` with a fresh id, and again with another if the store says that the id was taken.
    func withFresh<Owner, Outcome>(
        _: Owner.Type,
        _ insert: (Identifier<Owner>, Timestamp) async throws -> Outcome
    ) async throws -> Outcome {
        for _ in 1..<Self.attempts {
            let now = clock.now()
            do {
                return try await insert(Identifier(at: now, entropy: entropy.bits()), now)
            } catch StoreConflict.identifier {
                continue
            }
        }
        let now = clock.now()
        return try await insert(Identifier(at: now, entropy: entropy.bits()), now)
    }
}
