import Configuration
import SystemPackage

/// Where settings come from: environment variables, then a `.env` file, then a YAML file, each overriding the next.
///
/// A key is spelled `SERVER_PORT` in the first two and `server: {port: …}` in YAML. An empty value counts as absent,
/// which is what an unset line of `.env` means.
package struct ConfigurationSource: Sendable {
    private let reader: ConfigReader

    /// - Parameters:
    ///   - environmentFile: Read if it exists.
    ///   - file: A YAML file, which must exist if it is named.
    /// - Throws: What the file system or the YAML parser says.
    package init(environmentFile: String = ".env", file: String?) async throws {
        var providers: [any ConfigProvider] = [
            EnvironmentVariablesProvider(),
            try await EnvironmentVariablesProvider(environmentFilePath: FilePath(environmentFile), allowMissing: true),
        ]
        if let file { providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(file))) }
        self.reader = ConfigReader(providers: providers)
    }

    /// Values given in code, by the name of their environment variable.
    package init(values: [String: String]) {
        self.reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
    }

    func string(_ key: String) -> String? {
        guard let text = reader.string(forKey: ConfigKey(key), isSecret: true), !text.isEmpty else { return nil }
        return text
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
        let takes = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = reader.int(forKey: ConfigKey(key)) else {
            guard let text = string(key) else { return fallback }
            throw .invalid(key.environmentName, got: text, takes: takes)
        }
        guard range.contains(number) else { throw .invalid(key.environmentName, got: "\(number)", takes: takes) }
        return number
    }

    /// - Throws: ``SettingsError/invalid(_:got:takes:)``.
    func boolean(_ key: String, default fallback: Bool) throws(SettingsError) -> Bool {
        guard let value = reader.bool(forKey: ConfigKey(key)) else {
            guard let text = string(key) else { return fallback }
            throw .invalid(key.environmentName, got: text, takes: "true or false")
        }
        return value
    }

    /// A list with commas between its items.
    func list(_ key: String) -> [String] {
        string(key)?.split(separator: ",").map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        } ?? []
    }
}

extension String {
    /// `server.port` as an environment variable is `SERVER_PORT`.
    fileprivate var environmentName: String { uppercased().replacing(".", with: "_") }
}

/// A setting that start-up cannot go on with. Its text names the key, what it got and what it takes.
package enum SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(String, purpose: String)
    case invalid(String, got: String, takes: String)
    case refused(String, why: String)

    package var description: String {
        switch self {
        case .missing(let key, let purpose): "\(key) is not set: \(purpose)."
        case .invalid(let key, let got, let takes): "\(key) is \"\(got)\"; it takes \(takes)."
        case .refused(let key, let why): "\(key) is refused: \(why)."
        }
    }
}
