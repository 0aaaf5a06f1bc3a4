import Domain

/// Gathers every broken rule of a request, so that a client learns of all at once.
struct Violations {
    private(set) var found: [Violation] = []

    /// The value, or `nil` with the broken rule noted.
    mutating func check<Value>(_ make: () throws(Violation) -> Value) -> Value? {
        do {
            return try make()
        } catch {
            found.append(error)
            return nil
        }
    }

    mutating func add(_ violation: Violation) {
        found.append(violation)
    }

    /// - Throws: ``ApplicationError`` `invalid` with all of them, if any.
    func throwIfAny() throws {
        if !found.isEmpty { throw ApplicationError.invalid(found) }
    }
}
