import Application
import Testing

/// Expects the application's error with this code and word.
func expectRefusal<Outcome>(
    _ code: ApplicationError.Code,
    _ word: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Outcome
) async {
    let error = await #expect(throws: ApplicationError.self, sourceLocation: sourceLocation) { _ = try await body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    #expect(error?.word == word, sourceLocation: sourceLocation)
}
