/// The program that libguestfs runs in place of QEMU, and the machine that it starts.
enum ApplianceWrapper {
    static let name = "qemu"

    /// What libguestfs has, since programs of newer guests (RHEL 10: x86-64-v3) are run in the appliance, less what is
    /// slow to translate: with ERMS the kernel clears and copies memory by `rep stosb`, byte by byte (a quarter of the
    /// speed), and SMAP brackets each copy from user space with two instructions that end a translation block.
    private static let processor = "max,la57=off,erms=off,smap=off"

    /// The machine that is parked and woken. Every device has its PCI slot named: a woken machine must have the same
    /// devices in the same places as the parked one.
    static func machine(folder: String) -> [String] {
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "pc,accel=tcg,hpet=off,memory-backend=ram", "-cpu", processor,
            "-m", "\(FixedAppliance.memoryMiB)",
            "-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0,addr=2",
            "-device", "virtio-scsi-pci,id=scsi,addr=3", "-device", "virtio-serial-pci,addr=4",
            "-device", "virtio-blk-pci,drive=appliance,addr=5",
            "-device", "virtserialport,chardev=channel0,name=org.libguestfs.channel.0",
            "-object",
            "memory-backend-file,id=ram,size=\(FixedAppliance.memoryMiB)M,mem-path=\(folder)/ram",
        ]
    }

    /// The text of the wrapper. It lives in the appliance's folder and finds the rest beside itself.
    /// - Parameter rom: the option ROM that QEMU has added when it loaded the parked machine's kernel; it is part of
    ///   the machine's memory.
    static func script(qemu: String, rom: String) -> String {
        let machine = machine(folder: "$place").map { "\"\($0)\"" }.joined(separator: " ")
        return #"""
            #!/bin/bash
            # Written by rehost. libguestfs runs this in place of QEMU. When it asks for the machine that is parked
            # here, that machine is woken with its disks; anything else is passed on to QEMU as it is.
            qemu='\#(qemu)'
            here=${BASH_SOURCE[0]%/*}
            # QEMU's options have a comma doubled.
            place=${here//,/,,}
            # On a full disk QEMU would stop the machine and wait for room, for ever: an error ends the work instead.
            given=()
            while (($#)); do
                given+=("$1")
                if [[ $1 == -drive && $# -gt 1 ]]; then
                    given+=("$2,werror=report,rerror=report")
                    shift
                fi
                shift
            done
            set -- "${given[@]}"
            kept=()
            disks=0
            mode=quiet---
            wake=
            [ -e "$here/state" ] && [[ " $* " == *" -kernel "* ]] && wake=yes

            # What the parked machine has anyway is dropped, the disks and the channel are kept, and whatever isn't
            # known here (a network, more processors, more memory) takes an ordinary boot.
            while [ -n "$wake" ] && (($#)); do
                case $1 in
                    -nodefaults | -no-user-config | -no-reboot | -no-hpet | -enable-fips)
                        shift
                        continue
                        ;;
                esac
                case "$1 ${2-}" in
                    "-machine "*accel=tcg* | "-display none" | "-cpu "* | "-m \#(FixedAppliance.memoryMiB)") ;;
                    "-global virtio-blk-pci.scsi=off" | "-global kvm-pit.lost_tick_policy=discard" | "-rtc "*) ;;
                    "-kernel "* | "-initrd "*) ;;
                    "-append "*guestfs_network=1*) wake= ;;
                    "-append "*guestfs_verbose=1*) mode=verbose- ;;
                    "-append "*) ;;
                    "-object rng-random,"* | "-device virtio-rng-pci"* | "-device virtio-scsi-pci,id=scsi") ;;
                    "-device virtio-serial-pci" | "-device virtserialport,"* | "-device scsi-hd,drive=appliance") ;;
                    "-device scsi-hd,"*)
                        kept+=("$1" "$2")
                        disks=$((disks + 1))
                        ;;
                    "-drive "* | "-object secret,"* | "-serial stdio" | "-chardev "*,id=channel0*) kept+=("$1" "$2") ;;
                    *) wake= ;;
                esac
                shift 2 || wake=
            done
            if [ -z "$wake" ] || ((disks > 250)); then
                for i in "${!given[@]}"; do
                    [[ ${given[i]} == -cpu && "${given[*]}" == *accel=tcg* ]] && given[i + 1]=\#(processor)
                done
                exec "$qemu" "${given[@]}"
            fi

            # The state comes through descriptor 9; the monitor's commands from resume.in.
            exec 9< "$here/state"
            exec "$qemu" \#(machine),share=off \
                "${kept[@]}" -option-rom \#(rom) \
                -fw_cfg "name=\#(ApplianceScripts.wakeEntry),string=$(printf '%03d %s %s' $disks $EPOCHREALTIME $mode)" \
                -chardev "pipe,id=resume,path=$place/resume" -mon chardev=resume,mode=control -incoming defer

            """#
    }

    /// The monitor's commands that wake the machine. Its memory isn't in the state: it is the file `ram`, mapped
    /// privately (x-ignore-shared, as Kata's templates of virtual machines do it).
    static let resume = """
        {"execute":"qmp_capabilities"}
        \(ignoreShared)
        {"execute":"migrate-incoming","arguments":{"uri":"fd:9"}}

        """
    static let ignoreShared =
        #"{"execute":"migrate-set-capabilities","arguments":"#
        + #"{"capabilities":[{"capability":"x-ignore-shared","state":true}]}}"#
}
