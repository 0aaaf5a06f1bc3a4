package import Domain

/// Everything a use case or a port may fail with, besides cancellation. Mapped to HTTP and to close codes in one place
/// each, exhaustively.
package struct ApplicationError: Error, Sendable {
    package let code: Code
    /// A stable snake_case word for programs, e.g. `username_taken`.
    package let word: String
    /// A sentence that anyone may read.
    package let message: String
    /// For the log alone.
    package let detail: String?
    /// The broken rules, for ``Code/invalid``.
    package let violations: [Violation]

    package enum Code: Hashable, Sendable, CaseIterable {
        /// The request cannot be understood.
        case malformed
        /// Who calls is not known.
        case unauthenticated
        /// Who calls is known and may not.
        case forbidden
        /// Absent, or not for this caller to see.
        case notFound
        /// Another thing is in the way.
        case conflict
        /// Understood, and against a rule.
        case invalid
        /// Too much at once: try again after a second.
        case overloaded
        /// A dependency is out: try again after a few seconds.
        case unavailable
        /// Our fault.
        case defect
    }

    package init(_ code: Code, _ word: String, _ message: String, detail: String? = nil, violations: [Violation] = []) {
        self.code = code
        self.word = word
        self.message = message
        self.detail = detail
        self.violations = violations
    }
}

extension ApplicationError {
    package static func invalid(_ violations: [Violation]) -> ApplicationError {
        ApplicationError(.invalid, "validation_failed", "The request breaks a rule.", violations: violations)
    }

    package static func notFound(_ what: String) -> ApplicationError {
        ApplicationError(.notFound, "\(what)_not_found", "There is no such \(what).")
    }

    /// The caller's account was deleted while the call was under way.
    package static let accountGone = ApplicationError(.unauthenticated, "account_gone", "This account is gone.")

    /// - Parameter detail: What the adapter saw; it never reaches a client.
    package static func unavailable(_ dependency: String, detail: String) -> ApplicationError {
        ApplicationError(
            .unavailable,
            "\(dependency)_unavailable",
            "The service cannot answer right now.",
            detail: detail
        )
    }

    package static func defect(_ detail: String) -> ApplicationError {
        ApplicationError(.defect, "internal_error", "Something went wrong on our side.", detail: detail)
    }
}
