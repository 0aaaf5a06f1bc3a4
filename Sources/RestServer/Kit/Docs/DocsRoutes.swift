import HTTPTypes
import Hummingbird
import NIOCore

/// `/openapi.yaml`, `/openapi.json`, and `/docs`, where Swagger UI shows them.
struct DocsRoutes: Sendable {
    /// The folder that holds Swagger UI's files, if it was fetched.
    let assets: String?

    /// Swagger UI's files by name: nothing else in the folder is reachable.
    private static let assetTypes = [
        "swagger-ui.css": "text/css; charset=utf-8",
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    ]

    func add(to router: Router<MartletRequestContext>) {
        router.get("/openapi.yaml") { _, _ in Self.file(Specification.yaml, type: "application/yaml") }
        router.get("/openapi.json") { _, _ in Self.file(try Specification.json.get(), type: "application/json") }
        router.get("/docs", use: page)
        router.get("/docs/{asset}", use: asset)
    }

    @Sendable private func page(_: Request, context: MartletRequestContext) async throws -> Response {
        let isFetched = await hasAssets(context)
        return Self.file(
            ByteBuffer(string: isFetched ? Self.page : Self.pageWithoutAssets),
            type: "text/html; charset=utf-8"
        )
    }

    @Sendable private func asset(_: Request, context: MartletRequestContext) async throws -> Response {
        let name = context.pathPart("asset")
        if name == "start.js" {
            return Self.file(ByteBuffer(string: Self.script), type: "text/javascript; charset=utf-8")
        }
        guard let type = Self.assetTypes[name], let body = await load(name, context) else { throw Problem.notFound }
        return Self.response(body, type: type)
    }

    private func hasAssets(_ context: MartletRequestContext) async -> Bool {
        for name in Self.assetTypes.keys where await load(name, context) == nil { return false }
        return true
    }

    /// The content of a file of ``assets``, streamed from disk; `nil` if it is not there.
    private func load(_ name: String, _ context: MartletRequestContext) async -> ResponseBody? {
        guard let assets else { return nil }
        do {
            return try await FileIO().loadFile(path: "\(assets)/\(name)", context: context)
        } catch {
            return nil  // Its one error: not there.
        }
    }

    private static func file(_ content: ByteBuffer, type: String) -> Response {
        response(ResponseBody(byteBuffer: content), type: type)
    }

    private static func response(_ body: ResponseBody, type: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type,
                // They change with each release of ours, and nothing in their names tells.
                .cacheControl: "no-cache",
                // Swagger UI sets style attributes and has its icons as data URLs.
                .contentSecurityPolicy: """
                default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
                """,
            ],
            body: body
        )
    }

    private static let page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Martlet API</title>
        <link rel="stylesheet" href="/docs/swagger-ui.css">
        </head>
        <body>
        <div id="docs"></div>
        <script src="/docs/swagger-ui-bundle.js"></script>
        <script src="/docs/start.js"></script>
        </body>
        </html>

        """

    private static let script = """
        SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null});

        """

    private static let pageWithoutAssets = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Martlet API</title></head>
        <body>
        <h1>Martlet API</h1>
        <p>The API is described in <a href="/openapi.yaml">/openapi.yaml</a> and
        <a href="/openapi.json">/openapi.json</a>.</p>
        <p>To browse it here, fetch Swagger UI with <code>Scripts/fetch-swagger-ui.sh</code> and start the server with
        <code>DOCS_ASSETS=.build/swagger-ui</code>; <code>make run</code> does both.</p>
        </body>
        </html>

        """
}
