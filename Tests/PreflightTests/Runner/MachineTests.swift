import Host
import Testing

@testable import Preflight

struct MachineTests {
    private func arguments(_ change: (inout Machine) -> Void, disks: Int = 1) throws -> String {
        var machine = Machine()
        change(&machine)
        let firmware = machine.firmware == .uefi ? UEFIFirmware(code: "/code", variables: "/vars") : nil
        return QEMUArguments(
            machine: machine, network: try UserNetwork(machine.network, gateway: machine.gateway), accelerator: .tcg,
            disks: (0..<disks).map { "/scratch/a,b/disk-\($0).qcow2" }, files: MachineFiles(folder: "/scratch/a,b"),
            isIsolated: false, firmware: firmware
        ).list.joined(separator: " ")
    }

    @Test func aDiskIsOnItsBusAndFirstToBoot() throws {
        #expect(try arguments { _ in }.contains("virtio-blk-pci,drive=disk0,bootindex=0"))
        #expect(try arguments { $0.bus = .virtioSCSI }.contains("scsi-hd,bus=scsi.0,drive=disk0"))
        #expect(try arguments { $0.bus = .sata }.contains("ide-hd,bus=ide.0,drive=disk0"))
        let pc = try arguments {
            $0.bus = .sata
            $0.chipset = .pc
        }
        #expect(pc.contains("ich9-ahci,id=ide"))
        let second = try arguments({ $0.bootDisk = 1 }, disks: 2)
        #expect(second.contains("drive=disk1,bootindex=0"))
        #expect(second.contains("drive=disk0,bootindex=1"))
    }

    @Test func commasInPathsAreDoubled() throws {
        let line = try arguments { _ in }
        #expect(line.contains("file=/scratch/a,,b/disk-0.qcow2"))
        #expect(line.contains("path=/scratch/a,,b/serial.log"))
    }

    @Test func theNetworkLeadsNowhereAndACardIsNotAMust() throws {
        #expect(try arguments { _ in }.contains("restrict=on"))
        #expect(try !arguments { $0.card = .none }.contains("-netdev"))
    }

    @Test func uefiGetsItsFirmware() throws {
        let line = try arguments { $0.firmware = .uefi }
        #expect(line.contains("readonly=on,file=/code"))
        #expect(!line.contains("graphics=off"))
    }

    @Test func networksAreChecked() throws {
        #expect(
            try UserNetwork("192.168.77.9/24", gateway: "192.168.77.1").options
                == "net=192.168.77.0/24,host=192.168.77.1,dns=192.168.77.254,dhcpstart=192.168.77.15")
        #expect(try UserNetwork("10.0.0.0/8").gatewayAddress == "10.0.0.2")
        for bad in ["10.0.2.0", "10.0.2.0/33", "10.0.2/24", "a.b.c.d/24", "10.0.2.0/30", "", "/", "10.0.2.256/24"] {
            #expect(throws: UserNetwork.Invalid.self) { try UserNetwork(bad) }
        }
        for gateway in ["10.0.3.1", "10.0.2.0", "10.0.2.255", "router"] {
            #expect(throws: UserNetwork.Invalid.self) { try UserNetwork("10.0.2.0/24", gateway: gateway) }
        }
    }

    @Test func whatADiskBeginsWith() {
        var sector = [UInt8](repeating: 0, count: 1024)
        #expect(DiskStart(sector).obstacle(on: Machine())?.reason.contains("zeros") == true)
        sector[510] = 0x55
        sector[511] = 0xAA
        #expect(DiskStart(sector).obstacle(on: Machine())?.reason.contains("no boot code") == true)
        sector[0] = 0xEB
        #expect(DiskStart(sector).obstacle(on: Machine()) == nil)
        var uefi = Machine()
        uefi.firmware = .uefi
        #expect(DiskStart(sector).obstacle(on: uefi)?.reason.contains("EFI system partition") == true)
        sector[510] = 0
        #expect(DiskStart(sector).obstacle(on: Machine())?.reason.contains("55 AA") == true)
        #expect(DiskStart([]).obstacle(on: Machine()) != nil)
    }
}
