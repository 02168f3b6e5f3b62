/// What runs inside the guest: plain POSIX sh, since nothing else is sure to be there.
enum WitnessScript {
    /// The word that each line of the witness starts with.
    static let mark = "rehost-witness"

    /// Every part may fail on its own: a guest that is half broken must still report. Values are what follows the key, up
    /// to the line's end.
    static let text = #"""
        # The boot check's witness: says on the second serial port how this system came up. It is in a throw-away
        # overlay only.
        PATH=/usr/sbin:/usr/bin:/sbin:/bin
        export PATH LC_ALL=C

        port=
        for try in /dev/ttyS1 /dev/ttyS0; do
            if [ -c "$try" ] && (printf '\n' > "$try") 2>/dev/null; then
                port=$try
                break
            fi
        done
        [ -n "$port" ] || exit 0

        # One write a message, so that the kernel's lines don't get between.
        say() { printf '%s\n' "rehost-witness $*" > "$port" 2>/dev/null; }
        seconds() { cut -d ' ' -f 1 /proc/uptime; }
        flag=/run/rehost-witness
        [ -d /run ] || flag=/var/run/rehost-witness
        if [ ! -e "$flag" ]; then
            say "begin $(seconds)"
            : > "$flag"
        fi

        has_systemd=
        [ -d /run/systemd/system ] && has_systemd=yes
        state=
        system_state() { state=$(systemctl is-system-running 2>/dev/null | head -n 1); }

