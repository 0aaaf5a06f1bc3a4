import Application
import InProcess
import Logging
import RestServerKit
import SQL
import SQLite
import MartletSecurity
import ServiceLifecycle
import WebSocketServerKit

/// REST and the live feed in one process: SQLite, an in-process bus, everything in one folder.
package enum AllInOne {
    /// Serves until SIGTERM or SIGINT.
    ///
    /// - Parameter dataFolder: Overrides `DATA_DIR`, which defaults to `data` in the working folder.
    /// - Throws: ``SettingsError`` before anything listens; whatever ends a service afterwards.
    package static func run(_ source: ConfigurationSource, dataFolder: String?) async throws {
        let settings = try Settings(source, defaultAddress: "127.0.0.1")
        Log.start(settings)
        let logger = Logger(label: "martlet")
        let folder = try DataFolder(dataFolder ?? source.string("data.dir", default: DataFolder.defaultPath))
        let lock = try folder.lock()
        defer { lock.release() }

        let clock = SystemClock()
        let database = try SQLiteDatabase(path: folder.databasePath)
        try await Migrator(database: database, clock: clock, logger: logger).up()
        let bus = InProcessBus()
        let ports = Ports(
            database: database,
            bus: bus,
            hasher: try Argon2idHasher(),
            tokens: await JWTTokenCoder(secret: try folder.secret(source), issuer: settings.issuer, clock: clock),
            clock: clock
        )
        let useCases = UseCases(ports, settings: settings, logger: logger)
        let dependencies = [Dependency.database(ports.events)]
        let welcome = Welcome(dataFolder: folder.path, hasDocs: settings.docsAssets != nil)
        let live = liveServer(ports, useCases, settings, dependencies, logger)
        try await serve(
            [
                BackgroundService(name: "relay") { try await useCases.relay.run() },
                BackgroundService(name: "housekeeping") { try await useCases.housekeeping.run() },
                listening(live, settings),
                BackgroundService(name: "welcome") { try await welcome.waitFor(live) },
                restServer(useCases, settings, dependencies, logger) { await welcome.restListens(on: $0) },
            ],
            logger: logger
        )
        try database.close()
    }
}
