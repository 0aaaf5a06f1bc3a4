/// Someone with an account.
package struct User: Hashable, Sendable {
    package let id: UserID
    package var username: Username
    package var displayName: DisplayName
    package var biography: Biography
    package var email: EmailAddress?
    package var role: Role
    package var isSuspended: Bool
    package let createdAt: Timestamp

    package init(
        id: UserID,
        username: Username,
        displayName: DisplayName,
        biography: Biography = .empty,
        email: EmailAddress? = nil,
        role: Role = .user,
        isSuspended: Bool = false,
        createdAt: Timestamp
    ) {
        self.id = id
        self.username = username
        self.displayName = displayName
        self.biography = biography
        self.email = email
        self.role = role
        self.isSuspended = isSuspended
        self.createdAt = createdAt
    }
}

/// What a user may do. Stored and sent as the raw value.
package enum Role: String, Hashable, Sendable, CaseIterable {
    case user
    case admin
}
