// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is held to the same rules: Swift 6 mode, explicit imports, no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// A C library, found by pkg-config; its module map is in Sources/System.
func system(_ name: String, _ pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// - Parameter embedding: files that are built in, as bytes.
func module(_ name: String, _ dependencies: [Target.Dependency], embedding: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: ["README.md"], resources: embedding.map { .embedInCode($0) },
        swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["GuestTesting"], exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "rehost",
    products: [.executable(name: "rehost", targets: ["rehost"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // What it is built on: connections' errors and certificates have their types there.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        system("CGuestfs", "libguestfs", apt: "libguestfs-dev"),
        system("CXML2", "libxml-2.0", apt: "libxml2-dev"),
        system("CZlib", "zlib", apt: "zlib1g-dev"),
        system("CZstd", "libzstd", apt: "libzstd-dev"),
        system("CLZMA", "liblzma", apt: "liblzma-dev"),
        system("CLZ4", "liblz4", apt: "liblz4-dev"),
        // Debian's libbz2 has no pkg-config file.
        .systemLibrary(name: "CBzip2", path: "Sources/System/CBzip2", providers: [.apt(["libbz2-dev"])]),
        system("CArchive", "libarchive", apt: "libarchive-dev"),
        system("CCrypto", "libcrypto", apt: "libssl-dev"),
        system("CHivex", "hivex", apt: "libhivex-dev"),
        system("CLibvirt", "libvirt-qemu", apt: "libvirt-dev"),
        // Headers only: what they declare is in the C library.
        .systemLibrary(name: "CLinux", path: "Sources/System/CLinux"),
        system("CNBD", "libnbd", apt: "libnbd-dev"),

        module("Guest", []),
        module("Archives", ["CZlib", "CZstd", "CLZMA", "CLZ4", "CBzip2", "CArchive"]),
        module("Hives", ["Guest", "CHivex"]),
        module("Host", ["CLinux"]),
        module("Injectors", ["Guest", "Archives"], embedding: ["Drivers/virtio-win.txt"]),
        module("XML", ["CXML2"]),
        module("Libvirt", ["CLibvirt"]),
        module("Descriptions", ["Guest", "Libvirt", "XML", "CLibvirt"]),
        module("Converter", ["Guest", "Injectors", "Archives"]),
        module("Disks", ["Host", "CCrypto", "CLinux", "CNBD", "CZlib"]),
        module("Guestfs", ["Guest", "Archives", "Hives", "Host", "CGuestfs"]),
        module("Preflight", ["Guest", "Disks", "Host", "Libvirt", "XML", "CZlib", "CLibvirt"]),
        module(
            "Replicator",
            [
                "Archives", "Disks", "Host", "Libvirt", "XML", "CCrypto", "CLibvirt", "CLinux",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        module(
            "Projects",
            [
                "Archives", "Guest", "Injectors", "Converter", "Descriptions", "Disks", "Guestfs", "Host",
                "Libvirt", "Preflight", "Replicator", .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .executableTarget(
            name: "rehost",
            dependencies: [
                "Projects", "Converter", "Descriptions", "Disks", "Guest", "Host", "Injectors", "Preflight",
                "Replicator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/CLI", exclude: ["README.md"], swiftSettings: strict),

        .target(
            name: "GuestTesting", dependencies: ["Guest", "Archives", "Hives"], path: "Tests/GuestTesting",
            swiftSettings: strict),
        tests("EndToEndTests", ["Replicator", "Disks", "Libvirt"]),
        tests("GuestTests", ["Guest"]),
        tests("ArchivesTests", ["Archives", "Guest"]),
        tests("HivesTests", ["Hives", "Guest"]),
        tests("InjectorsTests", ["Injectors", "Guest", "Archives"]),
        tests("ConverterTests", ["Converter", "Injectors", "Guest", "Archives"]),
        tests("DescriptionsTests", ["Descriptions", "Guest", "Archives", "XML"]),
        tests("DisksTests", ["Disks", "Guest"]),
        tests("ReplicatorTests", ["Replicator", "Archives", "Disks", "Host", "Libvirt", "XML"]),
        tests("ProjectsTests", ["Projects", "Descriptions", "Disks", "Guest", "Replicator"]),
        tests(
            "PreflightTests", ["Preflight", "Converter", "Descriptions", "Guest", "Host", "Libvirt", "XML"],
            exclude: ["Judge/Logs"]),
        tests("GuestfsTests", ["Guestfs", "Guest", "Host"]),
    ],
    swiftLanguageModes: [.v6]
)
