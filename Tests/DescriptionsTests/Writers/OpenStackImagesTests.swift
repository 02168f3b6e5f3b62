import Foundation
import Guest
import Testing

@testable import Descriptions

struct OpenStackImagesTests {
    private func text(_ machine: ConvertedMachine) throws -> String {
        String(decoding: try OpenStackImages(machine).json(), as: UTF8.self)
    }

    @Test func aGuestOfTwoDisks() throws {
        let machine = ConvertedMachine.sample(
            from: .sample, firmware: .uefi, bus: .virtioSCSI, disks: 2, boot: 1, tools: ["qemu-guest-agent"])
        #expect(
            try text(machine) == """
                {
                  "images" : [
                    {
                      "container_format" : "bare",
                      "disk_format" : "qcow2",
                      "file" : "web01-disk2.qcow2",
                      "min_disk" : 11,
                      "min_ram" : 6144,
                      "name" : "Web <01> & \\"co\\"",
                      "properties" : {
                        "architecture" : "x86_64",
                        "hw_disk_bus" : "scsi",
                        "hw_firmware_type" : "uefi",
                        "hw_machine_type" : "q35",
                        "hw_qemu_guest_agent" : "yes",
                        "hw_rng_model" : "virtio",
                        "hw_scsi_model" : "virtio-scsi",
                        "hw_vif_model" : "virtio",
                        "os_distro" : "debian",
                        "os_secure_boot" : "disabled",
                        "os_type" : "linux",
                        "os_version" : "12"
                      }
                    },
                    {
                      "container_format" : "bare",
                      "disk_format" : "qcow2",
                      "file" : "web01.qcow2",
                      "min_disk" : 10,
                      "min_ram" : 0,
                      "name" : "Web <01> & \\"co\\"-disk1",
                      "properties" : {
                        "architecture" : "x86_64",
                        "hw_disk_bus" : "scsi",
                        "hw_scsi_model" : "virtio-scsi"
                      }
                    }
                  ],
                  "schema" : "rehost.openstack/1"
                }

                """)
    }

    private func properties(_ machine: ConvertedMachine) throws -> [String: String] {
        let json = try JSONSerialization.jsonObject(with: OpenStackImages(machine).json()) as? [String: Any]
        let images = json?["images"] as? [[String: Any]]
        return images?.first?["properties"] as? [String: String] ?? [:]
    }

    @Test func aBIOSGuestOfWhichLittleIsKnown() throws {
        let found = try properties(.sample(format: "vpc", system: OSRelease(id: "")))
        #expect(found["hw_firmware_type"] == "bios" && found["os_secure_boot"] == nil)
        #expect(found["hw_disk_bus"] == "virtio" && found["hw_scsi_model"] == nil)
        #expect(found["hw_qemu_guest_agent"] == "no")
        #expect(found["os_distro"] == nil && found["os_version"] == nil)
        // Glance's words.
        let text = try text(.sample(format: "vpc"))
        #expect(text.contains("\"disk_format\" : \"vhd\"") && text.contains("\"min_ram\" : 0"))
    }

    @Test(arguments: [
        ("rhel", "rhel"), ("opensuse-leap", "opensuse"), ("opensuse-tumbleweed", "opensuse"), ("sles", "sles"),
        ("alpine", "alpinelinux"), ("amzn", "amazonlinux"), ("ol", "ol"), ("unheard-of", "unheard-of"),
    ])
    func distributionsInGlancesWords(id: String, word: String) throws {
        #expect(try properties(.sample(system: OSRelease(id: id)))["os_distro"] == word)
    }

    @Test func aGuestsWordsAreBounded() throws {
        let long = OSRelease(id: "a\u{0}\nb", version: String(repeating: "9", count: 100_000))
        let found = try properties(.sample(system: long))
        #expect(found["os_distro"] == "ab" && found["os_version"]?.count == 255)
    }
}
