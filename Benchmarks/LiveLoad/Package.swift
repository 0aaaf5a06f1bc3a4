// swift-tools-version: 6.2
import PackageDescription

/// A package of its own, without dependencies: it builds in seconds and the product never sees it.
let package = Package(
    name: "LiveLoad",
    targets: [
        .target(name: "CEpoll"),
        .executableTarget(
            name: "LiveLoad",
            dependencies: ["CEpoll"],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ]
        ),
    ]
)
