import Application
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import RestServerKit
import TestSupport
import Testing

/// The REST server over a fresh database, as a client sees it. Every answer is held against the specification.
struct API: Sendable {
    let client: any TestClientProtocol
    let services: Services

    /// Runs `body` with a server of its own.
    static func run(
        hasher: (any PasswordHasher)? = nil,
        dependencies: [Dependency] = [],
        docsAssets: String? = nil,
        _ body: @Sendable (API) async throws -> Void
    ) async throws {
        try await Engine.sqlite.withStores { stores in
            let services = try await Services(stores, hasher: hasher)
            let application = restApplication(
                RestServices(services, dependencies: dependencies),
                configuration: RestServerConfiguration(docsAssets: docsAssets)
            )
            try await application.test(.router) { client in
                try await body(API(client: client, services: services))
            }
        }
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        as someone: Someone? = nil,
        _ json: String? = nil,
        headers extra: HTTPFields = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var headers = extra
        if let someone { headers[.authorization] = "Bearer \(someone.token)" }
        if json != nil, !headers.contains(.contentType) { headers[.contentType] = "application/json" }
        let body = json.map { ByteBuffer(string: $0) }
        let response = try await client.executeRequest(uri: path, method: method, headers: headers, body: body)
        let answer = Answer(
            status: response.status.code,
            headers: response.headers,
            body: String(buffer: response.body)
        )
        for violation in try APIContract.shared.violations(of: answer, to: method, path) {
            Issue.record("\(method) \(path) -> \(answer.status): \(violation)", sourceLocation: sourceLocation)
        }
        return answer
    }

    /// Someone who just registered.
    func someone(_ name: String, displayName: String? = nil) async throws -> Someone {
        let shown = displayName.map { #","displayName":"\#($0)""# } ?? ""
        let answer = try await send(
            .post,
            "/v1/auth/register",
            #"{"username":"\#(name)","password":"\#(Services.password)"\#(shown)}"#
        )
        return try Someone(answer)
    }

    /// An admin, made as the command line makes one.
    func admin(_ name: String = "root_admin") async throws -> Someone {
        _ = try await services.createAccount(
            Registration(username: name, password: Services.password, role: Role.admin.rawValue)
        )
        let answer = try await send(
            .post,
            "/v1/auth/login",
            #"{"username":"\#(name)","password":"\#(Services.password)"}"#
        )
        return try Someone(answer)
    }

    /// The id of a new post.
    func post(_ text: String, by author: Someone, visibility: String = "public") async throws -> String {
        let answer = try await send(
            .post,
            "/v1/posts",
            as: author,
            #"{"text":"\#(text)","visibility":"\#(visibility)"}"#
        )
        #expect(answer.status == 201)
        return try #require(answer.json["id"].text)
    }
}

/// Somebody with an account who is signed in.
struct Someone: Sendable {
    let id: String
    let token: String
    let refreshToken: String

    init(_ answer: Answer) throws {
        id = try #require(answer.json["user"]["id"].text, "\(answer.body)")
        token = try #require(answer.json["accessToken"].text)
        refreshToken = try #require(answer.json["refreshToken"].text)
    }

    init(id: String = "", token: String, refreshToken: String = "") {
        self.id = id
        self.token = token
        self.refreshToken = refreshToken
    }
}

struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: String

    /// The body, or null if it is not JSON.
    var json: JSON { (try? JSON(parsing: body)) ?? .null }

    /// The word of a problem.
    var error: String? { json["error"].text }

    /// The broken rules of a problem, as `field:code`.
    var fields: [String] {
        json["fields"].elements.map { "\($0["field"].text ?? ""):\($0["code"].text ?? "")" }
    }
}

extension RestServices {
    init(_ services: Services, dependencies: [Dependency] = []) {
        self.init(
            accounts: services.accounts,
            sessions: services.sessions,
            graph: services.graph,
            posts: services.posts,
            authenticator: services.authenticator,
            dependencies: dependencies,
            logger: .quiet
        )
    }
}
