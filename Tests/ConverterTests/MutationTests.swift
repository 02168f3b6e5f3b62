import Guest
import GuestTesting
import Testing

@testable import Converter

/// Whole guests with something wrong in a file: inspection and planning end in a plan, a refusal or an error.
struct MutationTests {
    @Test func osRelease() {
        let texts = [
            "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n",
            "# x\nID='rocky'\nID_LIKE=\"rhel centos fedora\"\nNAME=\"Rocky\\\" \\$Linux\"\n",
        ]
        let violations = Mutation.run("os-release", texts: texts, tokens: ["ID=", "NAME="]) {
            _ = OSReleaseFile.parse($0)
        }
        #expect(violations == [])
    }

    @Test(arguments: FixtureGuest.names) func guest(_ name: String) throws {
        let sample = try MutableGuest(FixtureGuest(name))
        let violations = Mutation.run("guest-\(name)", corpus: sample.inputs, tokens: MutableGuest.tokens, rounds: 30) {
            input in
            let machine = sample.machine(with: input)
            let opened = try Opening.open(machine, options: OpeningOptions())
            let inspection = try Inspector.inspect(machine, opened: opened)
            let pipeline = Pipeline(sample.adaptation, grub: GoldenTests.grub)
            let plan = try pipeline.plan(machine, guest: inspection, findings: opened.findings)
            _ = PlanText.render(plan)
        }
        #expect(violations == [])
    }
}

/// A fixture's guest in memory, of which one file at a time is replaced: an input is a letter for what it is, the number
/// of its volume, its path, a line's end, and its content.
private struct MutableGuest {
    static let tokens = [
        "f0/etc/fstab\n", "l0/boot\n/etc", "l0/etc\n..", "d0/etc/fstab\n", "/dev/sda1", "UUID=", "/etc/os-release",
        "/boot",
    ]

    let adaptation: Adaptation
    private let fixture: FixtureGuest
    private let volumes: [FakeMachine.Volume]
    let inputs: [[UInt8]]

    init(_ fixture: FixtureGuest) throws {
        self.fixture = fixture
        adaptation = fixture.adaptation
        var inputs: [[UInt8]] = []
        volumes = try fixture.machine.volumes.enumerated().map { index, volume in
            var volume = volume
            volume.trees = try volume.trees.mapValues { tree in
                let copy = MemoryGuest()
                try Self.copy(.root, of: tree, into: copy)
                for (path, node) in copy.contents.nodes.sorted(by: { $0.key < $1.key }) {
                    switch node {
                    case .file(let bytes, _): inputs.append(Array("f\(index)\(path)\n".utf8) + bytes)
                    case .symlink(let target): inputs.append(Array("l\(index)\(path)\n\(target)".utf8))
                    case .directory: inputs.append(Array("d\(index)\(path)\n".utf8))
                    }
                }
                return copy
            }
            return volume
        }
        self.inputs = inputs
    }

    private static func copy(_ folder: GuestPath, of tree: any GuestFiles, into copy: MemoryGuest) throws {
        for name in try tree.list(folder) {
            let path = folder.appending(name)
            switch try tree.entry(at: path)?.kind {
            case .directory:
                copy.folder(path)
                try Self.copy(path, of: tree, into: copy)
            case .file: copy.put(path, try tree.contents(ofFile: path))
            case .symlink(let target): copy.link(path, to: target)
            case .special, nil: break
            }
        }
    }

    func machine(with input: [UInt8]) -> FakeMachine {
        let machine = FakeMachine(disks: fixture.machine.disks, sizes: fixture.machine.diskSizes)
        machine.volumes = volumes.map { volume in
            var volume = volume
            volume.trees = volume.trees.mapValues { tree in
                let copy = MemoryGuest()
                if let tree = tree as? MemoryGuest { copy.contents.nodes = tree.contents.nodes }
                return copy
            }
            return volume
        }
        replace(input, in: machine)
        return machine
    }

    private func replace(_ input: [UInt8], in machine: FakeMachine) {
        let parts = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = parts[0].first, let digit = parts[0].dropFirst().first, digit >= 0x30,
            machine.volumes.indices.contains(Int(digit) - 0x30)
        else { return }
        let path = GuestPath(String(decoding: parts[0].dropFirst(2), as: UTF8.self))
        guard !path.isRoot else { return }
        for tree in machine.volumes[Int(digit) - 0x30].trees.values {
            guard let tree = tree as? MemoryGuest else { continue }
            if kind != UInt8(ascii: "d") {
                tree.contents.nodes = tree.contents.nodes.filter { !($0.key.isInside(path)) }
            }
            switch kind {
            case UInt8(ascii: "l"): tree.link(path, to: String(decoding: parts[1], as: UTF8.self))
            case UInt8(ascii: "d"): tree.folder(path)
            default: tree.put(path, Array(parts[1]))
            }
        }
    }
}
