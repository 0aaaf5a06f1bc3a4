// swift-tools-version: 6.2
import PackageDescription

/// Held for every target of ours: Swift 6 mode, no warning survives.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

func target(
    _ name: String,
    _ path: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(path)",
        resources: resources,
        swiftSettings: settings
    )
}

func executable(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet", targets: ["martlet"]),
        .executable(name: "RestServer", targets: ["RestServer"]),
        .executable(name: "WebSocketServer", targets: ["WebSocketServer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // The inside: no I/O below this line, no adapter above it.
        target("Domain", "Domain", []),
        target("Application", "Application", ["Domain", logging]),

        // Adapters. Each sees the ports it implements and its own library, never another adapter.
        target(
            "SQL", "Infrastructure/SQL", ["Application", "Domain", crypto, logging],
            resources: [.embedInCode("Migrations")]),
        target("SQLite", "Infrastructure/SQLite", ["SQL", "Application", grdb]),
        target("Postgres", "Infrastructure/Postgres", ["SQL", "CPostgres", deque, logging]),
        target("RabbitMQ", "Infrastructure/RabbitMQ", ["Application", "Domain", "CRabbitMQ", deque, logging]),
        target("InProcess", "Infrastructure/InProcess", ["Application", "Domain"]),
        // Not "Security": packages that ask canImport(Security) mean Apple's framework.
        target("MartletSecurity", "Infrastructure/Security", ["Application", "Domain", "CSodium", crypto, jwt]),

        // The two faces: they see ports and use cases, and no adapter.
        target("APIModel", "APIModel", ["Application", "Domain"]),
        target(
            "RestServerKit", "RestServer/Kit",
            [
                "APIModel", "Application", "Domain", httpTypes, hummingbird, hummingbirdCore, logging, nioCore,
                nioHTTP1, nioHTTPTypes, yams,
            ],
            resources: [.embedInCode("Resources/openapi.yaml")]
        ),
        target(
            "WebSocketServerKit", "WebSocketServer/Kit",
            ["APIModel", "Application", "Domain", logging, nioCore, nioPosix, nioHTTP1, crypto, serviceLifecycle]
        ),

        // The composition root: the only place that knows every adapter.
        target(
            "Bootstrap", "Infrastructure/Bootstrap",
            [
                "APIModel", "Application", "Domain", "SQL", "SQLite", "Postgres", "RabbitMQ", "InProcess",
                "MartletSecurity", "RestServerKit", "WebSocketServerKit", configuration, hummingbird, logging, nioCore,
                serviceLifecycle, unixSignals,
            ]
        ),
        executable("RestServer", "RestServer/Main", ["Bootstrap", argumentParser]),
        executable("WebSocketServer", "WebSocketServer/Main", ["Bootstrap", argumentParser]),
        target("LiveClient", "LiveClient", [nioCore, nioPosix, nioHTTP1, nioWebSocket]),
        executable("martlet", "Martlet", ["Bootstrap", "LiveClient", "SQL", argumentParser, nioHTTP1]),

        // Shared by the tests: engines, fixtures, conditions.
        .target(
            name: "TestSupport",
            dependencies: [
                "Application", "Domain", "SQL", "SQLite", "Postgres", "CPostgres", "MartletSecurity", logging,
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "BusTestSupport",
            dependencies: ["Application", "Domain", "RabbitMQ", "InProcess", logging],
            path: "Tests/BusTestSupport",
            swiftSettings: settings
        ),
        tests("DomainTests", ["Domain"]),
        tests("ApplicationTests", ["Application", "BusTestSupport", "Domain", "TestSupport", logging]),
        tests(
            "BootstrapTests",
            [
                "Bootstrap", "Application", "MartletSecurity", "Postgres", "RabbitMQ", "SQL", "SQLite", "TestSupport",
                logging,
            ]
        ),
        tests("ContractTests", ["Application", "BusTestSupport", "Domain", "SQL", "TestSupport"]),
        tests("PostgresTests", ["Postgres", "SQL", logging]),
        tests("SecurityTests", ["MartletSecurity", "Application", "Domain", "CSodium", crypto]),
        tests(
            "RabbitMQTests",
            ["Application", "BusTestSupport", "CRabbitMQ", "Domain", "InProcess", "RabbitMQ", logging]
        ),
        tests("InProcessTests", ["Application", "BusTestSupport", "Domain", "InProcess"]),
        tests("APIModelTests", ["APIModel", "Application", "Domain"]),
        tests(
            "RestServerTests",
            [
                "APIModel", "Application", "Domain", "RestServerKit", "SQL", "MartletSecurity", "TestSupport",
                httpTypes,
                hummingbird, hummingbirdTesting, logging, nioCore, nioEmbedded, nioHTTPTypes, nioPosix, yams,
            ]
        ),
        tests(
            "WebSocketServerTests",
            [
                "APIModel", "Application", "Domain", "LiveClient", "WebSocketServerKit", logging, nioCore, nioEmbedded,
                nioHTTP1, nioPosix, serviceLifecycle,
            ]
        ),
        tests("EndToEndTests", ["LiveClient", "RabbitMQ", "TestSupport", asyncHTTPClient, nioCore, nioHTTP1]),

        library("CPostgres", pkgConfig: "libpq", apt: "libpq-dev"),
        library("CRabbitMQ", pkgConfig: "librabbitmq", apt: "librabbitmq-dev"),
        library("CSodium", pkgConfig: "libsodium", apt: "libsodium-dev"),
    ]
)
