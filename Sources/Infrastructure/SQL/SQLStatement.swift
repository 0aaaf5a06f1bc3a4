/// A statement's text, made of constants alone: adapters keep it prepared. Values go in as `$1`, `$2` …, never into the
/// text; `\(raw:)` is for column lists and conditions written in our own code.
package struct SQLStatement: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }
}

extension SQLStatement: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) {
        self.init(text)
    }

    package init(stringInterpolation: StringInterpolation) {
        self.init(stringInterpolation.text)
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        package mutating func appendInterpolation(raw fragment: String) {
            text += fragment
        }
    }
}
