/// A JSON value as a client sent it.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The number's own text: 64-bit ids do not survive a `Double`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

/// What is wrong with a text that claims to be JSON, and at which byte.
struct JSONError: Error, Equatable {
    enum Reason: String {
        case unexpectedByte = "unexpected character"
        case unexpectedEnd = "unexpected end"
        case invalidString = "invalid string"
        case invalidNumber = "invalid number"
        case duplicateKey = "a name that occurs twice"
        case tooDeep = "too many levels"
    }

    let reason: Reason
    let offset: Int
}

/// Reads JSON strictly by RFC 8259; a name that occurs twice in an object and nesting beyond a bound are refused, since
/// parsers differ in what they make of the first and fall over the second.
struct JSONParser {
    /// No body of ours nests deeper than 3 levels.
    private static let maximumDepth = 16

    private let bytes: [UInt8]
    private var index = 0

    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipWhitespace()
        guard parser.index == bytes.count else { throw parser.error(.unexpectedByte) }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: index) }

    private mutating func skipWhitespace() {
        while index < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[index]) { index += 1 }
    }

    /// The next byte that is not whitespace; it stays the next one.
    private mutating func peek() throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard index < bytes.count else { throw error(.unexpectedEnd) }
        return bytes[index]
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw error(.unexpectedByte) }
        index += 1
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error(.tooDeep) }
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let matches = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
        guard matches else { throw error(.unexpectedByte) }
        index += word.utf8CodeUnitCount
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        try expect(UInt8(ascii: "{"))
        if try peek() == UInt8(ascii: "}") {
            index += 1
            return members
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
            let name = try string()
            try expect(UInt8(ascii: ":"))
            let value = try value(depth: depth)
            guard members.updateValue(value, forKey: name) == nil else { throw error(.duplicateKey) }
            if try peek() != UInt8(ascii: ",") { break }
            index += 1
        }
        try expect(UInt8(ascii: "}"))
        return members
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try expect(UInt8(ascii: "["))
        if try peek() == UInt8(ascii: "]") {
            index += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            if try peek() != UInt8(ascii: ",") { break }
            index += 1
        }
        try expect(UInt8(ascii: "]"))
        return elements
    }
}

// MARK: Numbers and strings

extension JSONParser {
    private mutating func number() throws(JSONError) -> String {
        let start = index
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        let integerStart = index
        guard skipDigits() > 0, bytes[integerStart] != UInt8(ascii: "0") || index == integerStart + 1 else {
            throw error(.invalidNumber)
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() > 0 else { throw error(.invalidNumber) }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            guard skipDigits() > 0 else { throw error(.invalidNumber) }
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        return index - start
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1  // The caller saw the quotation mark.
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            guard bytes[index] >= 0x20 else { throw error(.invalidString) }
            index += 1
        }
        guard index < bytes.count else { throw error(.unexpectedEnd) }
        var text = Array(bytes[start..<index])
        while bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") {
                try appendEscape(to: &text)
            } else {
                guard bytes[index] >= 0x20 else { throw error(.invalidString) }
                text.append(bytes[index])
                index += 1
            }
            guard index < bytes.count else { throw error(.unexpectedEnd) }
        }
        index += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw error(.invalidString) }
        return string
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(JSONError) {
        guard index + 1 < bytes.count else { throw error(.unexpectedEnd) }
        let kind = bytes[index + 1]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(Character(try escapedScalar())).utf8)
            return
        default: throw error(.invalidString)
        }
        index += 2
    }

    /// The scalar of `\uXXXX`, or of two such escapes that make a surrogate pair. A lone surrogate is no character.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try escapedUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first) else { throw error(.invalidString) }
        let second = try escapedUnit()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00))
        else { throw error(.invalidString) }
        return scalar
    }

    private mutating func escapedUnit() throws(JSONError) -> UInt16 {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            throw error(.invalidString)
        }
        var unit: UInt16 = 0
        for byte in bytes[index + 2..<index + 6] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error(.invalidString)
            }
            unit = unit << 4 | UInt16(digit)
        }
        index += 6
        return unit
    }
}
