import Foundation
import TestSupport

/// One run of an executable of ours from its start to its end.
struct Command: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// - Parameters:
    ///   - environment: All that the process gets to see of ours.
    ///   - input: What it reads on standard input. Neither this nor what it says may be more than a pipe holds, 64 KiB.
    static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Command {
        let process = Process()
        let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
        process.executableURL = Bundle.main.bundleURL.appending(path: name)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = FileManager.default.temporaryDirectory
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let status: Int32
        do {
            status = try await eventually("\(name) \(arguments.joined(separator: " ")) ends", within: .seconds(60)) {
                process.isRunning ? nil : process.terminationStatus
            }
        } catch {
            process.terminate()
            throw error
        }
        return Command(status: status, output: try text(of: output), errors: try text(of: errors))
    }

    private static func text(of pipe: Pipe) throws -> String {
        String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
}
