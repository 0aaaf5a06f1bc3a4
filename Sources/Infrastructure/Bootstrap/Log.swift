import Logging

/// Where the log goes: standard error, a line each.
package enum Log {
    /// Sets up logging for the process. Once, before the first logger is made.
    package static func start(_ settings: Settings) {
        let (level, format) = (settings.logLevel, settings.logFormat)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level, format: format) }
    }
}
