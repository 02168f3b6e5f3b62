/// What becomes of one key.
public struct RegistryEdit: Equatable, Sendable {
    public enum Action: Equatable, Sendable {
        /// The key with everything in it.
        case remove
        /// Values of a key that is there.
        case set([Setting])
        /// A key that isn't there yet, with its values; its parents have edits of their own.
        case create([Setting])
    }

    public struct Setting: Equatable, Sendable {
        /// Empty for the default value.
        public var name: String
        /// nil takes the value away.
        public var value: RegistryValue?

        public init(_ name: String, _ value: RegistryValue?) {
            self.name = name
            self.value = value
        }
    }

    public var key: RegistryPath
    public var action: Action

    public init(_ key: RegistryPath, _ action: Action) {
        self.key = key
        self.action = action
    }

    public var settings: [Setting] {
        switch action {
        case .remove: []
        case .set(let settings), .create(let settings): settings
        }
    }
}
