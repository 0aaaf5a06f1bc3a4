import Foundation
import Synchronization
import TestSupport

/// One of our executables as a process of its own, found beside the tests.
final class ServerProcess: Sendable {
    private struct State {
        var unread = Data()
        var lines: [LogLine] = []
    }

    struct LogLine: Sendable {
        let message: String
        let port: Int?
    }

    private let process: Process
    private let output = Pipe()
    private let state = Mutex(State())
    let name: String

    /// - Parameter environment: All that the process gets to see of ours.
    init(_ name: String, _ arguments: [String] = [], environment: [String: String]) throws {
        self.name = name
        let process = Process()
        process.executableURL = Bundle.main.bundleURL.appending(path: name)
        process.arguments = arguments
        process.environment = environment.merging(["LOG_FORMAT": "json"]) { $1 }
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        process.standardOutput = FileHandle.nullDevice
        process.standardError = output
        self.process = process
        output.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.take(data)
        }
        try process.run()
    }

    private func take(_ data: Data) {
        state.withLock { state in
            state.unread += data
            while let end = state.unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = state.unread[..<end]
                state.unread = Data(state.unread[state.unread.index(after: end)...])
                guard let fields = try? JSONDecoder().decode([String: String].self, from: line) else { continue }
                state.lines.append(LogLine(message: fields["message"] ?? "", port: fields["port"].flatMap(Int.init)))
            }
        }
    }

    /// Waits for a line of the log that begins with `message`, and gives the port it names.
    func port(after message: String) async throws -> Int {
        try await eventually("\(name) says \(message)") {
            if !process.isRunning { throw Ended(name: name, status: process.terminationStatus) }
            return state.withLock { $0.lines.first { $0.message.hasPrefix(message) }?.port }
        }
    }

    /// How many lines of the log begin with `message`.
    func count(of message: String) -> Int {
        state.withLock { $0.lines.count { $0.message.hasPrefix(message) } }
    }

    /// Waits for a line of the log that begins with `message`.
    func wait(for message: String) async throws {
        _ = try await eventually("\(name) says \(message)") {
            if !process.isRunning { throw Ended(name: name, status: process.terminationStatus) }
            return state.withLock { $0.lines.first { $0.message.hasPrefix(message) } }
        }
    }

    /// Sends SIGTERM and waits for the end; gives the exit status.
    func stop() async throws -> Int32 {
        if process.isRunning { process.terminate() }
        return try await ended()
    }

    /// Sends SIGKILL and waits for the end.
    func kill() async throws {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
        _ = try await ended()
    }

    private func ended() async throws -> Int32 {
        try await eventually("\(name) ends", within: .seconds(35)) {
            process.isRunning ? nil : process.terminationStatus
        }
    }

    struct Ended: Error, CustomStringConvertible {
        let name: String
        let status: Int32

        var description: String { "\(name) ended by itself with status \(status)" }
    }
}
