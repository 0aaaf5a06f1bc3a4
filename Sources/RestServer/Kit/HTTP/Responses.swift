import APIModel
import Application
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A JSON response whose body `write` writes.
    static func json(
        _ status: HTTPResponse.Status = .ok,
        headers: HTTPFields = jsonHeaders,
        _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var json = JSONWriter()
        write(&json)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }

    static func created(at location: String, _ write: (inout JSONWriter) -> Void) -> Response {
        var headers = jsonHeaders
        headers.append(HTTPField(name: .location, value: location))
        return json(.created, headers: headers, write)
    }

    static func page<Item>(
        _ page: Page<Item>,
        query: Query,
        item write: (Item, inout JSONWriter) -> Void
    ) -> Response {
        var headers = jsonHeaders
        if let next = page.next { headers.append(HTTPField(name: .link, value: query.link(next: next))) }
        return json(headers: headers) { PageResponse.write(page, to: &$0, item: write) }
    }

    static var noContent: Response { Response(status: .noContent) }
}

/// Answers differ from caller to caller and from one second to the next, so no cache may keep them.
private let jsonHeaders: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]

extension MartletRequestContext {
    /// A part of the path by its name in the template, decoded.
    func pathPart(_ name: String) -> String {
        guard let part = parameters.get(name) else { return "" }  // A template without it is found by the route tests.
        guard part.utf8.contains(UInt8(ascii: "%")) else { return part }
        return part.percentDecoded() ?? part
    }
}
