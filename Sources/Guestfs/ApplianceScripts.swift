/// What is put into the appliance's root in place of libguestfs's own.
enum ApplianceScripts {
    /// For a boot under TCG. Mitigations cost and guard nothing in a translated guest; zeroing pages on allocation
    /// touches memory twice; expedited grace periods make mounts and device-mapper changes return sooner. With every
    /// program at the same addresses, QEMU finds its translation again: `lvm vgs` takes half the time.
    static let kernelArguments = "mitigations=off init_on_alloc=0 rcupdate.rcu_expedited=1 audit=0 norandmaps"

    /// On the command line of the boot that is parked; see ``initScript``.
    static let parkArgument = "rehost_park=1"
    /// Written to the console when the guest waits to be parked.
    static let parkedMark = "rehost: waiting to be parked"
    /// The firmware-configuration entry (fw_cfg) that the parked guest looks at. Its content has this length always,
    /// since the guest's kernel learns the length only once: disks, time in microseconds, verbose or quiet.
    static let wakeEntry = "opt/rehost/wake"
    static let asleep = "000 0000000000.000000 -------"

    /// Devices that a PC of QEMU's has and nobody here uses: udev would load their modules.
    static let modprobe = """
        # Written by rehost.
        blacklist ata_generic
        blacklist ata_piix
        blacklist button
        blacklist evdev
        blacklist floppy
        blacklist i2c_piix4
        blacklist joydev
        blacklist parport_pc
        blacklist pcspkr
        blacklist psmouse
        blacklist serio_raw
        blacklist virtio_balloon

        """

    /// udevadm, found before the real one in the daemon's PATH: the daemon runs `settle` two or three times in each call
    /// that names a device, and the real one loads ten libraries, a tenth of a second under TCG.
    ///
    /// Says at once what udevadm would: nothing to wait for where the file asked for is there, or where the kernel has
    /// sent no event since the last settle began.
    static let udevadm = """
        #!/bin/dash
        # Written by rehost.
        case "$*" in
            "settle -E "*) [ -e "$3" ] && exit 0 ;;
            settle)
                read -r now < /sys/kernel/uevent_seqnum
                [ -e /run/rehost-settled ] && read -r settled < /run/rehost-settled
                [ "$now" = "$settled" ] && exit 0
                /usr/bin/udevadm settle || exit
                echo "$now" > /run/rehost-settled
                exit 0
                ;;
        esac
        exec /usr/bin/udevadm "$@"

        """

    /// Rules of udev's for devices that an appliance doesn't have; each event walks through all rules.
    static let needlessRules = [
        "60-autosuspend", "60-drm", "60-evdev", "60-fido-id", "60-infiniband", "60-input-id", "60-persistent-alsa",
        "60-persistent-input", "60-persistent-storage-tape", "60-persistent-v4l", "60-sensor", "60-serial",
        "69-md-clustered-confirm-device", "70-camera", "70-joystick", "70-memory", "70-mouse", "70-power-switch",
        "70-touchpad", "70-uaccess", "71-seat", "73-seat-late", "75-probe_mtd", "78-sound-card", "85-hwclock",
        "96-e2scrub", "99-systemd",
        // Activation of LVM by events hands over to systemd, which isn't running; /init does it.
        "69-lvm",
    ]

    /// The modules of the initrd, in libguestfs's order: what mounting the root from either bus and the console take.
    static func isNeededEarly(_ module: String) -> Bool {
        let name = module.replacing("_", with: "-")
        let starts = ["crc32", "crct10dif", "crc-t10dif", "crc64", "t10-pi", "virtio-pci", "scsi-common", "scsi-mod"]
        let names = [
            "virtio.ko", "virtio-ring.ko", "virtio-blk.ko", "virtio-console.ko", "virtio-scsi.ko", "sd-mod.ko",
            "virtio-rng.ko", "rng-core.ko", "libcrc32c.ko", "ext2.ko", "ext4.ko", "mbcache.ko", "jbd2.ko",
        ]
        return names.contains { name.hasPrefix($0) } || starts.contains { name.hasPrefix($0) }
    }

    /// /init, run as process 1 by supermin's small init, on the root already.
    ///
    /// It does what libguestfs's own does, less what costs and brings nothing here: no static device nodes and no
    /// second settle, no network unless asked for, and md, LVM and Windows dynamic disks are only looked for where
    /// udev has seen such a signature. With `rehost_park=1` it stops before the disks are there; see
    /// ``ParkedAppliance``.
    static let initScript = #"""
        #!/bin/bash
        # Written by rehost in place of libguestfs's own /init.
        export PATH=/sbin:/usr/sbin:/bin:/usr/bin RUNLEVEL=S PREVLEVEL=N
        # The parked daemon's channel is open in its children, which LVM would remark upon.
        export LVM_SYSTEM_DIR=/tmp/lvm LVM_SUPPRESS_FD_WARNINGS=1

