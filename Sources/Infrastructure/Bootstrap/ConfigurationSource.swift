import Configuration
import SystemPackage

/// Where settings come from: environment variables, then a `.env` file, then a YAML file, each overriding the next.
///
/// A key is spelled `SERVER_PORT` in the first two and `server: {port: …}` in YAML. An empty value counts as absent,
/// which is what an unset line of `.env` means.
package struct ConfigurationSource: Sendable {
    /// One for each place, the one that wins first. Apart, since an empty value in one must not hide that of the next.
    private let readers: [ConfigReader]

    /// - Parameters:
    ///   - environmentFile: Read if it exists.
    ///   - file: A YAML file, which must exist if it is named.
    /// - Throws: ``SettingsError/invalid(_:got:takes:)`` for a file that cannot be read.
    package init(environmentFile: String = ".env", file: String?) async throws {
        var providers: [any ConfigProvider] = [EnvironmentVariablesProvider()]
        do {
            let path = FilePath(environmentFile)
            providers.append(try await EnvironmentVariablesProvider(environmentFilePath: path, allowMissing: true))
        } catch {
            throw SettingsError.unreadable(environmentFile, as: "a file of KEY=value lines", error)
        }
        if let file {
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(file)))
            } catch {
                throw SettingsError.unreadable(file, as: "a YAML file of nested keys", error)
            }
        }
        self.readers = providers.map { ConfigReader(provider: $0) }
    }

    /// Values given in code, by the name of their environment variable.
    package init(values: [String: String]) {
        self.readers = [ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))]
    }

    func string(_ key: String) -> String? {
        readers.lazy.compactMap { $0.string(forKey: ConfigKey(key), isSecret: true) }.first { !$0.isEmpty }
    }

    func string(_ key: String, default fallback: String) -> String {
        string(key) ?? fallback
    }

    /// - Throws: ``SettingsError/missing(_:purpose:)``.
    func requiredString(_ key: String, for purpose: String) throws(SettingsError) -> String {
        guard let text = string(key) else { throw .missing(key.environmentName, purpose: purpose) }
        return text
    }

    /// - Throws: ``SettingsError/invalid(_:got:takes:)``.
    func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard let text = string(key) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            let takes = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            throw .invalid(key.environmentName, got: text, takes: takes)
        }
        return number
    }

    /// - Throws: ``SettingsError/invalid(_:got:takes:)``.
    func boolean(_ key: String, default fallback: Bool) throws(SettingsError) -> Bool {
        guard let text = string(key) else { return fallback }
        switch text.lowercased() {
        case "true", "yes", "1": return true
        case "false", "no", "0": return false
        default: throw .invalid(key.environmentName, got: text, takes: "true or false")
        }
    }

    /// - Throws: ``SettingsError/invalid(_:got:takes:)``.
    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        default fallback: Value
    ) throws(SettingsError) -> Value {
        guard let text = string(key) else { return fallback }
        guard let value = Value(rawValue: text.lowercased()) else {
            let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid(key.environmentName, got: text, takes: "one of \(words)")
        }
        return value
    }

    /// A list with commas between its items, or a list of YAML.
    func list(_ key: String) -> [String] {
        readers.lazy.map { reader in
            let text = reader.string(forKey: ConfigKey(key)).map { [$0] }
            let items = text ?? reader.stringArray(forKey: ConfigKey(key), default: [])
            return items.flatMap { $0.split(separator: ",") }.map(\.trimmed).filter { !$0.isEmpty }
        }.first { !$0.isEmpty } ?? []
    }
}

extension String {
    /// `server.port` as an environment variable is `SERVER_PORT`.
    fileprivate var environmentName: String { uppercased().replacing(".", with: "_") }
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

/// A setting that start-up cannot go on with. Its text names the key, what it got and what it takes.
package enum SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(String, purpose: String)
    case invalid(String, got: String, takes: String)
    case refused(String, why: String)

    /// The parser's first line alone: those that follow quote the file, which may hold secrets.
    fileprivate static func unreadable(_ file: String, as kind: String, _ error: any Error) -> SettingsError {
        let reason = "\(error)".prefix { $0 != "\n" }
        return .refused(file, why: "it cannot be read as \(kind): \(reason)")
    }

    package var description: String {
        switch self {
        case .missing(let key, let purpose): "\(key) is not set: \(purpose)."
        case .invalid(let key, let got, let takes): "\(key) is \"\(got)\"; it takes \(takes)."
        case .refused(let key, let why): "\(key) is refused: \(why)."
        }
    }
}
