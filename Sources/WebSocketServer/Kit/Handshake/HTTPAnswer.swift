import APIModel
import NIOHTTP1

/// A whole plain answer; the connection is closed after it.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: [UInt8]

    static func json(_ status: HTTPResponseStatus, _ write: (inout JSONWriter) -> Void) -> HTTPAnswer {
        var json = JSONWriter()
        write(&json)
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
        let model = ProblemResponse(
            status: Int(status.code),
            title: status.reasonPhrase,
            error: word,
            detail: detail
        )
        var answer = json(status) { model.write(requestID: requestID, to: &$0) }
        answer.headers = headers
        answer.headers.replaceOrAdd(name: "Content-Type", value: ProblemResponse.contentType)
        return answer
    }
}
