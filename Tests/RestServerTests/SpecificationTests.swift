import Foundation
import HTTPTypes
import Hummingbird
import TestSupport
import Testing

@testable import RestServerKit

@Suite("The specification")
struct SpecificationTests {
    @Test("It names every route, and every route is in it")
    func routesAgree() async throws {
        try await API.run { api in
            let router = restRouter(RestServices(api.services), configuration: RestServerConfiguration())
            // The router makes the HEAD routes itself, out of those of GET.
            let routes = router.routes.filter { $0.method != .head }.map {
                APIContract.Operation(method: $0.method.rawValue, path: $0.path.description)
            }
            let documented = try APIContract.shared.operations
            #expect(Set(routes).subtracting(documented).map(\.description).sorted() == [])
            #expect(documented.subtracting(routes).map(\.description).sorted() == [])
        }
    }

    @Test("Whatever is not public is 401 without a token, and with a bad one")
    func unauthenticated() async throws {
        try await API.run { api in
            let contract = try APIContract.shared
            let closed = contract.operations.filter(contract.needsCredentials)
            #expect(closed.count >= 15)
            for operation in closed {
                let path = operation.path.replacing(/\{[a-z]+\}/, with: "1234567")
                let method = try #require(HTTPRequest.Method(operation.method))
                let without = try await api.send(method, path, "{}")
                #expect(without.status == 401, "\(operation)")
                #expect(without.error == "missing_credentials")
                #expect(without.headers[.wwwAuthenticate] == #"Bearer realm="martlet""#)
                let bad = try await api.send(method, path, as: Someone(token: "bad"), "{}")
                #expect(bad.status == 401, "\(operation)")
                #expect(bad.error == "invalid_token")
                #expect(bad.headers[.wwwAuthenticate]?.contains(#"error="invalid_token""#) == true)
                #expect(contract.description(of: operation)["responses"]["401"] != .null, "\(operation)")
            }
        }
    }

    @Test("What is public asks for no token")
    func open() async throws {
        try await API.run { api in
            let contract = try APIContract.shared
            for operation in contract.operations where !contract.needsCredentials(operation) {
                let path = operation.path.replacing(/\{[a-z]+\}/, with: "swagger-ui.css")
                let method = try #require(HTTPRequest.Method(operation.method))
                let answer = try await api.send(method, path, method == .post ? "{}" : nil)
                #expect(answer.error != "missing_credentials", "\(operation)")
            }
        }
    }

    @Test("It is served as YAML and as JSON, and says the same in both")
    func served() async throws {
        try await API.run { api in
            let yaml = try await api.send(.get, "/openapi.yaml")
            #expect(yaml.body.hasPrefix("openapi: 3.1.0"))
            let json = try await api.send(.get, "/openapi.json")
            #expect(json.json["openapi"].text == "3.1.0")
            #expect(json.json["paths"].members.keys.allSatisfy { yaml.body.contains("\n  \($0):\n") })
            #expect(!json.body.contains(#"":"*"#), "an alias was left")
        }
    }

    @Test("Every reference in it leads somewhere")
    func references() throws {
        let document = try APIContract.shared.document
        func check(_ value: JSON) {
            for (name, member) in value.members {
                if name == "$ref", let reference = member.text {
                    let target = reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] }
                    #expect(target != .null, "\(reference)")
                }
                check(member)
            }
            for element in value.elements { check(element) }
        }
        check(document)
    }

    @Test("Without Swagger UI, /docs says how to get it")
    func docs() async throws {
        try await API.run { api in
            let page = try await api.send(.get, "/docs")
            #expect(page.body.contains("Scripts/fetch-swagger-ui.sh"))
            #expect(page.body.contains("/openapi.yaml"))
            #expect(try await api.send(.get, "/docs/swagger-ui.css").status == 404)
        }
    }

    @Test("/docs gives out Swagger UI's files, and no other of their folder")
    func docsAssets() async throws {
        try await withTemporaryFolder { folder in
            for name in ["swagger-ui.css", "swagger-ui-bundle.js", "secret.txt"] {
                try Data("content".utf8).write(to: URL(filePath: folder).appending(path: name))
            }
            try await API.run(docsAssets: folder) { api in
                let page = try await api.send(.get, "/docs")
                #expect(page.body.contains("/docs/swagger-ui-bundle.js"))
                #expect(page.headers[.contentSecurityPolicy]?.contains("script-src 'self'") == true)
                #expect(try await api.send(.get, "/docs/swagger-ui.css").body == "content")
                let script = try await api.send(.get, "/docs/swagger-ui-bundle.js")
                #expect(script.headers[.contentType] == "text/javascript; charset=utf-8")
                #expect(try await api.send(.get, "/docs/start.js").status == 200)
                #expect(try await api.send(.get, "/docs/secret.txt").status == 404)
                #expect(try await api.send(.get, "/docs/..%2fsecret.txt").status == 404)
            }
        }
    }
}
