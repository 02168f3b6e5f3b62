/// Which Windows a guest is, in the numbers that drivers are chosen by.
public struct WindowsVersion: Equatable, Sendable, Codable {
    public enum Architecture: String, Equatable, Sendable, Codable {
        case x86
        case amd64
        case arm64

        /// As INF files write it, which is the same.
        public var infName: String { rawValue }

        /// In the words of `uname -m`.
        public var kernelName: String {
            switch self {
            case .x86: "i686"
            case .amd64: "x86_64"
            case .arm64: "aarch64"
            }
        }
    }

    public enum ProductType: String, Equatable, Sendable, Codable {
        case client
        case domainController = "domain-controller"
        case server

        /// As INF files and `VER_NT_…` number it.
        public var number: Int {
            switch self {
            case .client: 1
            case .domainController: 2
            case .server: 3
            }
        }
    }

    /// 6.1 is Windows 7 and Server 2008 R2, 6.2 is 8 and 2012, 6.3 is 8.1 and 2012 R2, 10.0 all that came later.
    public var major: Int
    public var minor: Int
    public var build: Int
    public var productType: ProductType
    public var architecture: Architecture
    /// "Windows Server 2019 Standard"
    public var name: String

    public init(
        major: Int, minor: Int, build: Int, productType: ProductType, architecture: Architecture, name: String
    ) {
        self.major = major
        self.minor = minor
        self.build = build
        self.productType = productType
        self.architecture = architecture
        self.name = name
    }

    public var isServer: Bool { productType != .client }
}
