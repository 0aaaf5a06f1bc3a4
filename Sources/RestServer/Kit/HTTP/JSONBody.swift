import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// How a route takes a JSON body.
struct JSONBodyReader: Sendable {
    let limitBytes: Int
    let timeout: Duration

    /// Reads the body of `request` with `read`, which asks for every field that the body may have.
    ///
    /// - Throws: ``Problem``: 415 for another type, 413 beyond the limit, 408 for one that does not come, 400 for what is
    ///   not JSON, and 422 with everything that is unknown, missing or of a wrong type.
    func callAsFunction<Value>(_ request: Request, _ read: (inout JSONFields) -> Value) async throws -> Value {
        guard Self.isJSON(request.headers) else { throw Problem.unsupportedMediaType }
        let bytes = try await collect(request)
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw Problem.malformed(
                "malformed_json",
                "The body is not JSON: \(error.reason.rawValue) at byte \(error.offset)."
            )
        }
        guard case .object(let members) = value else {
            throw Problem.malformed("malformed_json", "The body must be a JSON object.")
        }
        var fields = JSONFields(members)
        let result = read(&fields)
        let violations = fields.violations()
        guard violations.isEmpty else { throw Problem.invalid(violations) }
        return result
    }

    private static func isJSON(_ headers: HTTPFields) -> Bool {
        guard let type = headers[.contentType], headers[.contentEncoding].map({ $0 == "identity" }) ?? true else {
            return false
        }
        if type == "application/json" { return true }
        let parts = type.split(separator: ";").map { $0.filter { !$0.isWhitespace && $0 != "\"" }.lowercased() }
        return parts.first == "application/json"
            && parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
    }

    private func collect(_ request: Request) async throws -> [UInt8] {
        let tooLarge = Problem.bodyTooLarge(limitBytes: limitBytes)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limitBytes { throw tooLarge }
        let limit = limitBytes
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await part in request.body {
                        guard bytes.count + part.readableBytes <= limit else { throw tooLarge }
                        bytes.append(contentsOf: part.readableBytesView)
                    }
                } catch let problem as Problem {
                    throw problem
                } catch {
                    throw BrokenConnection(cause: error)
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let bytes = try await group.next() ?? nil else { throw Problem.bodyTimeout }
            return bytes
        }
    }
}

/// The fields of a JSON object, asked for one by one. What is missing, of a wrong type or never asked for is remembered
/// and refused together; until then the place of a bad value is taken by a harmless one, which nobody gets to see.
struct JSONFields {
    private var rest: [String: JSONValue]
    private var found: [Violation] = []

    init(_ members: [String: JSONValue]) {
        self.rest = members
    }

    /// A field that must be there.
    mutating func string(_ name: String) -> String {
        switch rest.removeValue(forKey: name) {
        case .string(let text): return text
        case nil: found.append(Violation(field: name, code: "required", detail: "This field is required."))
        case .some: found.append(Self.wrongType(name, "a string"))
        }
        return ""
    }

    /// A field that may be absent; `null` says the same.
    mutating func optionalString(_ name: String) -> String? {
        nullableString(name) ?? nil
    }

    /// A field that may be absent, where `null` says something: `.some(nil)`.
    mutating func nullableString(_ name: String) -> String?? {
        switch rest.removeValue(forKey: name) {
        case nil: return .none
        case .null: return .some(nil)
        case .string(let text): return text
        case .some:
            found.append(Self.wrongType(name, "a string or null"))
            return .none
        }
    }

    /// A field that may be absent, but not `null`.
    mutating func presentString(_ name: String) -> String? {
        switch rest.removeValue(forKey: name) {
        case nil: return nil
        case .string(let text): return text
        case .some:
            found.append(Self.wrongType(name, "a string"))
            return nil
        }
    }

    /// Everything wrong, once every field was asked for. Bounded: a body of nothing but unknown fields is not echoed.
    func violations() -> [Violation] {
        let unknown = rest.keys.sorted().prefix(Self.maximumUnknownFields).map { name in
            Violation(
                field: String(name.prefix(Self.maximumEchoedCharacters)),
                code: "unknown_field",
                detail: "There is no such field."
            )
        }
        return found + unknown
    }

    private static let maximumUnknownFields = 20
    private static let maximumEchoedCharacters = 64

    private static func wrongType(_ name: String, _ expected: String) -> Violation {
        Violation(field: name, code: "wrong_type", detail: "This must be \(expected).")
    }
}
