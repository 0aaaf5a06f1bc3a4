import Domain
import NIOHTTP1
import Testing

@testable import WebSocketServerKit

@Suite("What the live port makes of a request")
struct HandshakeDecisionTests {
    /// The example of RFC 6455, 1.3.
    private static let good: HTTPHeaders = [
        "Host": "live.example:4000", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    private func decide(
        _ method: HTTPMethod = .GET, _ uri: String = "/v1/live", version: HTTPVersion = .http1_1,
        changing changes: [String: String?] = [:]
    ) -> Handshake.Decision {
        var headers = Self.good
        for (name, value) in changes {
            if let value { headers.replaceOrAdd(name: name, value: value) } else { headers.remove(name: name) }
        }
        let head = HTTPRequestHead(version: version, method: method, uri: uri, headers: headers)
        return Handshake(allowedOrigins: ["https://app.example:8443"]).decide(head, requestID: "r1")
    }

    private func upgrade(_ decision: Handshake.Decision) -> Handshake.Upgrade? {
        if case .upgrade(let upgrade) = decision { upgrade } else { nil }
    }

    private func answer(_ decision: Handshake.Decision) -> HTTPAnswer? {
        if case .answer(let answer) = decision { answer } else { nil }
    }

    @Test("a good request is upgraded, with the proof of RFC 6455's example")
    func good() {
        let upgrade = upgrade(decide(.GET, "/v1/live?since=42", changing: ["Authorization": "bearer abc.def"]))
        #expect(upgrade?.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(upgrade?.token == "abc.def")
        #expect(upgrade?.since == Position(rawValue: 42))
    }

    @Test("another version is answered with the one we speak", arguments: [nil, "8", "14", "013"])
    func version(_ version: String?) {
        let answer = answer(decide(changing: ["Sec-WebSocket-Version": version]))
        #expect(answer?.status == .upgradeRequired)
        #expect(answer?.headers.first(name: "Sec-WebSocket-Version") == "13")
    }

    @Test("a request for no WebSocket is told to open one")
    func noWebSocket() {
        #expect(answer(decide(changing: ["Upgrade": nil]))?.status == .upgradeRequired)
        #expect(answer(decide(changing: ["Upgrade": "h2c"]))?.status == .upgradeRequired)
        #expect(answer(decide(changing: ["Connection": "close"]))?.status == .upgradeRequired)
        #expect(answer(decide(version: .http1_0))?.status == .upgradeRequired)
        let post = answer(decide(.POST))
        #expect(post?.status == .methodNotAllowed)
        #expect(post?.headers.first(name: "Allow") == "GET")
    }

    @Test(
        "a key that is not 16 bytes is refused",
        arguments: [nil, "", "abc", "dGhlIHNhbXBsZSBub25jZQ", "!GhlIHNhbXBsZSBub25jZQ=="])
    func key(_ key: String?) {
        #expect(answer(decide(changing: ["Sec-WebSocket-Key": key]))?.status == .badRequest)
    }

    @Test("a body is refused, announced in either way")
    func body() {
        #expect(answer(decide(changing: ["Content-Length": "1"]))?.status == .payloadTooLarge)
        #expect(answer(decide(changing: ["Transfer-Encoding": "chunked"]))?.status == .payloadTooLarge)
        #expect(upgrade(decide(changing: ["Content-Length": "0"])) != nil)
    }

    @Test(
        "only one position is taken from the URL",
        arguments: ["since=", "since=-1", "since=1&since=2", "since=1x", "limit=1"])
    func query(_ query: String) {
        #expect(answer(decide(.GET, "/v1/live?\(query)"))?.status == .badRequest)
    }

    @Test("an escape is two hexadecimal digits and nothing else")
    func escapes() {
        let names = ["%74oken", "%+74", "%-1", "% 1", "%7", "%zz"]
        let target = RequestTarget("/v1/live?" + names.map { "\($0)=x" }.joined(separator: "&"))
        #expect(target.query.map(\.name) == ["token"] + names.dropFirst())
    }

    @Test("a refusal is a problem document that never repeats the token")
    func problem() throws {
        let refusal = try #require(answer(decide(.GET, "/v1/live?access_token=secret")))
        let body = String(decoding: refusal.body, as: UTF8.self)
        let expected =
            #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"Send the token in the Authorization "#
            + #"header or in an auth frame.","error":"token_in_url","requestId":"r1"}"#
        #expect(body == expected)
    }

    @Test(
        "an origin must be listed or on our host, to the letter",
        arguments: [
            ("https://app.example:8443", true), ("https://APP.example:8443", true), ("https://app.example", false),
            ("http://live.example", true), ("https://live.example:9", true), ("ftp://live.example", false),
            ("http://live.example.evil", false), ("http://evil/live.example", false), ("null", false), ("", false),
        ])
    func origin(_ origin: String, _ isAllowed: Bool) {
        #expect((upgrade(decide(changing: ["Origin": origin])) != nil) == isAllowed)
    }

    @Test("two origins are none")
    func twoOrigins() {
        let policy = OriginPolicy(allowed: ["https://a.example"])
        #expect(policy.allows(origins: [], host: "x"))
        #expect(!policy.allows(origins: ["https://a.example", "https://a.example"], host: "x"))
    }
}
