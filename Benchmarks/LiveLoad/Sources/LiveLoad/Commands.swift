import Foundation
import Synchronization

/// The lines of standard input, read on a thread of their own.
final class Commands: Sendable {
    private struct State {
        var lines: [String] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    init() {
        Thread.detachNewThread { [self] in
            while let line = readLine() { state.withLock { $0.lines.append(line) } }
            state.withLock { $0.isClosed = true }
        }
    }

    /// Whether there is neither a line nor the end yet.
    var isQuiet: Bool { state.withLock { $0.lines.isEmpty && !$0.isClosed } }

    /// The next line, or `nil` if there is none.
    func next() -> String? { state.withLock { $0.lines.isEmpty ? nil : $0.lines.removeFirst() } }
}
