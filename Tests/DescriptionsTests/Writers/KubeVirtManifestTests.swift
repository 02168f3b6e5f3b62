import Foundation
import Guest
import Testing

@testable import Descriptions

struct KubeVirtManifestTests {
    private func text(_ machine: ConvertedMachine) -> String {
        String(decoding: KubeVirtManifest(machine).yaml(), as: UTF8.self)
    }

    @Test func aGuestOfOneDisk() {
        #expect(
            text(.sample()) == """
                ---
                apiVersion: "cdi.kubevirt.io/v1beta1"
                kind: "DataVolume"
                metadata:
                  name: "web01"
                  annotations:
                    "cdi.kubevirt.io/storage.bind.immediate.requested": "true"
                spec:
                  source:
                    upload: {}
                  storage:
                    resources:
                      requests:
                        storage: "10Gi"
                ---
                apiVersion: "kubevirt.io/v1"
                kind: "VirtualMachine"
                metadata:
                  name: "web01"
                  labels:
                    "kubevirt.io/domain": "web01"
                spec:
                  runStrategy: "Halted"
                  template:
                    metadata:
                      labels:
                        "kubevirt.io/domain": "web01"
                    spec:
                      architecture: "amd64"
                      domain:
                        machine:
                          type: "q35"
                        firmware:
                          bootloader:
                            bios: {}
                        cpu:
                          sockets: 1
                          cores: 2
                          threads: 1
                        memory:
                          guest: "2048Mi"
                        devices:
                          disks:
                            - name: "disk1"
                              bootOrder: 1
                              disk:
                                bus: "virtio"
                          interfaces:
                            - name: "net1"
                              model: "virtio"
                              masquerade: {}
                          rng: {}
                          autoattachPodInterface: true
                      networks:
                        - name: "net1"
                          pod: {}
                      volumes:
                        - name: "disk1"
                          dataVolume:
                            name: "web01"

                """)
    }

    @Test(.enabled(if: PythonYAML.isInstalled, "python3-yaml is not installed"))
    func aGuestWithAHostileNameAndSeveralOfAll() throws {
        let machine = ConvertedMachine.sample(
            from: .sample, firmware: .uefi, bus: .virtioSCSI, disks: 3, boot: 1)
        let documents = try PythonYAML.read(KubeVirtManifest(machine).yaml()).compactMap { $0 as? [String: Any] }
        #expect(
            documents.map { $0["kind"] as? String } == ["DataVolume", "DataVolume", "DataVolume", "VirtualMachine"])
        let names = documents.map { ($0["metadata"] as? [String: Any])?["name"] as? String }
        #expect(names == ["web-01-co", "web-01-co-disk2", "web-01-co-disk3", "web-01-co"])
        let template = (documents[3]["spec"] as? [String: Any])?["template"] as? [String: Any]
        let spec = try #require(template?["spec"] as? [String: Any])
        let domain = try #require(spec["domain"] as? [String: Any])
        #expect(
            domain["firmware"] as? [String: [String: [String: Bool]]]
                == ["bootloader": ["efi": ["secureBoot": false]]])
        #expect(domain["cpu"] as? [String: Int] == ["sockets": 2, "cores": 4, "threads": 1])
        #expect(domain["memory"] as? [String: String] == ["guest": "6144Mi"])
        let devices = try #require(domain["devices"] as? [String: Any])
        let disks = try #require(devices["disks"] as? [[String: Any]])
        #expect(disks.compactMap { $0["bootOrder"] as? Int } == [2, 1, 3])
        #expect(disks.allSatisfy { $0["disk"] as? [String: String] == ["bus": "scsi"] })
        let cards = try #require(devices["interfaces"] as? [[String: Any]])
        #expect(cards.map { $0["macAddress"] as? String } == ["00:50:56:aa:bb:01", "00:50:56:aa:bb:02", nil])
        #expect(cards.map { $0["bridge"] != nil } == [false, true, true])
        let networks = try #require(spec["networks"] as? [[String: Any]])
        #expect(
            networks.map { ($0["multus"] as? [String: String])?["networkName"] } == [nil, "sicherung-archiv", "net3"])
        #expect((spec["volumes"] as? [Any])?.count == 3)
    }

    @Test func aMachineWithoutCardsGetsNone() {
        let text = text(.sample(from: MachineDescription(name: "alone")))
        #expect(text.contains("interfaces: []") && text.contains("networks: []"))
        #expect(text.contains("autoattachPodInterface: false"))
    }

    @Test(arguments: [
        ("web01", "web01"), ("Web 01!", "web-01"), ("--", "guest"), ("żółć", "guest"), ("a.b_c", "a-b-c"),
        ("../../etc", "etc"), ("x\n---\nkind: y", "x-kind-y"), ("¹²٣", "guest"),
        (String(repeating: "ab-", count: 40), String(repeating: "ab-", count: 16) + "ab"),
    ])
    func namesAreLabels(name: String, label: String) {
        #expect(KubeVirtManifest.label(name) == label)
    }
}
