internal import CLibvirt
internal import Foundation
internal import Libvirt

/// What libvirt reports about one domain, from the thread of its event loop.
final class LibvirtEvents: @unchecked Sendable {
    // Touched with the lock held.
    private let lock = NSLock()
    private var events: [MachineEvent] = []
    private var isEnded = false

    /// A guest can have QEMU report without end; nobody needs the thousandth.
    private static let limit = 4096

    func take() -> [MachineEvent] {
        lock.withLock {
            defer { events = [] }
            return events
        }
    }

    private func add(_ event: MachineEvent) {
        lock.withLock { if events.count < Self.limit, !isEnded { events.append(event) } }
    }

    /// Nothing is reported after the end.
    private func end(_ event: MachineEvent) {
        lock.withLock {
            if !isEnded, !events.contains(.poweredOff) || event != .poweredOff { events.append(event) }
            isEnded = true
        }
    }

    /// - Returns: what ends the reports; libvirt releases its reference to this object then.
    /// - Throws: ``LibvirtConnection/Failure``
    func register(_ connection: LibvirtConnection, _ domain: virDomainPtr) throws -> Registration {
        let changes = rehost_register_lifecycle(
            connection.raw, domain,
            { _, _, event, detail, opaque in
                LibvirtEvents.from(opaque)?.changed(event, detail)
                return 0
            }, retained(), Self.release)
        guard changes >= 0 else { throw LibvirtConnection.failure("watch the machine") }
        let reports = virConnectDomainQemuMonitorEventRegister(
            connection.raw, domain, nil,
            { _, _, event, _, _, details, opaque in
                guard let event else { return }
                LibvirtEvents.from(opaque)?.reported(String(cString: event), details.map { String(cString: $0) })
            }, retained(), Self.release, 0)
        guard reports >= 0 else {
            virConnectDomainEventDeregisterAny(connection.raw, changes)
            throw LibvirtConnection.failure("watch the machine")
        }
        return Registration(changes: changes, reports: reports)
    }

    struct Registration {
        fileprivate var changes: Int32
        fileprivate var reports: Int32

        func end(_ connection: LibvirtConnection) {
            virConnectDomainEventDeregisterAny(connection.raw, changes)
            virConnectDomainQemuMonitorEventDeregister(connection.raw, reports)
        }
    }

    /// libvirt holds the object until it calls `release`, after the last callback.
    private func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    private static let release: virFreeCallback = { opaque in
        opaque.map { Unmanaged<LibvirtEvents>.fromOpaque($0).release() }
    }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> LibvirtEvents? {
        opaque.map { Unmanaged<LibvirtEvents>.fromOpaque($0).takeUnretainedValue() }
    }

    private func reported(_ name: String, _ details: String?) {
        let data = details.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
        if let event = MachineEvent(QMP.Event(name: name, data: data)) { add(event) }
    }

    private func changed(_ event: Int32, _ detail: Int32) {
        guard virDomainEventType(UInt32(event)) == VIR_DOMAIN_EVENT_STOPPED else { return }
        switch virDomainEventStoppedDetailType(UInt32(detail)) {
        case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: end(.poweredOff)
        case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: end(.broken("somebody ended the machine"))
        default: end(.broken("QEMU ended; libvirt's log of the machine tells why"))
        }
    }
}
