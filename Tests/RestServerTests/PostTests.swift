import HTTPTypes
import TestSupport
import Testing

@testable import RestServerKit

@Suite("Posts and timelines")
struct PostTests {
    @Test("A post is published, found where Location says, and counted")
    func publish() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice", displayName: "Alice")
            let text = #"He said \"hi\" \ud83d\ude00\nand left\\"#
            let answer = try await api.send(.post, "/v1/posts", as: alice, #"{"text":"\#(text)"}"#)
            #expect(answer.status == 201)
            #expect(answer.json["text"].text == "He said \"hi\" 😀\nand left\\")
            #expect(answer.json["visibility"].text == "public")
            #expect(answer.json["author"]["displayName"].text == "Alice")
            let location = try #require(answer.headers[.location])
            #expect(try await api.send(.get, location, as: alice).json == answer.json)
            #expect(try await api.send(.get, "/v1/users/me", as: alice).json["postCount"].number == 1)
        }
    }

    @Test("A post against the rules is 422")
    func invalid() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let cases = [
                #"{"text":"  "}"#: ["text:empty"],
                #"{"text":"\#(String(repeating: "x", count: 501))"}"#: ["text:too_long"],
                #"{"text":"a\u0000b"}"#: ["text:invalid_characters"],
                #"{"text":"a","visibility":"secret"}"#: ["visibility:unknown_value"],
                #"{"visibility":"public"}"#: ["text:required"],
                #"{"text":"a","likes":5}"#: ["likes:unknown_field"],
            ]
            for (body, fields) in cases {
                let answer = try await api.send(.post, "/v1/posts", as: alice, body)
                #expect(answer.status == 422)
                #expect(answer.fields == fields)
            }
            let longest = String(repeating: "👩‍👩‍👧‍👧", count: 500)
            #expect(try await api.send(.post, "/v1/posts", as: alice, #"{"text":"\#(longest)"}"#).status == 201)
        }
    }

    @Test("A post for followers is 404 to everyone else, and gone from their lists")
    func followersOnly() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let bob = try await api.someone("bob")
            let eve = try await api.someone("eve")
            try await api.send(.put, "/v1/users/alice/follow", as: bob)
            let secret = try await api.post("for friends", by: alice, visibility: "followers")
            for reader in [alice, bob] {
                #expect(try await api.send(.get, "/v1/posts/\(secret)", as: reader).status == 200)
                let list = try await api.send(.get, "/v1/users/alice/posts", as: reader)
                #expect(list.json["items"].elements.map { $0["id"].text } == [secret])
            }
            let hidden = try await api.send(.get, "/v1/posts/\(secret)", as: eve)
            #expect(hidden.status == 404)
            #expect(hidden.error == "post_not_found")
            #expect(try await api.send(.delete, "/v1/posts/\(secret)", as: eve).status == 404)
            #expect(try await api.send(.get, "/v1/users/alice/posts", as: eve).json["items"].elements == [])
            try await api.send(.delete, "/v1/users/alice/follow", as: bob)
            #expect(try await api.send(.get, "/v1/posts/\(secret)", as: bob).status == 404)
        }
    }

    @Test("A post is deleted by its author alone, and once")
    func delete() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let bob = try await api.someone("bob")
            let post = try await api.post("Hello", by: alice)
            let refused = try await api.send(.delete, "/v1/posts/\(post)", as: bob)
            #expect(refused.status == 403)
            #expect(refused.error == "not_the_author")
            #expect(try await api.send(.delete, "/v1/posts/\(post)", as: alice).status == 204)
            #expect(try await api.send(.delete, "/v1/posts/\(post)", as: alice).status == 404)
            #expect(try await api.send(.get, "/v1/posts/\(post)", as: alice).status == 404)
        }
    }

    @Test("What is no id is nobody's post", arguments: ["abc", "0", "-1", "99999999999999999999", "1%2f2", "%ff"])
    func unknown(id: String) async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let answer = try await api.send(.get, "/v1/posts/\(id)", as: alice)
            #expect(answer.status == 404)
            #expect(answer.error == "post_not_found")
        }
    }

    @Test("The home timeline holds the posts of those I follow and mine, the newest first, page by page")
    func homeTimeline() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let bob = try await api.someone("bob")
            let eve = try await api.someone("eve")
            try await api.send(.put, "/v1/users/bob/follow", as: alice)
            var expected: [String] = []
            for number in 1...3 {
                api.services.stores.clock.advance(by: .milliseconds(5))
                expected.insert(try await api.post("bob \(number)", by: bob), at: 0)
                _ = try await api.post("eve \(number)", by: eve)
                expected.insert(try await api.post("alice \(number)", by: alice), at: 0)
            }
            var path = "/v1/timelines/home?limit=4"
            var seen: [String] = []
            for _ in 1...3 {
                let page = try await api.send(.get, path, as: alice)
                seen += page.json["items"].elements.compactMap { $0["id"].text }
                guard let next = page.json["next"].text else { break }
                path = "/v1/timelines/home?limit=4&cursor=\(next)"
            }
            #expect(seen == expected)
            try await api.send(.delete, "/v1/users/bob/follow", as: alice)
            let after = try await api.send(.get, "/v1/timelines/home", as: alice)
            #expect(after.json["items"].elements.count == 3)
        }
    }
}
