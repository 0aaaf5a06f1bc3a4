import APIModel
import Application
import Domain
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test("members and elements are separated by commas, at every depth")
    func separators() {
        let text = written { json in
            json.beginObject()
            json.key("list")
            json.beginArray()
            json.number(1)
            json.null()
            json.beginObject()
            json.endObject()
            json.beginArray()
            json.endArray()
            json.endArray()
            json.member("flag", true)
            json.member("count", 0)
            json.endObject()
        }
        #expect(text == #"{"list":[1,null,{},[]],"flag":true,"count":0}"#)
    }

    @Test("quotes, backslashes and controls are escaped, other text goes out as it is")
    func escapes() {
        let text = written { $0.string("a\"b\\c/\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}é🐦\u{2028}") }
        #expect(text == "\"a\\\"b\\\\c/\\n\\r\\t\\b\\f\\u0000\\u001f\u{7f}é🐦\u{2028}\"")
    }

    @Test("numbers keep every digit", arguments: [0, 7, -1, 10, Int64.max, Int64.min])
    func numbers(_ value: Int64) {
        #expect(written { $0.number(value) } == String(value))
        #expect(written { $0.quoted(value) } == "\"\(value)\"")
    }

    @Test("a post shows its author, text, time and visibility, in a fixed order")
    func post() throws {
        let view = PostView(
            post: Post(
                id: PostID(rawValue: 42),
                authorID: UserID(rawValue: 7),
                text: try PostText("Hello \"all\""),
                visibility: .followers,
                createdAt: Timestamp(millisecondsSinceEpoch: 1_767_225_600_001)
            ),
            author: UserSummary(
                id: UserID(rawValue: 7),
                username: try Username("ada"),
                displayName: try DisplayName("Ada")
            )
        )
        let expected =
            #"{"id":"42","author":{"id":"7","username":"ada","displayName":"Ada","picture":null},"#
            + #""text":"Hello \"all\"","createdAt":"2026-01-01T00:00:00.001Z","editedAt":null,"#
            + #""visibility":"followers","replyTo":null,"media":[],"likeCount":0,"repostCount":0,"replyCount":0,"#
            + #""viewer":{"liked":false,"reposted":false}}"#
        #expect(written { PostResponse.write(view, to: &$0) } == expected)
    }
}