        mkdir -p /proc /sys /sysroot /run
        mount -t proc /proc /proc
        mount -t sysfs /sys /sys
        mount -t devtmpfs /dev /dev
        ln -sfn /proc/self/fd /dev/fd
        mkdir -p /dev/pts /dev/shm
        mount -t devpts /dev/pts /dev/pts
        mount -t tmpfs -o mode=1777 shmfs /dev/shm
        mount -t tmpfs -o nosuid,size=20%,mode=0755 tmpfs /run
        mkdir -p /run/lock /run/lvm /tmp/lvm
        [ -L /tmp ] && { rm -f /tmp; mkdir -m 1777 /tmp; }
        [ -e /var/lock ] || ln -s ../run/lock /var/lock
        [ -e /etc/mtab ] || ln -s /proc/mounts /etc/mtab
        # LVM's list of devices would hide the guest's, and a pool that thin_check or cache_check can't look at, because
        # they aren't here, would stay inactive.
        printf 'devices {\n\tuse_devicesfile = 0\n}\nglobal {\n\tthin_check_executable = ""\n' > /tmp/lvm/lvm.conf
        printf '\tcache_check_executable = ""\n}\n' >> /tmp/lvm/lvm.conf

        cmdline=$(</proc/cmdline)
        verbose=
        [[ $cmdline == *guestfs_verbose=1* ]] && verbose=--verbose
        network=
        [[ $cmdline == *guestfs_network=1* ]] && network=--network
        park=
        [[ $cmdline == *rehost_park=1* ]] && park=yes

        # A fresh identity, without a process: the kernel's random UUID.
        new_machine_id() {
            local id
            read -r id < /proc/sys/kernel/random/uuid
            echo "${id//-/}" > /etc/machine-id
        }

