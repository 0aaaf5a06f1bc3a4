import Application
import HTTPTypes
import Hummingbird

/// Finds out who makes a request.
struct Caller: Sendable {
    let authenticator: Authenticator

    /// - Throws: ``Problem/missingCredentials``, or what ``Authenticator/principal(for:)`` throws.
    func callAsFunction(of request: Request) async throws -> Principal {
        guard let principal = try await ifAny(of: request) else { throw Problem.missingCredentials }
        return principal
    }

    /// `nil` if the request carries no credentials; bad ones are refused, also where none are needed.
    func ifAny(of request: Request) async throws -> Principal? {
        guard let credentials = request.headers[.authorization] else { return nil }
        guard let token = Self.bearerToken(credentials) else {
            throw ApplicationError(.unauthenticated, "invalid_token", "Send credentials as: Bearer <access token>.")
        }
        return try await authenticator.principal(for: token)
    }

    /// The token of `Bearer <token>`; a scheme's case does not matter (RFC 9110, 11.1).
    private static func bearerToken(_ credentials: String) -> String? {
        let scheme = "bearer "
        let isBearer = zip(credentials.utf8, scheme.utf8).allSatisfy { $0 == $1 || $0 | 0x20 == $1 }
        guard isBearer, credentials.utf8.count > scheme.utf8.count else { return nil }
        return String(credentials.utf8.dropFirst(scheme.utf8.count))
    }
}
