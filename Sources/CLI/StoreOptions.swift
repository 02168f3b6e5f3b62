public import ArgumentParser
import Foundation
import Projects
public import Replicator

/// What opens a store: the key of an encrypted one, the server of a bucket.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .customLong("store-key"),
        help: ArgumentHelp("The store's key file: any bytes; a new store is encrypted with it.", valueName: "FILE"))
    var keyFile: String?
    @Option(
        name: .customLong("store-passphrase-file"),
        help: ArgumentHelp("A file with the store's passphrase, in its place.", valueName: "FILE"))
    var passphraseFile: String?

    @Option(
        name: .customLong("endpoint-url"),
        help: ArgumentHelp(
            "The S3 server of a store s3://BUCKET/PREFIX (default: AWS_ENDPOINT_URL, the profile's, or AWS).",
            valueName: "URL"))
    var endpoint: String?
    @Option(help: ArgumentHelp("Its region (default: AWS_REGION, the profile's, or us-east-1).", valueName: "NAME"))
    var region: String?
    @Option(
        help: ArgumentHelp(
            "Whose keys in ~/.aws (default: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE).",
            valueName: "NAME"))
    var profile: String?
    @Option(
        name: .customLong("ca-bundle"),
        help: ArgumentHelp(
            "Certificates in PEM that its own is signed with (default: AWS_CA_BUNDLE).", valueName: "FILE"))
    var authorities: String?
    @Option(
        name: .customLong("s3-addressing"),
        help: "path, or virtual: a host for each bucket (default: virtual for AWS, path for others).")
    var addressing: S3Settings.Addressing?
    @Flag(
        name: .customLong("single-writer"),
        help: "Take an S3 server without If-None-Match: only one process writes to the store at a time, you promise.")
    var singleWriter = false

    func validate() throws {
        guard keyFile == nil || passphraseFile == nil else {
            throw ValidationError("--store-key and --store-passphrase-file are two ways to one key; give one")
        }
    }

    /// In bytes; a key needs 32, and nobody has a larger passphrase.
    private static let limit = 1 << 20

    private func key() throws -> Repository.Key? {
        guard let path = keyFile ?? passphraseFile else { return nil }
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty, data.count <= Self.limit else {
            throw ValidationError("could not read a key from '\(path)': it has to be a file of 1 byte to 1 MiB")
        }
        if keyFile != nil {
            guard data.count >= 16 else {
                throw ValidationError(
                    "the key file '\(path)' has \(data.count) bytes; 16 are the least: head -c 32 /dev/urandom")
            }
            return .file(Array(data))
        }
        // An editor's newline at the end isn't part of it.
        let text = data.last == UInt8(ascii: "\n") ? data.dropLast() : data
        return .passphrase(Array(text))
    }

    func access() throws -> StoreAccess {
        StoreAccess(
            key: try key(),
            s3: S3Settings(
                endpoint: endpoint, region: region, profile: profile, authorities: authorities, addressing: addressing,
                allowsUnconditional: singleWriter))
    }

    func request(_ location: String, regionSize: Int? = nil) throws -> StoreRequest {
        StoreRequest(location: location, access: try access(), regionSize: regionSize)
    }
}

extension S3Settings.Addressing: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "path": self = .path
        case "virtual": self = .virtualHost
        default: return nil
        }
    }

    public static var allValueStrings: [String] { ["path", "virtual"] }
}

/// A number of bytes, as people write it: "4M", "512K", "10G", "1048576".
struct ByteCount: ExpressibleByArgument {
    var bytes: UInt64

    init?(argument: String) {
        let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        var text = argument.uppercased()
        if text.hasSuffix("IB") { text.removeLast(2) }
        let unit = text.last.flatMap { units[$0] }
        if unit != nil { text.removeLast() }
        guard let number = UInt64(text), number < 1 << 40 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, bytes > 0 else { return nil }
        self.bytes = bytes
    }
}
