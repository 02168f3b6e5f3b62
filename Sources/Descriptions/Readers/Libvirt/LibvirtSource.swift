internal import CLibvirt
internal import Foundation
internal import Glibc
internal import Guest
internal import Libvirt

/// A domain as a running libvirt describes it, over a connection that can't change anything.
enum LibvirtSource {
    enum Running {
        case refused
        case described
    }

    /// - Parameter running: what becomes of a domain that runs.
    static func read(_ address: LibvirtAddress, running: Running = .refused) throws -> DescribedMachine {
        // An embedded libvirt has to find it; and nothing is printed on stderr then.
        LibvirtEventLoop.start()
        // QEMU in this process and the test driver have no read-only side; nothing here writes.
        guard let connection = virConnectOpenReadOnly(address.uri) ?? virConnectOpen(address.uri) else {
            throw failure("connect to libvirt at '\(address.uri)'", "does 'virsh --connect \(address.uri) list' work?")
        }
        defer { virConnectClose(connection) }
        guard
            let domain = virDomainLookupByName(connection, address.domain)
                ?? virDomainLookupByUUIDString(
                    connection, address.domain)
        else {
            throw failure(
                "find the domain '\(address.domain)' at '\(address.uri)'", "'virsh list --all' tells which there are")
        }
        defer { virDomainFree(domain) }
        if running == .refused { try refuse(domain, address) }
        // Its definition as it starts next time; secrets aren't asked for.
        guard let text = virDomainGetXMLDesc(domain, UInt32(VIR_DOMAIN_XML_INACTIVE.rawValue)) else {
            throw failure("read the domain '\(address.domain)'", "does 'virsh dumpxml \(address.domain)' work?")
        }
        // A copy, which is ours to free.
        defer { free(text) }
        let bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        var described = try DomainReader(
            name: address.domain, folder: "/", volume: { pool, volume in path(connection, pool, volume) }
        ).read(bytes)
        if virDomainHasManagedSaveImage(domain, 0) > 0 {
            described.findings.append(
                Finding(
                    level: .warning, injector: "description",
                    message: "the domain's memory is saved; the guest starts as after a power cut",
                    hint: "start it, shut it down, and convert it then"))
        }
        return described
    }

    private static func refuse(_ domain: virDomainPtr, _ address: LibvirtAddress) throws {
        var state: Int32 = 0
        guard virDomainGetState(domain, &state, nil, 0) == 0 else {
            throw failure("ask for the state of '\(address.domain)'", "does 'virsh domstate' work?")
        }
        let still = [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED].map { Int32($0.rawValue) }
        guard !still.contains(state) else { return }
        throw Refusal(
            .blocked, "the domain '\(address.domain)' is running: its disks are being written",
            hint: "shut it down: virsh --connect '\(address.uri)' shutdown '\(address.domain)'")
    }

    private static func path(_ connection: virConnectPtr, _ pool: String, _ volume: String) -> String? {
        guard let pool = virStoragePoolLookupByName(connection, pool) else { return nil }
        defer { virStoragePoolFree(pool) }
        guard let volume = virStorageVolLookupByName(pool, volume) else { return nil }
        defer { virStorageVolFree(volume) }
        // A copy, which is ours to free.
        guard let path = virStorageVolGetPath(volume) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    private static func failure(_ action: String, _ hint: String) -> DescriptionFailure {
        // Never NULL, and libvirt's until the thread's next call: copied at once.
        let reason = String(cString: virGetLastErrorMessage()).split(whereSeparator: \.isNewline).joined(separator: " ")
        return DescriptionFailure("could not \(action): \(reason)", hint: hint)
    }
}
