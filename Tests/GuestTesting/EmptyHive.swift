internal import Guest

/// A hive with nothing but its root, as libhivex and Windows read it.
public enum EmptyHive {
    /// Offsets of the cells behind the base block, each in its place of the one bin.
    private static let root = 32
    private static let security = 32 + 96

    public static let bytes: [UInt8] = {
        let binSize = 4096
        var bin = [UInt8]("hbin".utf8) + word(0) + word(UInt32(binSize)) + [UInt8](repeating: 0, count: 20)
        bin += cell(nk(), size: 96)
        bin += cell(sk(), size: 128)
        let rest = binSize - bin.count
        bin += word(UInt32(rest)) + [UInt8](repeating: 0, count: rest - 4)
        return header(binSize: binSize) + bin
    }()

    private static func word(_ number: UInt32) -> [UInt8] { LittleEndian.bytes(number) }

    /// A used cell's size is negative.
    private static func cell(_ content: [UInt8], size: Int) -> [UInt8] {
        word(UInt32(bitPattern: Int32(-size))) + content + [UInt8](repeating: 0, count: size - 4 - content.count)
    }

    private static func nk() -> [UInt8] {
        let none = UInt32.max
        // Flags: root of a hive, can't be deleted, name in ASCII.
        var bytes = [UInt8]("nk".utf8) + LittleEndian.bytes(UInt16(0x2C))
        bytes += LittleEndian.bytes(UInt64(0)) + word(0) + word(0) + word(0) + word(0)
        bytes += word(none) + word(none) + word(0) + word(none) + word(UInt32(security)) + word(none)
        bytes += word(0) + word(0) + word(0) + word(0) + word(0)
        return bytes + LittleEndian.bytes(UInt16(4)) + LittleEndian.bytes(UInt16(0)) + [UInt8]("ROOT".utf8)
    }

    private static func sk() -> [UInt8] {
        // Self-relative, owner and group Administrators, everything allowed to Everyone.
        let administrators: [UInt8] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]
        let everyone: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
        let acl: [UInt8] = [2, 0, 28, 0, 1, 0, 0, 0, 0, 2, 20, 0] + word(0xF003F) + everyone
        let descriptor =
            [1, 0, 4, 0x80] + word(20 + 28) + word(20 + 28 + 16) + word(0) + word(20) + acl
            + administrators + administrators
        return [UInt8]("sk".utf8) + [0, 0] + word(UInt32(security)) + word(UInt32(security)) + word(1)
            + word(UInt32(descriptor.count)) + descriptor
    }

    private static func header(binSize: Int) -> [UInt8] {
        var bytes = [UInt8]("regf".utf8) + word(1) + word(1) + LittleEndian.bytes(UInt64(0))
        bytes += word(1) + word(5) + word(0) + word(1) + word(UInt32(root)) + word(UInt32(binSize)) + word(1)
        bytes += [UInt8](repeating: 0, count: 4096 - bytes.count)
        bytes.replaceSubrange(508..<512, with: word(checksum(bytes)))
        return bytes
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let number = LittleEndian(bytes)
        return (0..<127).reduce(UInt32(0)) { $0 ^ number.u32(4 * $1) }
    }
}
