import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

/// Calls a REST server the way an app does.
struct RestClient: Sendable {
    let port: Int

    /// Room for a flood; and a server that is gone is told at once, not looked for until time is up.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1000
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(configuration: configuration)
    }()

    struct Account: Sendable {
        let name: String
        let token: String
    }

    func register(_ prefix: String) async throws -> Account {
        let name = "\(prefix)_\(UUID().uuidString.prefix(8).lowercased())"
        let answer = try await send(
            "POST",
            "/v1/auth/register",
            body: ["username": name, "password": Self.password]
        )
        return Account(name: name, token: try answer.expecting(201).string("accessToken"))
    }

    /// The password of everybody.
    static let password = "correct horse"

    func logIn(_ name: String, _ password: String) async throws -> Answer {
        try await send("POST", "/v1/auth/login", body: ["username": name, "password": password])
    }

    func follow(_ followee: Account, by follower: Account) async throws {
        _ = try await send("PUT", "/v1/users/\(followee.name)/follow", by: follower).expecting(204)
    }

    func unfollow(_ followee: Account, by follower: Account) async throws {
        _ = try await send("DELETE", "/v1/users/\(followee.name)/follow", by: follower).expecting(204)
    }

    /// Gives the id of the new post.
    func post(_ text: String, by author: Account) async throws -> String {
        try await send("POST", "/v1/posts", by: author, body: ["text": text]).expecting(201).string("id")
    }

    func send(
        _ method: String,
        _ path: String,
        by account: Account? = nil,
        body: [String: String]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method)
        if let account { request.headers.add(name: "Authorization", value: "Bearer \(account.token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        let response = try await Self.client.execute(request, timeout: .seconds(15))
        return Answer(
            status: Int(response.status.code),
            headers: response.headers,
            body: try await response.body.collect(upTo: 1 << 20)
        )
    }

    /// Every post that is stored of `author`, by id.
    func posts(of author: Account) async throws -> Set<String> {
        var ids: Set<String> = []
        var cursor: String?
        repeat {
            let path = "/v1/users/\(author.name)/posts?limit=100" + (cursor.map { "&cursor=\($0)" } ?? "")
            let page = try await send("GET", path, by: author).expecting(200).decoded(Page.self)
            ids.formUnion(page.items.map(\.id))
            cursor = page.next
        } while cursor != nil
        return ids
    }

    private struct Page: Decodable {
        struct Item: Decodable {
            let id: String
        }

        let items: [Item]
        let next: String?
    }

    /// What `/health/ready` says; works with the live feed's port too.
    func readiness() async throws -> Readiness {
        let answer = try await send("GET", "/health/ready")
        let body = try answer.decoded(Readiness.Body.self)
        let out = body.dependencies.filter { $0.status == "down" }.map(\.name)
        return Readiness(status: answer.status, out: out)
    }

    struct Readiness: Hashable, Sendable {
        let status: Int
        let out: [String]

        static let ready = Readiness(status: 200, out: [])
        static func without(_ name: String) -> Readiness { Readiness(status: 503, out: [name]) }

        fileprivate struct Body: Decodable {
            struct Dependency: Decodable {
                let name: String
                let status: String
            }

            let dependencies: [Dependency]
        }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: ByteBuffer

        func decoded<Value: Decodable>(_: Value.Type) throws -> Value {
            try JSONDecoder().decode(Value.self, from: Data(body.readableBytesView))
        }

        /// The members of a problem, apart from the request's id, which is another each time.
        func problem() throws -> [String: String] {
            let object = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any]
            return (object ?? [:]).filter { $0.key != "requestId" }.mapValues { "\($0)" }
        }

        /// Whether this says, the way the contract has it, that the service is out for a while.
        func isUnavailable(retryAfter seconds: String) -> Bool {
            status == 503 && headers["Content-Type"] == ["application/problem+json"]
                && headers["Retry-After"] == [seconds]
        }

        func expecting(_ status: Int) throws -> Answer {
            guard self.status == status else { throw Unexpected(answer: self, expected: status) }
            return self
        }

        func string(_ member: String) throws -> String {
            let object = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any]
            guard let value = object?[member] as? String else { throw Unexpected(answer: self, expected: status) }
            return value
        }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let answer: Answer
        let expected: Int

        var description: String { "got \(answer.status), not \(expected): \(String(buffer: answer.body))" }
    }
}
