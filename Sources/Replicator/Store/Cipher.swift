internal import CCrypto
internal import Foundation

/// What a store's content is named and, where it is encrypted, locked with. OpenSSL does the work: it has the processors'
/// instructions for it.
struct Cipher: Sendable {
    /// Nil: the store isn't encrypted.
    let keys: Keys?

    struct Keys: Sendable {
        /// AES-256's.
        var content: [UInt8]
        /// Of the names of chunks, which would tell what a disk holds if they were plain hashes.
        var names: [UInt8]
    }

    static let plain = Cipher(keys: nil)

    // MARK: Hashes

    static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        // It fails only without memory.
        EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, EVP_sha256(), nil)
        return digest
    }

    /// Of several stretches as one.
    static func sha256(_ parts: [UnsafeRawBufferPointer]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        guard let state = EVP_MD_CTX_new() else { return digest }
        defer { EVP_MD_CTX_free(state) }
        EVP_DigestInit_ex(state, EVP_sha256(), nil)
        for part in parts { EVP_DigestUpdate(state, part.baseAddress, part.count) }
        EVP_DigestFinal_ex(state, &digest, &length)
        return digest
    }

    static func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { sha256($0) } }

    private static func hmac(_ key: [UInt8], _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        _ = HMAC(
            EVP_sha256(), key, Int32(key.count), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count,
            &digest, &length)
        return digest
    }

    /// SHA-256 of the content; with a key, its HMAC.
    func id(of content: UnsafeRawBufferPointer) -> ChunkID {
        ChunkID(bytes: keys.map { Self.hmac($0.names, content) } ?? Self.sha256(content))
    }

    // MARK: Encryption

    static let nonceSize = 12
    static let tagSize = 16

    struct Failure: Error {}

    static func random(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw Failure() }
        return bytes
    }

    /// AES-256-GCM: nonce, ciphertext, tag.
    /// - Parameter context: what it belongs to; opened under another one it is an error.
    static func seal(_ plain: [UInt8], key: [UInt8], context: [UInt8]) throws -> [UInt8] {
        guard let state = EVP_CIPHER_CTX_new() else { throw Failure() }
        defer { EVP_CIPHER_CTX_free(state) }
        let nonce = try random(nonceSize)
        var sealed = nonce + [UInt8](repeating: 0, count: plain.count + tagSize)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(state, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(state, nil, &length, context, Int32(context.count)) == 1
        else { throw Failure() }
        let done = sealed.withUnsafeMutableBytes { buffer -> Bool in
            guard let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            return EVP_EncryptUpdate(state, start + nonceSize, &length, plain, Int32(plain.count)) == 1
                && EVP_EncryptFinal_ex(state, start + nonceSize + plain.count, &length) == 1
                && EVP_CIPHER_CTX_ctrl(
                    state, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), start + nonceSize + plain.count) == 1
        }
        guard done else { throw Failure() }
        return sealed
    }

    /// - Throws: ``Failure`` where key, context or bytes are other ones.
    static func open(_ sealed: [UInt8], key: [UInt8], context: [UInt8]) throws -> [UInt8] {
        guard sealed.count >= nonceSize + tagSize, let state = EVP_CIPHER_CTX_new() else { throw Failure() }
        defer { EVP_CIPHER_CTX_free(state) }
        let count = sealed.count - nonceSize - tagSize
        var plain = [UInt8](repeating: 0, count: count)
        var tag = Array(sealed.suffix(tagSize))
        var length: Int32 = 0
        let done = sealed.withUnsafeBytes { buffer -> Bool in
            guard let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            return EVP_DecryptInit_ex(state, EVP_aes_256_gcm(), nil, key, start) == 1
                && EVP_DecryptUpdate(state, nil, &length, context, Int32(context.count)) == 1
                && EVP_DecryptUpdate(state, &plain, &length, start + nonceSize, Int32(count)) == 1
                && EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), &tag) == 1
                // Nothing is left to write: the tag is compared.
                && EVP_DecryptFinal_ex(state, nil, &length) == 1
        }
        guard done else { throw Failure() }
        return plain
    }

    /// A key from a passphrase, by scrypt (RFC 7914).
    static func scrypt(_ passphrase: [UInt8], salt: [UInt8], cost: UInt64) throws -> [UInt8] {
        var key = [UInt8](repeating: 0, count: 32)
        let status = passphrase.withUnsafeBytes {
            EVP_PBE_scrypt(
                $0.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count, salt, salt.count, cost, 8, 1,
                256 << 20, &key, 32)
        }
        guard status == 1 else { throw Failure() }
        return key
    }
}
