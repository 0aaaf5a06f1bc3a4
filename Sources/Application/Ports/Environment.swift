package import Domain

/// What the clock on the wall says.
package protocol WallClock: Sendable {
    func now() -> Timestamp
}

/// Random bits good enough for secrets.
package protocol Entropy: Sendable {
    func bits() -> UInt32
}

/// A dependency that can be out, by the name `/health/ready` shows.
package struct Dependency: Sendable {
    package let name: String
    /// Throws if the dependency is out. The caller bounds its time.
    package let check: @Sendable () async throws -> Void

    package init(name: String, check: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.check = check
    }
}
