import APIModel
import Application
import Domain
import HTTPTypes
import Hummingbird

/// `/v1/posts` and the timelines.
struct PostRoutes: Sendable {
    let posts: Posts
    let caller: Caller
    let body: JSONBodyReader

    func add(to router: Router<MartletRequestContext>) {
        router.post("/v1/posts", use: publish)
        router.get("/v1/posts/{id}", use: show)
        router.delete("/v1/posts/{id}", use: delete)
        router.get("/v1/timelines/home", use: homeTimeline)
    }

    @Sendable private func publish(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let (text, visibility) = try await body(request) { ($0.string("text"), $0.optionalString("visibility")) }
        let view = try await posts.publish(text: text, visibility: visibility, by: principal)
        return .created(at: "/v1/posts/\(view.post.id)") { PostResponse.write(view, to: &$0) }
    }

    @Sendable private func show(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let view = try await posts.post(context.pathPart("id"), by: principal)
        return .json { PostResponse.write(view, to: &$0) }
    }

    @Sendable private func delete(_ request: Request, _ context: MartletRequestContext) async throws -> Response {
        try await posts.delete(context.pathPart("id"), by: try await caller(of: request))
        return .noContent
    }

    @Sendable private func homeTimeline(_ request: Request, _: MartletRequestContext) async throws -> Response {
        let principal = try await caller(of: request)
        let query = Query(request)
        let page = try await posts.homeTimeline(of: principal, page: try query.page())
        return .page(page, query: query) { PostResponse.write($0, to: &$1) }
    }
}
