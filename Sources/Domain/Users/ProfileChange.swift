/// What a user changes of their own account; `nil` leaves a field as it is.
package struct ProfileChange: Hashable, Sendable {
    package var username: Username?
    package var displayName: DisplayName?
    package var biography: Biography?
    /// `.some(nil)` removes the address.
    package var email: EmailAddress??

    package init(
        username: Username? = nil,
        displayName: DisplayName? = nil,
        biography: Biography? = nil,
        email: EmailAddress?? = nil
    ) {
        self.username = username
        self.displayName = displayName
        self.biography = biography
        self.email = email
    }

    package var isEmpty: Bool { username == nil && displayName == nil && biography == nil && email == nil }

    /// `user` with the change made.
    package func applied(to user: User) -> User {
        var changed = user
        if let username { changed.username = username }
        if let displayName { changed.displayName = displayName }
        if let biography { changed.biography = biography }
        if let email { changed.email = email }
        return changed
    }
}
