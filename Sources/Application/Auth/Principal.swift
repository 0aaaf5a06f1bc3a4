package import Domain

/// Who makes a call.
package struct Principal: Hashable, Sendable {
    package let userID: UserID
    package let username: Username
    package let role: Role
    package let sessionID: SessionID
    /// When the access token behind this ends.
    package let expiresAt: Timestamp

    package init(userID: UserID, username: Username, role: Role, sessionID: SessionID, expiresAt: Timestamp) {
        self.userID = userID
        self.username = username
        self.role = role
        self.sessionID = sessionID
        self.expiresAt = expiresAt
    }
}
