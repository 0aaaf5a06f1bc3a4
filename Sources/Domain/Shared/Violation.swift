/// One rule that one field of a request breaks.
package struct Violation: Error, Hashable, Sendable {
    /// The field's name as the API spells it, e.g. `username`.
    package let field: String
    /// A stable snake_case code for programs, e.g. `too_long`.
    package let code: String
    /// A sentence for people; it never repeats a secret.
    package let detail: String

    package init(field: String, code: String, detail: String) {
        self.field = field
        self.code = code
        self.detail = detail
    }
}
