import Application
import Domain
import SQL

/// The version that `--version` prints and the API names.
package let martletVersion = "0.1.0"

/// Runs a command so that whatever ends it reads as one sentence on standard error.
package func presentingErrors(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ApplicationError {
        throw StartUpFailure(description: error.presentation)
    } catch let error as SQLError {
        throw StartUpFailure(description: "database: \(error)")
    }
}

private struct StartUpFailure: Error, CustomStringConvertible {
    let description: String
}

extension ApplicationError {
    fileprivate var presentation: String {
        let rules = violations.map { "\($0.field): \($0.detail)" }
        if !rules.isEmpty { return rules.joined(separator: " ") }
        return detail.map { "\(message) (\($0))" } ?? message
    }
}