        # Sets raid, lvm and ldm by what udev's probes have left in its database.
        look_for_signatures() {
            local file entry
            raid= lvm= ldm=
            for file in /run/udev/data/b*; do
                entry=
                read -r -d '' entry < "$file"
                case $entry in *ID_FS_TYPE=*_raid_member* | *ID_FS_AMBIVALENT=*) raid=yes ;; esac
                case $entry in *ID_FS_TYPE=LVM2_member* | *ID_FS_TYPE=LVM1_member*) lvm=yes ;; esac
                # The type 0x42 on MBR, the two types of GPT.
                case $entry in
                    *ID_PART_ENTRY_TYPE=0x42* | *5808c8aa-7e8f-42e0-85d2-e1e90434cfb3* | \
                        *af9b60a0-1431-4f62-bc68-3311714a69ad*) ldm=yes ;;
                esac
            done
        }

        # libguestfs's order: whole arrays, LVM, then arrays that lack a member.
        assemble() {
            udevadm settle
            look_for_signatures
            [ -n "$raid$lvm" ] && modprobe -q dm_mod
            if [ -n "$raid" ]; then
                mdadm -As --auto=yes --no-degraded
                udevadm settle
                look_for_signatures
            fi
            if [ -n "$lvm" ]; then
                lvm pvscan --cache --activate ay
                udevadm settle
                look_for_signatures
            fi
            if [ -n "$raid" ]; then
                mdadm -As --auto=yes --run
                # udev's rule has begun an array with each member it saw; one that lacks a member still waits for it,
                # and --run above passes over members that are taken (libguestfs's own appliance stops here).
                mdadm --incremental --run --scan
                udevadm settle
                look_for_signatures
                [ -n "$lvm" ] && lvm pvscan --cache --activate ay
            fi
            [ -n "$ldm" ] && ldmtool create all
        }

        new_machine_id
        systemd-tmpfiles --prefix=/dev --prefix=/run --prefix=/var/run --create --boot
        for udevd in /lib/systemd/systemd-udevd /usr/lib/systemd/systemd-udevd /sbin/udevd /lib/udev/udevd; do
            [ -x "$udevd" ] && break
        done
        "$udevd" --daemon
        udevadm trigger
        ip link set dev lo up

        if [ -z "$park" ]; then
            if [ -n "$network" ]; then
                udevadm settle
                rm -f /etc/dhcp/dhclient-enter-hooks.d/resolved
                touch /etc/fstab
                iface=$(ls -I all -I default -I lo /proc/sys/net/ipv4/conf)
                if command -v dhclient > /dev/null; then dhclient $iface; else dhcpcd $iface; fi
            fi
            assemble
            guestfsd $verbose $network
            sync
            reboot -f
        fi

        # From here on: the boot that is parked. What any guest may need is loaded now and programs are run once, so
        # that they are in the page cache. The disk that is here is a scratch one, there for udev's sake.
        udevadm settle
        for module in virtio-rng qemu_fw_cfg sg dm_mod dm_crypt dm_snapshot dm_mirror dm_thin_pool dm_raid \
            raid0 raid1 raid10 raid456 linear loop fuse xfs btrfs ext4 vfat exfat ntfs3 isofs udf squashfs \
            nls_cp437 nls_iso8859-1 nls_ascii nls_utf8 xts cbc essiv algif_skcipher aesni_intel sha256 sha512; do
            modprobe -q $module
        done
        mdadm -As --auto=yes --no-degraded
        lvm pvscan --cache --activate ay
        lvm vgs
        blkid -p /dev/sda
        parted -s -m /dev/sda print
        sfdisk -d /dev/sda
        btrfs filesystem show
        cryptsetup --version
        /rehost-reseed
        date

        # Sleeping without a process: a read that times out.
        mkfifo /run/never
        exec 8<> /run/never
        pause() { read -r -t "$1" -u 8; }

        exec 9<> /dev/virtio-ports/org.libguestfs.channel.0
        guestfsd --channel fd:9 &
        daemon=$!
        for host in /sys/class/scsi_host/*; do
            [ "$(<"$host/proc_name")" = virtio_scsi ] && break
        done
        # The daemon's start and the last settle of its own.
        pause 2
        echo 1 > /sys/block/sda/device/delete
        udevadm settle
        # The daemon would settle for each of these before it finds that they are the root.
        rm -f /dev/disk/by-path/*pci-0000:00:05.0*
        sync
        echo "rehost: waiting to be parked" > /dev/console

        wake=/sys/firmware/qemu_fw_cfg/by_name/opt/rehost/wake/raw
        while :; do
            read -r disks now mode < $wake
            [ "$disks" = 000 ] || break
            pause 0.02
        done

        # Awake, as one of many that remember the same. The daemon is to answer with the time right, with random
        # numbers of its own, and with the disks there in the order of their SCSI targets.
        date -s "@$now" > /dev/null
        /rehost-reseed || exit 1
        new_machine_id
        disks=$((10#$disks))
        for ((target = 0; target < disks; target++)); do
            echo "0 $target 0" > "$host/scan"
            # The kernel names a disk in the background; the next must not overtake it.
            for ((tries = 0; tries < 500; tries++)); do
                found=(/sys/class/scsi_device/*:0:$target:0/device/block/*)
                [ -e "${found[0]}" ] && break
                pause 0.005
            done
        done
        assemble
        if [ "$mode" = verbose ]; then
            kill $daemon
            wait $daemon
            cat /proc/uptime
            guestfsd --verbose --channel fd:9
        else
            # The daemon's first word (GUESTFS_LAUNCH_FLAG), which it has said while it was parked.
            printf '\xf5\xf5\x5f\xf5' >&9
            wait $daemon
        fi
        sync
        reboot -f

        """#

    /// A static ELF program: 64 bytes from /dev/hwrng (QEMU's virtio-rng) into the kernel's pool, and new keys from it
    /// at once. Without it, all that wake from one parked appliance would draw the same random numbers and so give
    /// file systems of different guests the same UUIDs. No program of the appliance's makes these two calls.
    static let reseed: [UInt8] =
        [
            // ELF header: 64-bit x86-64 executable, entry 0x400078, one program header.
            0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x3e, 0, 1, 0, 0, 0,
            0x78, 0, 0x40, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
            // The segment: the whole file (282 bytes) at 0x400000, readable and executable.
            1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0,
            0x1a, 1, 0, 0, 0, 0, 0, 0, 0x1a, 1, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
        ] + [
            0xb8, 2, 0, 0, 0, 0x48, 0x8d, 0x3d, 0x7e, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05,  // open("/dev/hwrng", O_RDONLY)
            0x89, 0xc7, 0x31, 0xc0, 0x48, 0x8d, 0x74, 0x24, 0x80, 0xba, 0x40, 0, 0, 0, 0x0f, 0x05,  // read(…, 64)
            0x83, 0xf8, 0x40, 0x75, 0x5e,  // fail unless 64
            0xc7, 0x84, 0x24, 0x78, 0xff, 0xff, 0xff, 0, 2, 0, 0,  // rand_pool_info.entropy_count = 512 bits
            0xc7, 0x84, 0x24, 0x7c, 0xff, 0xff, 0xff, 0x40, 0, 0, 0,  // rand_pool_info.buf_size = 64
            0xb8, 2, 0, 0, 0, 0x48, 0x8d, 0x3d, 0x4e, 0, 0, 0,  // open("/dev/urandom", …
            0xbe, 1, 0, 0, 0, 0x0f, 0x05,  // … O_WRONLY)
            0x89, 0xc7, 0xb8, 0x10, 0, 0, 0, 0xbe, 0x03, 0x52, 0x08, 0x40,  // ioctl(…, RNDADDENTROPY, …
            0x48, 0x8d, 0x94, 0x24, 0x78, 0xff, 0xff, 0xff, 0x0f, 0x05,  // … the rand_pool_info)
            0x85, 0xc0, 0x75, 0x1b,  // fail unless 0
            0xb8, 0x10, 0, 0, 0, 0xbe, 0x07, 0x52, 0, 0, 0x31, 0xd2, 0x0f, 0x05,  // ioctl(…, RNDRESEEDCRNG)
            0x85, 0xc0, 0x75, 0x09,  // fail unless 0
            0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05,  // exit(0)
            0xbf, 1, 0, 0, 0, 0xeb, 0xf2,  // fail: exit(1)
        ] + Array("/dev/hwrng\0/dev/urandom\0".utf8)
}