        # With systemd there are two of us. The first says that user space runs, and sleeps: whoever keeps asking systemd
        # takes from the boot. The second comes when the boot is through. Where it doesn't come, the
        # first tells what holds the boot up.
        if [ "$1" = early ] && [ -n "$has_systemd" ]; then
            sleep 100
            [ -e "$flag.report" ] && exit 0
            systemctl list-jobs --no-legend --no-pager --plain 2>/dev/null | awk '$4 == "running" { print $2 }' |
                head -n 10 | while read -r unit; do say "job $unit"; done
            waited=0
            while [ ! -e "$flag.report" ]; do
                system_state
                case "$state" in running | degraded | maintenance) break ;; esac
                [ "$waited" -lt 900 ] || exit 0
                sleep 10
                waited=$((waited + 10))
            done
            [ -e "$flag.report" ] && exit 0
        fi
        : > "$flag.report"

        if [ -n "$has_systemd" ]; then
            boot_time=$(seconds)
            waited=0
            while [ "$waited" -lt 300 ]; do
                system_state
                case "$state" in
                    running | degraded | maintenance) break ;;
                    # Going down: the next start tells the rest.
                    stopping) exit 0 ;;
                    initializing | starting) ;;
                    # Older than 215: no such question. No jobs left means the same.
                    *) systemctl list-jobs 2>/dev/null | grep -q 'No jobs' && break ;;
                esac
                sleep 1
                waited=$((waited + 1))
            done
        else
            # OpenRC's own run may still go on; elsewhere the witness comes last, and the others get a moment.
            waited=0
            while [ "$waited" -lt 300 ] && pgrep -x openrc >/dev/null 2>&1; do
                sleep 2
                waited=$((waited + 2))
            done
            sleep 5
        fi

        cards() {
            for card in /sys/class/net/*; do
                [ -e "$card/device" ] && echo "${card##*/}"
            done
        }
        addresses() { ip -o addr show dev "$1" scope global 2>/dev/null | awk '{ printf "%s%s", sep, $4; sep = "," }'; }
        all_addresses() { ip -o -4 addr show scope global 2>/dev/null; }

        # Some systems are up before their network is.
        if [ "$state" != maintenance ] && [ -n "$(cards)" ]; then
            waited=0
            while [ "$waited" -lt 30 ] && [ -z "$(all_addresses)" ]; do
                sleep 1
                waited=$((waited + 1))
            done
        fi

        if [ -d /sys/firmware/efi ]; then say firmware uefi; else say firmware bios; fi
        say "kernel $(uname -r)"
        say "system $(. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")"
        say "host $(uname -n)"
        say "state $state"

        # The last mount of / counts; the first may be the initramfs.
        root=$(awk '$2 == "/" && $1 != "rootfs" { found = $1 } END { print found }' /proc/mounts)
        if [ ! -b "$root" ]; then
            numbers=$(awk '$5 == "/" { found = $3 } END { print found }' /proc/self/mountinfo)
            [ -e "/sys/dev/block/$numbers" ] && root=/dev/$(basename "$(readlink -f "/sys/dev/block/$numbers")")
        fi
        say "root_device $root"
        say "root_fs $(awk '$2 == "/" && $1 != "rootfs" { found = $3 } END { print found }' /proc/mounts)"
        awk '$2 == "/" && $1 != "rootfs" { found = $4 } END { exit found !~ /^ro(,|$)/ }' /proc/mounts && say 'root_ro yes'

        # Down through LVM, RAID and encryption to a disk, then up to the first driver that isn't the generic "sd".
        name=$(basename "$(readlink -f "$root")")
        depth=0
        while [ "$depth" -lt 8 ]; do
            below=$(ls "/sys/class/block/$name/slaves" 2>/dev/null | head -n 1)
            [ -n "$below" ] || break
            name=$below
            depth=$((depth + 1))
        done
        place=$(readlink -f "/sys/class/block/$name")
        disk=$place
        [ -e "$place/partition" ] && disk=$(dirname "$place")
        serial=$(cat "$disk/serial" 2>/dev/null)
        [ -n "$serial" ] || serial=$(udevadm info --query=property --path="$disk" 2>/dev/null | sed -n 's/^ID_SERIAL=//p')
        say "root_serial $serial"
        while [ -n "$place" ] && [ "$place" != / ] && [ "$place" != /sys ]; do
            if [ -e "$place/driver" ]; then
                driver=$(basename "$(readlink "$place/driver")")
                if [ "$driver" != sd ]; then
                    say "root_driver $driver"
                    break
                fi
            fi
            place=$(dirname "$place")
        done

        for card in $(cards); do
            driver=$(basename "$(readlink "/sys/class/net/$card/device/driver" 2>/dev/null)")
            mac=$(cat "/sys/class/net/$card/address" 2>/dev/null)
            up=$(cat "/sys/class/net/$card/operstate" 2>/dev/null)
            dynamic=no
            # A bridge or bond on the card may hold the address instead.
            holder=$card
            for upper in /sys/class/net/"$card"/master /sys/class/net/"$card"/upper_*; do
                [ -e "$upper" ] && [ -z "$(addresses "$card")" ] && holder=$(basename "$(readlink -f "$upper")")
            done
            ip -o addr show dev "$holder" scope global 2>/dev/null | grep -q ' dynamic ' && dynamic=yes
            # Without the kernel's mark (dhclient of old, dhcpcd) a lease is known by its client.
            [ "$dynamic" = no ] && pgrep -f "(dhclient|dhcpcd|udhcpc|dhcp-client).*$holder" >/dev/null 2>&1 && dynamic=yes
            say "card $card ${driver:-none} ${mac:-none} ${up:-unknown} $dynamic $(addresses "$holder")"
        done
        say "routes $(ip -o route show default 2>/dev/null | awk '{ printf "%s%s dev %s", sep, $3, $5; sep = "," }')"
        say "dns $(awk '$1 == "nameserver" { printf "%s%s", sep, $2; sep = "," }' /etc/resolv.conf 2>/dev/null)"

        # Of fstab, what should be mounted and isn't.
        awk '
            FNR == NR { mounted[$2] = 1; next }
            /^[ \t]*#/ || NF < 3 { next }
            $2 !~ /^\// || $3 == "swap" { next }
            (","$4",") ~ /,(noauto|x-systemd\.automount),/ { next }
            {
                target = $2
                if (target != "/") sub(/\/+$/, "", target)
                if (!(target in mounted)) print target
            }
        ' /proc/mounts /etc/fstab 2>/dev/null | head -n 20 | while read -r target; do say "missing $target"; done

        if [ -n "$has_systemd" ]; then
            # One question for both, each costs.
            systemctl list-units --all --type=service,mount,socket,swap --state=failed,running --plain --no-legend \
                --no-pager 2>/dev/null | awk '
                    $3 == "failed" && failed++ < 40 { print "failed", $1 }
                    $4 == "running" && $1 ~ /^(serial-|console-)?getty|^display-manager|^(gdm|sddm|lightdm|xdm)/ { login = 1 }
                    END { if (login) print "login yes" }' | while read -r line; do say "$line"; done
            say "boot_time $boot_time s"
            systemctl show --property Id --property LoadState --property ActiveState --property UnitFileState \
                open-vm-tools vmtoolsd vmware-tools vgauthd vboxadd vboxadd-service hv-kvp-daemon hypervkvpd \
                xe-linux-distribution xe-daemon prltoolsd qemu-guest-agent 2>/dev/null | awk -F = '
                    function flush() { if (id != "" && load != "not-found") print id, active, file; id = "" }
                    $1 == "Id" { flush(); id = $2; sub(/\.service$/, "", id) }
                    $1 == "LoadState" { load = $2 }
                    $1 == "ActiveState" { active = $2 }
                    $1 == "UnitFileState" { file = $2 }
                    NF == 0 { flush() }
                    END { flush() }' | sort -u | while read -r line; do say "tool $line"; done
            if [ "$state" != running ]; then
                journalctl --boot --priority=err --output=cat --no-pager --lines=20 2>/dev/null |
                    while read -r line; do say "error $line"; done
            fi
        else
            pgrep 'agetty|mingetty|getty|gdm|sddm|lightdm' >/dev/null 2>&1 && say 'login yes'
            for tool in vmtoolsd vmware-guestd VBoxService hv_kvp_daemon xe-daemon prltoolsd qemu-ga; do
                pgrep "$tool" >/dev/null 2>&1 && say "tool $tool active"
            done
        fi
        # Whoever has nothing to do sends nothing. A word to the router shows from outside that the address works.
        for router in $(ip -o route show default 2>/dev/null | awk '$2 == "via" { print $3 }' | head -n 2); do
            ping -c 1 -W 2 "$router" >/dev/null 2>&1 || timeout 3 getent hosts router.invalid >/dev/null 2>&1
        done
        say "clock $(date +%s)"
        say "end $(seconds)"
        exit 0

        """#
}
