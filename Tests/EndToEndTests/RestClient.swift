import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

/// Calls a REST server the way an app does.
struct RestClient: Sendable {
    let port: Int

    struct Account: Sendable {
        let name: String
        let token: String
    }

    func register(_ prefix: String) async throws -> Account {
        let name = "\(prefix)_\(UUID().uuidString.prefix(8).lowercased())"
        let answer = try await send(
            "POST",
            "/v1/auth/register",
            body: ["username": name, "password": "correct horse"]
        )
        return Account(name: name, token: try answer.expecting(201).string("accessToken"))
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
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return Answer(status: Int(response.status.code), body: try await response.body.collect(upTo: 1 << 20))
    }

    struct Answer: Sendable {
        let status: Int
        let body: ByteBuffer

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
