package import Domain

/// An error as clients see it: `application/problem+json` of RFC 9457 with our own members `error`, `requestId` and
/// `fields`.
package struct ProblemResponse: Sendable {
    package static let contentType = "application/problem+json"

    /// The HTTP status code.
    package let status: Int
    /// The status code's own phrase: with the type `about:blank` the title says no more (RFC 9457, 4.2.1).
    package let title: String
    /// A stable snake_case word for programs.
    package let error: String
    /// A sentence for people.
    package let detail: String
    package let fields: [Violation]

    package init(status: Int, title: String, error: String, detail: String, fields: [Violation] = []) {
        self.status = status
        self.title = title
        self.error = error
        self.detail = detail
        self.fields = fields
    }

    package func write(requestID: String, to json: inout JSONWriter) {
        json.beginObject()
        json.member("type", "about:blank")
        json.member("title", title)
        json.member("status", status)
        json.member("detail", detail)
        json.member("error", error)
        json.member("requestId", requestID)
        if !fields.isEmpty {
            json.key("fields")
            json.beginArray()
            for field in fields {
                json.beginObject()
                json.member("field", field.field)
                json.member("code", field.code)
                json.member("detail", field.detail)
                json.endObject()
            }
            json.endArray()
        }
        json.endObject()
    }
}
