import Application

/// What a client of the live feed is told before its connection is closed.
struct LiveError: Error, Hashable, Sendable {
    let closeCode: CloseCode
    /// A stable snake_case word for programs.
    let word: String
    /// A sentence for people.
    let detail: String

    init(_ closeCode: CloseCode, _ word: String, _ detail: String) {
        self.closeCode = closeCode
        self.word = word
        self.detail = detail
    }

    init(_ error: ApplicationError) {
        word = error.word
        detail = error.message
        closeCode =
            switch error.code {
            case .unauthenticated:
                switch error.word {
                case "token_expired": .expired
                case "session_revoked": .revoked
                default: .badCredentials
                }
            case .malformed, .forbidden, .notFound, .conflict, .invalid: .badCredentials
            case .overloaded, .unavailable: .overloaded
            case .defect: .internalError
            }
    }

    static let authenticationTimeout = LiveError(
        .badCredentials, "authentication_timeout", "No auth frame came in time.")
    static let unexpectedFrame = LiveError(
        .badCredentials, "unexpected_frame", "Send nothing but an auth frame, and wait for its answer.")
    static let malformedFrame = LiveError(
        .badCredentials, "malformed_frame",
        #"Send {"type":"auth","token":"…","since":"…"}; only since may be left out."#)
    static let otherUser = LiveError(
        .badCredentials, "other_user", "A connection stays with the user it began with.")
    static let expired = LiveError(.expired, "token_expired", "The access token has expired.")
    static let revoked = LiveError(.revoked, "session_revoked", "This session has ended: log in again.")
    static let userDeleted = LiveError(.revoked, "user_deleted", "This account has been deleted.")
    static let tooManyConnections = LiveError(
        .tooManyConnections, "too_many_connections", "This user has too many connections.")
    static let overloaded = LiveError(.overloaded, "overloaded", "Too much at once: try again later.")
}
