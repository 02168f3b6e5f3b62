/// Whether memory is all zeros.
enum Zeros {
    static func fill(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let block = 4096
        var at = 0
        // Most memory that isn't zero says so soon.
        while at + block <= bytes.count {
            var sum = SIMD8<UInt64>(repeating: 0)
            for index in stride(from: at, to: at + block, by: 64) {
                sum |= bytes.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
            }
            if sum != SIMD8(repeating: 0) { return false }
            at += block
        }
        return bytes[at...].allSatisfy { $0 == 0 }
    }
}
