import HTTPTypes
import Hummingbird

/// Answers what no route takes: 405 if the path takes another method, 404 otherwise.
///
/// Added to the router after every route, it runs for those requests alone: middleware applies to what is added later,
/// and all that comes later is the router's own answer for the unmatched.
struct UnmatchedRequests: RouterMiddleware {
    private let routes: [(path: RouterPath, method: HTTPRequest.Method)]

    init(routes: [Router<MartletRequestContext>.RouteDescription]) {
        self.routes = routes.map { ($0.path, $0.method) }
    }

    func handle(
        _ request: Request,
        context: MartletRequestContext,
        next: (Request, MartletRequestContext) async throws -> Response
    ) async throws -> Response {
        let components = request.uri.path.split(separator: "/")
        var methods = Set<String>()
        for route in routes where route.path.matches(components) {
            methods.insert(route.method.rawValue)
            if route.method == .get { methods.insert(HTTPRequest.Method.head.rawValue) }
        }
        throw methods.isEmpty ? Problem.notFound : Problem.methodNotAllowed(allowed: methods.sorted())
    }
}

extension RouterPath {
    fileprivate func matches(_ components: [Substring]) -> Bool {
        self.components.count == components.count
            && zip(self.components, components).allSatisfy { element, component in element ~= component }
    }
}
