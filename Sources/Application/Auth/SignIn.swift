import Domain

/// What a login, a registration or a refresh answers with.
package struct SignedIn: Sendable {
    package let profile: Profile
    package let accessToken: String
    /// How long the access token is good for.
    package let expiresIn: Duration
    package let refreshToken: String
}

/// How long the two tokens of a session live.
package struct SessionLifetimes: Sendable {
    package let accessToken: Duration
    /// From the last refresh on: a session that is used stays.
    package let session: Duration

    package init(accessToken: Duration = .seconds(3600), session: Duration = .seconds(30 * 86_400)) {
        self.accessToken = accessToken
        self.session = session
    }
}
