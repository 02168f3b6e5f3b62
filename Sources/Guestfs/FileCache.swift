internal import Guest

/// What has been read from a guest, so that nothing is asked twice.
struct FileCache {
    private var entries: [GuestPath: FileEntry?] = [:]
    private var files: [GuestPath: [UInt8]] = [:]
    private var listings: [GuestPath: Set<String>] = [:]
    private var attributes: [GuestPath: [String: [UInt8]]] = [:]

    /// nil: not known; an answer without an entry: nothing is there.
    func entry(at path: GuestPath) -> (entry: FileEntry?, Void)? {
        if let known = entries[path] { return (known, ()) }
        guard !path.isRoot else { return nil }
        if let names = listings[path.parent], !names.contains(path.name) { return (nil, ()) }
        // Nothing is below what isn't there.
        if case .some(let parent) = entry(at: path.parent), parent.entry == nil { return (nil, ()) }
        return nil
    }

    func contents(at path: GuestPath) -> [UInt8]? { files[path] }
    func names(in path: GuestPath) -> [String]? { listings[path].map(Array.init) }
    func extendedAttributes(at path: GuestPath) -> [String: [UInt8]]? { attributes[path] }

    /// What is known about a folder and below it ends with a mount there.
    mutating func forget(inside folder: GuestPath) {
        entries = entries.filter { !$0.key.isInside(folder) }
        files = files.filter { !$0.key.isInside(folder) }
        listings = listings.filter { !$0.key.isInside(folder) }
        attributes = attributes.filter { !$0.key.isInside(folder) }
    }

    mutating func remember(_ entry: FileEntry?, at path: GuestPath) { entries[path] = .some(entry) }
    mutating func remember(names: [String], in path: GuestPath) { listings[path] = Set(names) }
    mutating func remember(contents: [UInt8], at path: GuestPath) { files[path] = contents }
    mutating func remember(attributes: [String: [UInt8]], at path: GuestPath) { self.attributes[path] = attributes }
}
