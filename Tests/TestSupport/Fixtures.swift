import Application
package import Domain
import SQL
import Synchronization

/// A clock that stands still until it is moved.
package final class ManualClock: WallClock {
    private let current: Mutex<Timestamp>

    /// 2026-01-01T00:00:00Z unless told otherwise.
    package init(_ now: Timestamp = Timestamp(millisecondsSinceEpoch: 1_767_225_600_000)) {
        current = Mutex(now)
    }

    package func now() -> Timestamp { current.withLock { $0 } }

    package func advance(by duration: Duration) {
        current.withLock { $0 = $0.advanced(by: duration) }
    }
}

/// Counts up from 1: ids of one millisecond keep the order in which they were drawn.
package final class CountingEntropy: Entropy {
    private let last = Mutex<UInt32>(0)

    package init() {}

    package func bits() -> UInt32 {
        last.withLock { last in
            last += 1
            return last
        }
    }
}

private let counter = CountingEntropy()
private let fixtureTime = ManualClock().now()

/// An id that no other fixture has, larger than those before it.
package func anID<Owner>(_: Owner.Type = Owner.self) -> Identifier<Owner> {
    Identifier(at: fixtureTime, entropy: counter.bits())
}

package func aUser(
    _ name: String? = nil,
    displayName: String = "Somebody",
    email: String? = nil,
    role: Role = .user,
    isSuspended: Bool = false
) throws -> User {
    let id: UserID = anID()
    return User(
        id: id,
        username: try Username(name ?? "user_\(id.rawValue % 1_000_000_000)"),
        displayName: try DisplayName(displayName),
        email: try email.map { text throws(Violation) in try EmailAddress(text) },
        role: role,
        isSuspended: isSuspended,
        createdAt: fixtureTime
    )
}

package func aPost(by author: User, _ text: String = "Hello", visibility: Visibility = .everyone) throws -> Post {
    Post(id: anID(), authorID: author.id, text: try PostText(text), visibility: visibility, createdAt: fixtureTime)
}

package func aSession(of user: User, expiresAt: Timestamp = fixtureTime.advanced(by: .seconds(86_400))) -> Session {
    Session(id: anID(), userID: user.id, createdAt: fixtureTime, expiresAt: expiresAt)
}

extension Stores {
    /// A stored user.
    package func someone(
        _ name: String? = nil,
        displayName: String = "Somebody",
        role: Role = .user,
        isSuspended: Bool = false
    ) async throws -> User {
        let user = try aUser(name, displayName: displayName, role: role, isSuspended: isSuspended)
        try await users.insert(user, passwordHash: PasswordHash(phcString: "$none"))
        return user
    }

    package func follow(_ followee: User, by follower: User) async throws {
        try await follows.insert(Follow(follower: follower.id, followee: followee.id, createdAt: clock.now()))
    }
}
