import Foundation
import TestSupport

/// A PostgreSQL or RabbitMQ of a test's own, to crash and to start again with the same data on the same port.
struct PrivateService: Sendable {
    enum Kind: String, Sendable {
        case postgres
        case rabbitMQ = "rabbitmq"
    }

    let kind: Kind
    private let folder: String
    let url: String

    /// Runs `body` with a fresh one, and removes it afterwards.
    static func with(_ kind: Kind, _ body: @Sendable (PrivateService) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let outcome: Result<Void, any Error>
            do {
                let output = try await runScript("start", kind, folder)
                guard let equals = output.firstIndex(of: "=") else { throw ScriptFailed(output: output) }
                let url = output[equals...].dropFirst().trimmingCharacters(in: .whitespacesAndNewlines)
                outcome = .success(try await body(PrivateService(kind: kind, folder: folder, url: url)))
            } catch {
                outcome = .failure(error)
            }
            _ = try await runScript("stop", kind, folder)
            try outcome.get()
        }
    }

    func crash() async throws {
        _ = try await Self.runScript("crash", kind, folder)
    }

    func start() async throws {
        _ = try await Self.runScript("start", kind, folder)
    }

    /// Waits until RabbitMQ has the queue in its list on disk, which it writes some time after declaring it. After a
    /// crash before that, 3.10 makes the queue anew and never gives it a leader.
    func hasOnDisk(quorumQueue queue: String) async throws {
        // The name of its Raft server, and the tag of the next Erlang term.
        let entry = Data("%2F_\(queue)m".utf8)
        _ = try await eventually("\(queue) is on disk") {
            let files = FileManager.default.enumerator(at: URL(filePath: folder), includingPropertiesForKeys: nil)
            for case let file as URL in files?.allObjects ?? [] where file.lastPathComponent == "names.dets" {
                if try Data(contentsOf: file).range(of: entry) != nil { return true }
            }
            return nil
        }
    }

    private static func runScript(_ action: String, _ kind: Kind, _ folder: String) async throws -> String {
        let (process, output, errors) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: #filePath).appending(path: "../../../Scripts/services.sh").standardized
        process.arguments = [action, kind.rawValue, folder]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        // What the script says fits into a pipe, and the servers it leaves behind write elsewhere.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        let text = { (pipe: Pipe) in String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) }
        guard process.terminationStatus == 0 else { throw ScriptFailed(output: text(errors)) }
        return action == "start" ? text(output) : ""
    }

    private struct ScriptFailed: Error, CustomStringConvertible {
        let output: String

        var description: String { "Scripts/services.sh: \(output)" }
    }
}
