import ArgumentParser
import Foundation
import Projects
import Replicator

/// What opens an encrypted store.
struct StoreKeyOptions: ParsableArguments {
    @Option(
        name: .customLong("store-key"),
        help: ArgumentHelp("The store's key file: any bytes; a new store is encrypted with it.", valueName: "FILE"))
    var keyFile: String?
    @Option(
        name: .customLong("store-passphrase-file"),
        help: ArgumentHelp("A file with the store's passphrase, in its place.", valueName: "FILE"))
    var passphraseFile: String?

    func validate() throws {
        guard keyFile == nil || passphraseFile == nil else {
            throw ValidationError("--store-key and --store-passphrase-file are two ways to one key; give one")
        }
    }

    /// In bytes; a key needs 32, and nobody has a larger passphrase.
    private static let limit = 1 << 20

    func key() throws -> Repository.Key? {
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

    func request(_ location: String, regionSize: Int? = nil) throws -> StoreRequest {
        StoreRequest(location: location, key: try key(), regionSize: regionSize)
    }
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
