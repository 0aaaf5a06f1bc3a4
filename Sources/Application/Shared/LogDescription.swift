/// How an error reads in a log: the private detail included, secrets and arguments never, since no error holds any.
package struct LogDescription: CustomStringConvertible {
    package let description: String

    package init(_ error: any Error) {
        if let error = error as? ApplicationError {
            self.description = "\(error.word): \(error.detail ?? error.message)"
        } else {
            self.description = "\(error)"
        }
    }
}
