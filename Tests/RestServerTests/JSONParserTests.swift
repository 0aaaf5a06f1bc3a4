import Testing

@testable import RestServerKit

@Suite("Reading JSON")
struct JSONParserTests {
    @Test("It reads what RFC 8259 allows")
    func values() throws {
        let text = #"""
             { "a" : [ 1 , -2.5e+10 , true , false , null ] , "" : { } ,
            "s" : "\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\" }
            """#
        #expect(
            try JSONParser.parse(Array(text.utf8))
                == .object([
                    "a": .array([.number("1"), .number("-2.5e+10"), .bool(true), .bool(false), .null]),
                    "": .object([:]),
                    "s": .string("é😀/\u{8}\u{c}\n\r\t\"\\"),
                ])
        )
    }

    @Test(
        "It refuses what RFC 8259 does not allow",
        arguments: [
            "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "1.", ".5", "+1", "1e", "-", "tru",
            "nul", "NaN",
            "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "1 2", "[1 2]",
            "\"a\" b",
            "{\"a\" 1}", "{\"a\":1 \"b\":2}", "/**/1", "\u{feff}1",
        ])
    func refused(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(
        "It refuses bytes that are no UTF-8",
        arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
    }

    @Test("It refuses a name that occurs twice, and nesting that would exhaust the stack")
    func bounds() throws {
        let twice = #"{"a":1,"a":2}"#
        #expect(throws: JSONError(reason: .duplicateKey, offset: 12)) { try JSONParser.parse(Array(twice.utf8)) }
        let deep = String(repeating: "[", count: 60_000)
        #expect(throws: JSONError(reason: .tooDeep, offset: 16)) { try JSONParser.parse(Array(deep.utf8)) }
        let fine = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
        #expect(throws: Never.self) { try JSONParser.parse(Array(fine.utf8)) }
    }

    @Test("Whatever is cut off or altered in one byte is read or refused, and never crashes")
    func mutations() {
        let text = Array(#"{"text":"a\u00e9\ud83d\ude00","n":[1,-2.5e3,true,null,{"x":""}]}"#.utf8)
        for index in text.indices {
            _ = try? JSONParser.parse(Array(text[..<index]))
            for byte in stride(from: UInt8(0), through: 255, by: 5) {
                var altered = text
                altered[index] = byte
                _ = try? JSONParser.parse(altered)
            }
        }
    }
}
