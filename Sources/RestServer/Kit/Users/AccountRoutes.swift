import APIModel
import Application
import HTTPTypes
import Hummingbird

/// `/v1/users/me`, and `/v1/users` for admins.
struct AccountRoutes: Sendable {
    let accounts: Accounts
    let caller: Caller
    let body: JSONBodyReader

    func add(to router: Router<MartletRequestContext>) {
        router.get("/v1/users", use: list)
        router.get("/v1/users/me", use: show)
        router.patch("/v1/users/me", use: update)
        router.delete("/v1/users/me", use: delete)
    }

    @Sendable private func list(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let query = Query(request)
        let page = try await accounts.all(matching: try query.searchText(), page: try query.page(), by: principal)
        return .page(page, query: query) { UserResponse.write($0, detail: .account, to: &$1) }
    }

    @Sendable private func show(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let profile = try await accounts.profile(of: try await caller(of: request))
        return .json { UserResponse.write(profile, detail: .account, to: &$0) }
    }

    @Sendable private func update(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let change = try await body(request) { fields in
            AccountUpdate(
                username: fields.presentString("username"),
                displayName: fields.presentString("displayName"),
                biography: fields.presentString("bio"),
                email: fields.nullableString("email")
            )
        }
        let profile = try await accounts.update(change, by: principal)
        return .json { UserResponse.write(profile, detail: .account, to: &$0) }
    }

    @Sendable private func delete(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let password = try await body(request) { $0.string("password") }
        try await accounts.delete(principal, password: password)
        return .noContent
    }
}
