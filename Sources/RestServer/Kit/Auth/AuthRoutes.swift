import APIModel
import Application
import Domain
import HTTPTypes
import Hummingbird

/// `/v1/auth`: registration, login and what follows it.
struct AuthRoutes: Sendable {
    let accounts: Accounts
    let sessions: Sessions
    let caller: Caller
    let body: JSONBodyReader

    func add(to router: Router<MartletRequestContext>) {
        router.post("/v1/auth/register", use: register)
        router.post("/v1/auth/login", use: logIn)
        router.post("/v1/auth/refresh", use: refresh)
        router.post("/v1/auth/logout", use: logOut)
    }

    @Sendable private func register(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller.ifAny(of: request)
        let registration = try await body(request) { fields in
            Registration(
                username: fields.string("username"),
                password: fields.string("password"),
                email: fields.optionalString("email"),
                displayName: fields.optionalString("displayName"),
                role: fields.optionalString("role")
            )
        }
        let signedIn = try await accounts.register(registration, by: principal)
        return .created(at: "/v1/users/\(signedIn.profile.user.id)") { TokenResponse.write(signedIn, to: &$0) }
    }

    @Sendable private func logIn(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let (username, password) = try await body(request) { ($0.string("username"), $0.string("password")) }
        let signedIn = try await sessions.logIn(username: username, password: password)
        return .json { TokenResponse.write(signedIn, to: &$0) }
    }

    @Sendable private func refresh(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let token = try await body(request) { $0.string("refreshToken") }
        let signedIn = try await sessions.refresh(token)
        return .json { TokenResponse.write(signedIn, to: &$0) }
    }

    @Sendable private func logOut(_ request: Request, _: MartletRequestContext) async throws -> Response {
        try await sessions.logOut(try await caller(of: request))
        return .noContent
    }
}
