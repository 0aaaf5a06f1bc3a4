import HTTPTypes
import TestSupport
import Testing

@testable import RestServerKit

@Suite("Accounts and users")
struct UserTests {
    @Test("A change of the account shows, and leaves alone what it does not name")
    func update() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let change = #"{"displayName":"Alice L.","bio":"Curious\nand more","email":"a@example.org"}"#
            let changed = try await api.send(.patch, "/v1/users/me", as: alice, change)
            #expect(changed.status == 200)
            #expect(changed.json["displayName"].text == "Alice L.")
            #expect(changed.json["bio"].text == "Curious\nand more")
            #expect(changed.json["username"].text == "alice")
            let removed = try await api.send(.patch, "/v1/users/me", as: alice, #"{"email":null}"#)
            #expect(removed.json["email"] == .null)
            #expect(removed.json["displayName"].text == "Alice L.")
            #expect(try await api.send(.patch, "/v1/users/me", as: alice, "{}").json == removed.json)
        }
    }

    @Test("A change that breaks rules or meets another account is refused and changes nothing")
    func refusedUpdate() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            _ = try await api.someone("bob")
            let taken = try await api.send(.patch, "/v1/users/me", as: alice, #"{"username":"bob","bio":"x"}"#)
            #expect(taken.status == 409)
            #expect(taken.error == "username_taken")
            let broken = #"{"username":"a b","displayName":" "}"#
            let invalid = try await api.send(.patch, "/v1/users/me", as: alice, broken)
            #expect(invalid.status == 422)
            #expect(invalid.fields == ["username:invalid_characters", "displayName:empty"])
            let unknown = try await api.send(.patch, "/v1/users/me", as: alice, #"{"role":"admin"}"#)
            #expect(unknown.fields == ["role:unknown_field"])
            let null = try await api.send(.patch, "/v1/users/me", as: alice, #"{"bio":null}"#)
            #expect(null.fields == ["bio:wrong_type"])
            #expect(try await api.send(.get, "/v1/users/me", as: alice).json["bio"].text == "")
        }
    }

    @Test("Deletion needs the password, and then removes account, posts and sessions")
    func delete() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let bob = try await api.someone("bob")
            let post = try await api.post("Hello", by: alice)
            let wrong = try await api.send(.delete, "/v1/users/me", as: alice, #"{"password":"wrong"}"#)
            #expect(wrong.status == 403)
            #expect(wrong.error == "wrong_password")
            #expect(try await api.send(.delete, "/v1/users/me", as: alice, "{}").fields == ["password:required"])
            #expect(try await api.send(.get, "/v1/posts/\(post)", as: bob).status == 200)

            let right = #"{"password":"\#(Services.password)"}"#
            #expect(try await api.send(.delete, "/v1/users/me", as: alice, right).status == 204)
            #expect(try await api.send(.get, "/v1/users/me", as: alice).status == 401)
            #expect(try await api.send(.get, "/v1/users/alice", as: bob).status == 404)
            #expect(try await api.send(.get, "/v1/posts/\(post)", as: bob).status == 404)
        }
    }

    @Test("A profile is found by id and by name, with the relationship, and without what is private")
    func profile() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let bob = try await api.someone("bob", displayName: "Bob")
            try await api.send(.put, "/v1/users/bob/follow", as: alice)
            for reference in [bob.id, "bob", "BOB", "%62ob"] {
                let answer = try await api.send(.get, "/v1/users/\(reference)", as: alice)
                #expect(answer.status == 200)
                #expect(answer.json["id"].text == bob.id)
                let relationship: [String: JSON] = [
                    "following": .bool(true), "followedBy": .bool(false), "blocking": .bool(false),
                    "muting": .bool(false),
                ]
                #expect(answer.json["relationship"] == .object(relationship))
                #expect(answer.json["email"] == .null && answer.json.members["email"] == nil)
                #expect(answer.json.members["role"] == nil)
            }
            let own = try await api.send(.get, "/v1/users/bob", as: bob)
            #expect(own.json.members["email"] != nil)
            #expect(own.json.members["relationship"] == nil)
            let admin = try await api.send(.get, "/v1/users/bob", as: try await api.admin())
            #expect(admin.json["role"].text == "user")
            for reference in ["nobody", "12345", "a%20b", "%ff", "0"] {
                let answer = try await api.send(.get, "/v1/users/\(reference)", as: alice)
                #expect(answer.status == 404)
                #expect(answer.error == "user_not_found")
            }
        }
    }

    @Test("Following and unfollowing are idempotent and count once")
    func follow() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            _ = try await api.someone("bob")
            for _ in 1...2 { #expect(try await api.send(.put, "/v1/users/bob/follow", as: alice).status == 204) }
            #expect(try await api.send(.get, "/v1/users/bob", as: alice).json["followerCount"].number == 1)
            #expect(try await api.send(.get, "/v1/users/me", as: alice).json["followingCount"].number == 1)
            for _ in 1...2 { #expect(try await api.send(.delete, "/v1/users/bob/follow", as: alice).status == 204) }
            #expect(try await api.send(.get, "/v1/users/bob", as: alice).json["followerCount"].number == 0)
        }
    }

    @Test("Nobody follows themselves or somebody who is not there")
    func followRefused() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let own = try await api.send(.put, "/v1/users/alice/follow", as: alice)
            #expect(own.status == 422)
            #expect(own.fields == ["user:self_follow"])
            #expect(try await api.send(.put, "/v1/users/nobody/follow", as: alice).status == 404)
            #expect(try await api.send(.delete, "/v1/users/nobody/follow", as: alice).status == 404)
            #expect(try await api.send(.get, "/v1/users/nobody/followers", as: alice).status == 404)
            #expect(try await api.send(.get, "/v1/users/nobody/following", as: alice).status == 404)
            #expect(try await api.send(.get, "/v1/users/nobody/posts", as: alice).status == 404)
        }
    }

    @Test("A walk along next and Link sees every follower once, the latest first")
    func pages() async throws {
        try await API.run { api in
            let star = try await api.someone("star")
            for number in 1...5 {
                let fan = try await api.someone("fan_\(number)")
                try await api.send(.put, "/v1/users/star/follow", as: fan)
                api.services.stores.clock.advance(by: .milliseconds(10))
            }
            var path = "/v1/users/star/followers?limit=2"
            var names: [[String]] = []
            while true {
                let answer = try await api.send(.get, path, as: star)
                #expect(answer.status == 200)
                names.append(answer.json["items"].elements.compactMap { $0["username"].text })
                let link = answer.headers[.link]
                guard let next = answer.json["next"].text else {
                    #expect(link == nil)
                    break
                }
                #expect(link == "</v1/users/star/followers?limit=2&cursor=\(next)>; rel=\"next\"")
                path = "/v1/users/star/followers?limit=2&cursor=\(next)"
                try #require(names.count < 5)
            }
            #expect(names == [["fan_5", "fan_4"], ["fan_3", "fan_2"], ["fan_1"]])
            let following = try await api.send(.get, "/v1/users/fan_3/following", as: star)
            #expect(following.json["items"].elements.compactMap { $0["username"].text } == ["star"])
        }
    }

    @Test("A limit out of range is 422, a cursor that no list gave is 400")
    func badPages() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let ofAlice = ["followers", "following", "posts"].map { "/v1/users/alice/\($0)" }
            let lists = ofAlice + ["/v1/timelines/home"]
            for list in lists {
                for limit in ["0", "101", "-1", "ten", "1.5", "99999999999999999999"] {
                    let answer = try await api.send(.get, "\(list)?limit=\(limit)", as: alice)
                    #expect(answer.status == 422)
                    #expect(answer.fields == ["limit:out_of_range"])
                }
                for cursor in ["!", "%00", "ZZ", "99999999999999999999", "%ff"] {
                    let answer = try await api.send(.get, "\(list)?cursor=\(cursor)", as: alice)
                    #expect(answer.status == 400)
                    #expect(answer.error == "invalid_cursor")
                }
                #expect(try await api.send(.get, "\(list)?limit=&cursor=", as: alice).status == 200)
            }
        }
    }

    @Test("All accounts are for admins, who may search them")
    func list() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice", displayName: "Queen of Hearts")
            _ = try await api.someone("bob")
            let refused = try await api.send(.get, "/v1/users", as: alice)
            #expect(refused.status == 403)
            #expect(refused.error == "admin_only")
            let admin = try await api.admin()
            let all = try await api.send(.get, "/v1/users", as: admin)
            #expect(all.json["items"].elements.compactMap { $0["username"].text } == ["root_admin", "bob", "alice"])
            let found = try await api.send(.get, "/v1/users?q=queen+of%20H", as: admin)
            #expect(found.json["items"].elements.compactMap { $0["username"].text } == ["alice"])
            let first = try await api.send(.get, "/v1/users?q=o&limit=1", as: admin)
            #expect(first.headers[.link]?.hasPrefix("</v1/users?q=o&limit=1&cursor=") == true)
            let long = try await api.send(.get, "/v1/users?q=\(String(repeating: "x", count: 101))", as: admin)
            #expect(long.fields == ["q:too_long"])
            // PostgreSQL takes no NUL.
            for control in ["%00", "a%00", "%0A", "%C2%85"] {
                let refused = try await api.send(.get, "/v1/users?q=\(control)", as: admin)
                #expect(refused.status == 422)
                #expect(refused.fields == ["q:invalid_characters"])
            }
        }
    }
}
