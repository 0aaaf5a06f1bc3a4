import APIModel
import NIOHTTP1

/// A whole plain answer; the connection is closed after it.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: [UInt8]

    static func json(_ status: HTTPResponseStatus, _ write: (inout JSONWriter) -> Void) -> HTTPAnswer {
        var json = JSONWriter()
        json.beginObject()
        write(&json)
        json.endObject()
        return HTTPAnswer(status: status, headers: ["Content-Type": "application/json"], body: json.bytes)
    }

    /// RFC 9457.
    static func problem(
        _ status: HTTPResponseStatus,
        _ word: String,
        _ detail: String,
        requestID: String,
        headers: HTTPHeaders = [:]
    ) -> HTTPAnswer {
        var answer = json(status) { json in
            json.member("type", "about:blank")
            json.member("title", status.reasonPhrase)
            json.member("status", Int(status.code))
            json.member("detail", detail)
            json.member("error", word)
            json.member("requestId", requestID)
        }
        answer.headers = headers
        answer.headers.replaceOrAdd(name: "Content-Type", value: "application/problem+json")
        return answer
    }
}
