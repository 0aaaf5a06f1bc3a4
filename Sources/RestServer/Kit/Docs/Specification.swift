import APIModel
import NIOCore
import Yams

/// The OpenAPI document, as it was built in.
enum Specification {
    static let yaml = ByteBuffer(bytes: PackageResources.openapi_yaml)

    /// The same as JSON, converted at first use.
    static let json: Result<ByteBuffer, any Error> = Result {
        guard let root = try Yams.compose(yaml: String(buffer: yaml)) else { throw EmptySpecification() }
        var json = JSONWriter(reserving: yaml.readableBytes * 2)
        write(root, to: &json)
        return ByteBuffer(bytes: json.bytes)
    }

    private struct EmptySpecification: Error {}

    private static func write(_ node: Node, to json: inout JSONWriter) {
        switch node {
        case .mapping(let mapping):
            json.beginObject()
            for (key, value) in mapping {
                json.key(unescaped: key.string ?? "")
                write(value, to: &json)
            }
            json.endObject()
        case .sequence(let sequence):
            json.beginArray()
            for value in sequence { write(value, to: &json) }
            json.endArray()
        case .scalar(let scalar):
            // A quoted scalar is a string whatever it looks like.
            if scalar.style == .plain, let number = node.int {
                json.number(Int64(number))
            } else if scalar.style == .plain, let bool = node.bool {
                json.bool(bool)
            } else if scalar.style == .plain, node.null != nil {
                json.null()
            } else {
                json.string(scalar.string)
            }
        case .alias(let alias):
            // `compose` resolves aliases; one that it left is shown as what it is.
            json.string("*\(alias.anchor)")
        }
    }
}
