package import Application
package import Logging

/// What every topology is set by. Read once, here; nothing else looks at the environment.
///
/// | key | takes | default |
/// | --- | --- | --- |
/// | `SERVER_ADDRESS` | the address to listen on | `127.0.0.1` (all-in-one), `0.0.0.0` (distributed) |
/// | `SERVER_PORT` | the port of REST, 0 for any free one | 3000 |
/// | `WEBSOCKET_PORT` | the port of the live feed, 0 for any free one | 4000 |
/// | `JWT_ISSUER` | the `iss` and `aud` of access tokens | `martlet` |
/// | `ACCESS_TOKEN_LIFETIME` | seconds | 3600 |
/// | `ALLOW_ADMIN_REGISTRATION` | whether anyone may register as an admin | false |
/// | `ALLOWED_ORIGINS` | web origins that may open the live feed, with commas between | none but its own |
/// | `DOCS_ASSETS` | the folder of Swagger UI's files | none |
/// | `LOG_LEVEL` | trace, debug, info, notice, warning, error or critical | info |
/// | `LOG_FORMAT` | text or json | text |
package struct Settings: Sendable {
    package var address: String
    package var restPort: Int
    package var livePort: Int
    package var issuer: String
    package var lifetimes: SessionLifetimes
    package var allowsOpenAdminRegistration: Bool
    package var allowedOrigins: [String]
    package var docsAssets: String?
    package var logLevel: Logger.Level
    package var logFormat: LogFormat

    package enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
    }

    /// - Throws: ``SettingsError``.
    package init(_ source: ConfigurationSource, defaultAddress: String) throws(SettingsError) {
        address = source.string("server.address", default: defaultAddress)
        restPort = try source.integer("server.port", default: 3000, in: 0...65_535)
        livePort = try source.integer("websocket.port", default: 4000, in: 0...65_535)
        issuer = source.string("jwt.issuer", default: "martlet")
        let seconds = try source.integer("access.token.lifetime", default: 3600, in: 60...86_400)
        lifetimes = SessionLifetimes(accessToken: .seconds(seconds))
        allowsOpenAdminRegistration = try source.boolean("allow.admin.registration", default: false)
        allowedOrigins = source.list("allowed.origins")
        docsAssets = source.string("docs.assets")
        logLevel = try source.choice("log.level", default: .info)
        logFormat = try source.choice("log.format", default: .text)
    }
}
