/// Walks over cpio archives that come in pieces, one archive behind the other with zeros between, and keeps the names
/// alone: what an initramfs of any size holds is told in little memory.
public struct CpioWalker {
    /// Names of all entries, without a leading slash.
    public private(set) var paths: Set<String> = []

    /// Far more than any initramfs has: with all of Linux's modules and firmware it holds some 10,000 files.
    private static let entryLimit = 1 << 18
    private static let nameLimit = 32 << 20

    private enum State {
        /// Between two archives: zeros are skipped.
        case between
        case header
        case name(length: Int, contentLength: Int)
        case skip(Int)
    }

    private var state = State.between
    /// A header or name that is not complete yet.
    private var partial: [UInt8] = []
    /// The place in the current archive, which its padding counts from.
    private var offset = 0
    private var entries = 0
    private var nameBytes = 0
    private var isAtTrailer = false

    public init() {}

    /// Whether no archive is open: the input may end here.
    public var isComplete: Bool { if case .between = state { true } else { false } }

    /// Takes the next piece.
    /// - Returns: how many bytes were taken: fewer than given where something that is no archive follows.
    public mutating func take(_ piece: UnsafeRawBufferPointer) throws -> Int {
        var at = 0
        while at < piece.count {
            switch state {
            case .between:
                while at < piece.count, piece[at] == 0 { at += 1 }
                guard at < piece.count else { return at }
                // Both kinds of header start with this digit, and no compression's magic number does.
                guard piece[at] == UInt8(ascii: "0") else { return at }
                offset = 0
                state = .header
            case .header:
                guard collect(Cpio.headerSize, from: piece, &at) else { return at }
                let header = try Cpio.Header(partial[...])
                partial = []
                state = .name(length: header.nameSize, contentLength: header.size)
            case .name(let length, let contentLength):
                guard collect(length, from: piece, &at) else { return at }
                try add(String(decoding: partial.dropLast(), as: UTF8.self))
                partial = []
                let padding = Cpio.padding(offset)
                state = .skip(isAtTrailer ? padding : padding + contentLength + Cpio.padding(contentLength))
            case .skip(let count):
                let step = min(count, piece.count - at)
                at += step
                offset += step
                state = count > step ? .skip(count - step) : isAtTrailer ? .between : .header
            }
            // Nothing to skip: the state moves on without another byte.
            if case .skip(0) = state { state = isAtTrailer ? .between : .header }
        }
        return at
    }

    /// - Returns: whether `partial` has `length` bytes now.
    private mutating func collect(_ length: Int, from piece: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        let step = min(length - partial.count, piece.count - at)
        partial.append(contentsOf: piece[at..<at + step])
        at += step
        offset += step
        return partial.count == length
    }

    private mutating func add(_ name: String) throws {
        entries += 1
        nameBytes += name.utf8.count
        guard entries <= Self.entryLimit, nameBytes <= Self.nameLimit else {
            throw Cpio.Failure(reason: "it has more than \(Self.entryLimit) entries, or names of more than 32 MiB")
        }
        isAtTrailer = name == Cpio.trailer
        if !isAtTrailer { paths.insert(Cpio.normal(name)) }
    }
}
