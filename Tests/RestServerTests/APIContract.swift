import Foundation
import HTTPTypes
import NIOCore

@testable import RestServerKit

/// The specification, and whether an answer keeps to it.
struct APIContract: Sendable {
    /// - Throws: What is wrong with the specification.
    static var shared: APIContract {
        get throws { try loaded.get() }
    }

    private static let loaded = Result { try APIContract() }

    let document: JSON

    struct Operation: Hashable, CustomStringConvertible {
        let method: String
        let path: String

        var description: String { "\(method) \(path)" }
        var parameterCount: Int { path.count { $0 == "{" } }
    }

    init() throws {
        document = try JSON(parsing: String(buffer: try Specification.json.get()))
    }

    private static let methods = ["get", "put", "post", "delete", "patch"]

    var operations: Set<Operation> {
        var found = Set<Operation>()
        for (path, item) in document["paths"].members {
            for method in Self.methods where item[method] != .null {
                found.insert(Operation(method: method.uppercased(), path: path))
            }
        }
        return found
    }

    func description(of operation: Operation) -> JSON {
        document["paths"][operation.path][operation.method.lowercased()]
    }

    /// Whether an operation is closed to those without credentials.
    func needsCredentials(_ operation: Operation) -> Bool {
        switch description(of: operation)["security"] {
        case .array(let alternatives): !alternatives.isEmpty && !alternatives.contains(.object([:]))
        default: true
        }
    }

    // MARK: Answers

    /// Statuses that any request may meet, whatever its operation says.
    private static let general: Set<Int> = [404, 405, 406]

    func violations(of answer: Answer, to method: HTTPRequest.Method, _ uri: String) throws -> [String] {
        var found: [String] = []
        if answer.headers[.requestID] == nil { found.append("no X-Request-Id") }
        if answer.headers[.contentTypeOptions] != "nosniff" { found.append("no nosniff") }
        let path = uri.split(separator: "?").first.map(String.init) ?? "/"
        let documented = operation(method.rawValue, path).map { description(of: $0)["responses"]["\(answer.status)"] }
        guard let documented, documented != .null else {
            if !Self.general.contains(answer.status) { found.append("undocumented status") }
            return found + problemViolations(answer)
        }
        let response = resolved(documented)
        for (name, reference) in response["headers"].members {
            let header = resolved(reference)
            guard let fieldName = HTTPField.Name(name) else { continue }
            guard let value = answer.headers[fieldName] else {
                if header["required"] == .bool(true) { found.append("no header \(name)") }
                continue
            }
            let isNumber = header["schema"]["type"] == .string("integer")
            let parsed = isNumber ? Double(value).map(JSON.number) ?? .null : JSON.string(value)
            found += violations(of: parsed, against: header["schema"], at: name)
        }
        let contents = response["content"].members
        guard !contents.isEmpty else {
            if !answer.body.isEmpty { found.append("a body where none is documented") }
            return found
        }
        if method == .head { return found }
        let type = answer.headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
        guard let content = contents[type] else { return found + ["undocumented content type '\(type)'"] }
        if type.hasSuffix("json") {
            let body = try JSON(parsing: answer.body)
            found += violations(of: body, against: content["schema"], at: "$")
            if type == "application/problem+json", body["status"].number != Double(answer.status) {
                found.append("the problem's status differs")
            }
        }
        return found
    }

    private func problemViolations(_ answer: Answer) -> [String] {
        if answer.body.isEmpty { return [] }  // HEAD.
        guard answer.headers[.contentType] == "application/problem+json" else { return ["no problem+json"] }
        return violations(of: answer.json, against: document["components"]["schemas"]["Problem"], at: "$")
    }

    private func operation(_ method: String, _ path: String) -> Operation? {
        let method = method == "HEAD" ? "GET" : method
        let parts = path.split(separator: "/")
        let candidates = operations.filter { operation in
            let template = operation.path.split(separator: "/")
            return operation.method == method && template.count == parts.count
                && zip(template, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // A fixed part of a path goes before a parameter.
        return candidates.min { $0.parameterCount < $1.parameterCount }
    }

    private func resolved(_ value: JSON) -> JSON {
        guard let reference = value["$ref"].text else { return value }
        return resolved(reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] })
    }
}

// MARK: JSON Schema, as much of it as the specification uses

extension APIContract {
    func violations(of value: JSON, against schema: JSON, at path: String) -> [String] {
        let schema = resolved(schema)
        var found: [String] = []
        if schema["const"] != .null, schema["const"] != value { found.append("\(path) is not \(schema["const"])") }
        let allowed = schema["enum"].elements
        if !allowed.isEmpty, !allowed.contains(value) { found.append("\(path) is not one of \(allowed)") }
        let types = schema["type"].text.map { [$0] } ?? schema["type"].elements.compactMap(\.text)
        if !types.isEmpty, !types.contains(where: { value.isA($0) }) {
            return found + ["\(path) is no \(types.joined(separator: " or "))"]
        }
        let alternatives = schema["oneOf"].elements
        if !alternatives.isEmpty,
            alternatives.count(where: { violations(of: value, against: $0, at: path).isEmpty }) != 1
        {
            found.append("\(path) fits none or several of oneOf")
        }
        if let number = value.number {
            if let minimum = schema["minimum"].number, number < minimum { found.append("\(path) is below \(minimum)") }
            if let maximum = schema["maximum"].number, number > maximum { found.append("\(path) is above \(maximum)") }
        }
        if let text = value.text {
            if let pattern = schema["pattern"].text, text.range(of: pattern, options: .regularExpression) == nil {
                found.append("\(path) does not match \(pattern)")
            }
            if let minimum = schema["minLength"].number, Double(text.unicodeScalars.count) < minimum {
                found.append("\(path) is too short")
            }
        }
        for (index, element) in value.elements.enumerated() where schema["items"] != .null {
            found += violations(of: element, against: schema["items"], at: "\(path)[\(index)]")
        }
        if case .object(let members) = value {
            for name in schema["required"].elements.compactMap(\.text) where members[name] == nil {
                found.append("\(path).\(name) is missing")
            }
            for (name, member) in members {
                if let property = schema["properties"].members[name] {
                    found += violations(of: member, against: property, at: "\(path).\(name)")
                } else if schema["additionalProperties"] == .bool(false) {
                    found.append("\(path).\(name) is not documented")
                }
            }
        }
        return found
    }
}

extension JSON {
    fileprivate func isA(_ type: String) -> Bool {
        switch (self, type) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"),
            (.object, "object"):
            true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}
