import Domain
import Testing

@Suite("Rules for names and text")
struct TextRuleTests {
    private func code(_ make: () throws(Violation) -> Void) -> String? {
        do {
            try make()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("usernames that differ only in case are one name")
    func caseFolding() throws {
        #expect(try Username("Ann_1") == Username("aNN_1"))
        #expect(try Username("Ann_1").description == "ann_1")
    }

    @Test(
        "a username that breaks a rule is refused with that rule",
        arguments: [
            ("ab", "too_short"), (String(repeating: "a", count: 31), "too_long"), ("an-n", "invalid_characters"),
            ("ann ", "invalid_characters"), ("аnn", "invalid_characters"), ("ＡＮＮ", "invalid_characters"),
            ("12345", "digits_only"), ("ME", "too_short"), ("search", "reserved"), ("", "too_short"),
        ]
    )
    func username(text: String, expected: String) {
        #expect(code { () throws(Violation) in _ = try Username(text) } == expected)
    }

    @Test("an e-mail address keeps its local part and folds its domain")
    func email() throws {
        #expect(try EmailAddress("Ann.Lee+x@Example.ORG").description == "Ann.Lee+x@example.org")
    }

    @Test(
        "what is no e-mail address is refused",
        arguments: [
            "", "ann", "@example.org", "ann@", "ann@host", "ann@.org", "ann@example.", "a b@example.org", "a@b\n.c",
        ]
    )
    func noEmail(text: String) {
        #expect(code { () throws(Violation) in _ = try EmailAddress(text) } == "invalid_format")
    }

    @Test("a post is counted in characters as a reader counts them")
    func graphemes() throws {
        let family = "👩‍👩‍👧‍👦"
        #expect(try PostText(String(repeating: family, count: 500)).description.count == 500)
        #expect(code { () throws(Violation) in _ = try PostText(String(repeating: "a", count: 501)) } == "too_long")
    }

    @Test("one character cannot smuggle in any number of bytes")
    func zalgo() {
        let tower = "a" + String(repeating: "\u{301}", count: 20_000)
        #expect(code { () throws(Violation) in _ = try PostText(tower) } == "too_long")
    }

    @Test(
        "a post without content or with hidden controls is refused",
        arguments: [
            (" \n\t ", "empty"), ("", "empty"), ("a\u{0}b", "invalid_characters"), ("a\u{202e}b", "invalid_characters"),
        ]
    )
    func badPost(text: String, expected: String) {
        #expect(code { () throws(Violation) in _ = try PostText(text) } == expected)
    }

    @Test("a post keeps its line breaks and loses the space around it")
    func trimming() throws {
        #expect(try PostText("  one\n\ntwo \n").description == "one\n\ntwo")
        #expect(try PostText("one\r\n\r\ntwo\r\n").description == "one\n\ntwo")
        #expect(try Biography("a\r\nb").description == "a\nb")
        #expect(code { () throws(Violation) in _ = try PostText("a\rb") } == "invalid_characters")
    }

    @Test("a display name has no line breaks and a biography may")
    func lineBreaks() throws {
        #expect(code { () throws(Violation) in _ = try DisplayName("a\nb") } == "invalid_characters")
        #expect(try Biography("a\nb").description == "a\nb")
    }

    @Test("a new password has 8 to 128 characters and any characters")
    func password() throws {
        #expect(code { () throws(Violation) in _ = try Password(new: "1234567") } == "too_short")
        #expect(
            code { () throws(Violation) in _ = try Password(new: String(repeating: "a", count: 129)) } == "too_long")
        #expect(try Password(new: "пароль 🔑 \u{0}").secret == "пароль 🔑 \u{0}")
    }

    @Test("a password never prints")
    func redaction() throws {
        let password = try Password(new: "correct horse")
        #expect("\(password)" == "<redacted>")
        var dumped = ""
        dump(password, to: &dumped)
        #expect(!dumped.contains("horse"))
    }
}
