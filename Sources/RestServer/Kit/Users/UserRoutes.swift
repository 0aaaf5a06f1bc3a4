import APIModel
import Application
import Domain
import HTTPTypes
import Hummingbird

/// `/v1/users/{user}`: others, and who follows whom.
struct UserRoutes: Sendable {
    let graph: SocialGraph
    let posts: Posts
    let caller: Caller

    func add(to router: Router<MartletRequestContext>) {
        router.get("/v1/users/{user}", use: show)
        router.put("/v1/users/{user}/follow", use: follow)
        router.delete("/v1/users/{user}/follow", use: unfollow)
        router.get("/v1/users/{user}/followers", use: followers)
        router.get("/v1/users/{user}/following", use: following)
        router.get("/v1/users/{user}/posts", use: listPosts)
    }

    @Sendable private func show(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let profile = try await graph.profile(of: context.pathPart("user"), by: principal)
        return .json { UserResponse.write(profile, detail: .of(profile, for: principal), to: &$0) }
    }

    @Sendable private func follow(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        try await graph.follow(context.pathPart("user"), by: try await caller(of: request))
        return .noContent
    }

    @Sendable private func unfollow(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        try await graph.unfollow(context.pathPart("user"), by: try await caller(of: request))
        return .noContent
    }

    @Sendable private func followers(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let query = Query(request)
        let page = try await graph.followers(of: context.pathPart("user"), page: try query.page(), by: principal)
        return .page(page, query: query) { UserResponse.write($0, detail: .of($0, for: principal), to: &$1) }
    }

    @Sendable private func following(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let query = Query(request)
        let page = try await graph.following(of: context.pathPart("user"), page: try query.page(), by: principal)
        return .page(page, query: query) { UserResponse.write($0, detail: .of($0, for: principal), to: &$1) }
    }

    @Sendable private func listPosts(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let query = Query(request)
        let page = try await posts.posts(by: context.pathPart("user"), page: try query.page(), for: principal)
        return .page(page, query: query) { PostResponse.write($0, to: &$1) }
    }
}

extension UserResponse.Detail {
    fileprivate static func of(_ profile: Profile, for principal: Principal) -> Self {
        profile.user.id == principal.userID || principal.role == .admin ? .account : .everyone
    }
}
