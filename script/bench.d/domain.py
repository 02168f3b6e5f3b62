"""A libvirt domain without a daemon: its driver runs in whoever opens the URI, and QEMU stays between them."""
from __future__ import annotations

import os
import random
import re
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

from scene import Failed

CONFIGURATION = """\
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
security_driver = "none"
remember_owner = 0
user = "root"
group = "root"
"""
# cache: writes needn't be on the disk; a capture reads what QEMU has.
DESCRIPTION = """\
<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='unsafe'/><source file='{disk}'/>
<target dev='vda' bus='virtio'/></disk></devices></domain>
"""
# libvirt's embedded driver asks QEMU for all its capabilities anew, which takes seconds, wherever CPUID isn't what it
# was: on another processor, in some virtual machines. So whoever opens it is on the first one for these seconds.
PINNED = 0.5
FIRST = str(min(os.sched_getaffinity(0)))
DISK = "/machine/peripheral/virtio-disk0/virtio-backend"


class Domain:
    """Has no guest: what is written to its disk is written by QEMU's monitor."""

    def __init__(self, folder: Path, name: str, disk: Path, environment: dict[str, str]) -> None:
        self.name, self.disk, self.environment = name, disk, environment
        self.root = folder / "libvirt"
        self.uri = f"qemu:///embed?root={self.root}"
        self.program = ["taskset", "-c", FIRST, "virsh", "-q", "-c", self.uri]
        (self.root / "etc").mkdir(parents=True, exist_ok=True)
        (self.root / "etc/qemu.conf").write_text(CONFIGURATION)

    @property
    def source(self) -> str:
        return f"libvirt+{self.uri}&domain={self.name}"

    def virsh(self, *lines: str) -> str:
        """Several commands over one connection."""
        done = subprocess.run([*self.program, "; ".join(lines)], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"virsh {lines[0]}: {done.stderr[-500:]}")
        return done.stdout

    def start(self) -> None:
        description = self.root / f"{self.name}.xml"
        description.write_text(DESCRIPTION.format(name=self.name, disk=self.disk))
        self.virsh(f"define {shlex.quote(str(description))}", f"start {self.name}")
        time.sleep(2)  # the firmware looks for something to boot

    @property
    def process(self) -> int:
        return int((self.root / f"run/qemu/{self.name}.pid").read_text())

    def cpu(self) -> float:
        """QEMU's, in seconds."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def read(self) -> int:
        """Bytes that QEMU has read by system calls, of whatever."""
        return int(Path(f"/proc/{self.process}/io").read_text().split()[1])

    def write(self, pattern: Path, places: list[tuple[int, int]]) -> None:
        """A file's content, to offsets and lengths."""
        writes = [f'qemu-io -d {DISK} "write -s {pattern} {offset} {length}"' for offset, length in places]
        lines = [f"qemu-monitor-command {self.name} --hmp {shlex.quote(write)}" for write in writes]
        done = subprocess.run(self.program, env=self.environment, input="\n".join(lines) + "\n",
                              capture_output=True, text=True)
        # What qemu-io says of a success goes to QEMU's own output.
        if done.returncode != 0 or re.search(r"^Error|failed|[Ii]nvalid", done.stdout, re.MULTILINE):
            raise Failed(f"a write to the domain's disk failed: {done.stdout[-300:]} {done.stderr[-300:]}")

    def forget(self) -> None:
        """Checkpoints, and with them the disk's bitmaps."""
        for name in self.virsh(f"checkpoint-list {self.name} --name").split():
            self.virsh(f"checkpoint-delete {self.name} {name}")

    def end(self) -> None:
        try:
            process = self.process
        except (OSError, ValueError):
            return
        try:
            self.virsh(f"destroy {self.name}")
        except Failed:
            pass
        if Path(f"/proc/{process}/cmdline").exists() and self.name in Path(f"/proc/{process}/cmdline").read_text():
            os.kill(process, signal.SIGKILL)


@contextmanager
def running(folder: Path, name: str, disk: Path, environment: dict[str, str]) -> Iterator[Domain]:
    domain = Domain(folder, name, disk, environment)
    try:
        domain.start()
        yield domain
    finally:
        domain.end()


def spread(places: list[range], count: int, length: int, step: int, chance: random.Random) -> list[tuple[int, int]]:
    """So many stretches of a length inside these places, without overlap: at most one in each `step` bytes."""
    slots = [at for place in places for at in range(place.start, place.stop - step + 1, step)]
    return sorted((at + chance.randrange(0, step - length + 1, 4096), length) for at in chance.sample(slots, count))
