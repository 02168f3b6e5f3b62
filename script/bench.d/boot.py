"""`rehost preflight` against a plain QEMU boot of the same image to its login prompt, in turn, in one run."""
from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROMPT = b" login: "
LIMIT = 900


@dataclass
class Boot:
    tool: str
    wall: float
    cpu: float
    preparation: float = 0.0


def plain(image: Path, folder: Path, accelerator: str) -> Boot:
    """The same hardware, a serial port into a file, nobody else looking: until the prompt is there."""
    backing = json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", image]))["format"]
    return to_prompt("plain boot", str(image), backing, folder, accelerator)


def to_prompt(name: str, image: str, backing: str, folder: Path, accelerator: str) -> Boot:
    """
    - image: a file or an NBD URI, which isn't written
    - backing: its format
    """
    overlay, serial = folder / "plain.qcow2", folder / "serial"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", backing, "-b", image, overlay], check=True)
    serial.write_bytes(b"")
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std",
               "-machine", "q35", "-accel", accelerator, "-m", "1024", "-smp", "1",
               "-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={overlay}",
               "-device", "virtio-blk-pci,drive=disk,bootindex=0",
               "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
               "-serial", f"file:{serial}"]
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as qemu:
        try:
            while PROMPT not in serial.read_bytes():
                if qemu.poll() is not None or time.monotonic() - start > LIMIT:
                    raise RuntimeError(f"the {name} came to no login prompt on the serial port in {LIMIT} s")
                time.sleep(0.1)
            wall = time.monotonic() - start
            fields = Path(f"/proc/{qemu.pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        finally:
            qemu.send_signal(signal.SIGKILL)
    overlay.unlink()
    return Boot(name, wall, cpu)


def preflight(binary: Path, image: Path, folder: Path, witness: bool) -> Boot:
    """The whole command; its report tells how much of it was before power on."""
    command = [binary, "preflight", image, "--quiet", "--format", "json"] + ([] if witness else ["--no-witness"])
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False,
                          env=os.environ | {"TMPDIR": str(folder)})
    wall = time.monotonic() - start
    report = json.loads(done.stdout)["images"][0]
    if report["verdict"] != "boots":
        raise RuntimeError(f"the verdict is {report['verdict']}: {report['reason']}")
    name = "preflight" if witness else "preflight --no-witness"
    return Boot(name, wall, report["cpuSeconds"], sum(report["preparation"].values()))


def run(binary: Path, image: Path, cache: Path, rounds: int, accelerator: str, say) -> str:
    boots: list[Boot] = []
    with tempfile.TemporaryDirectory(prefix="boot-", dir=cache) as name:
        folder = Path(name)
        for number in range(rounds):
            for one in (lambda: plain(image, folder, accelerator), lambda: preflight(binary, image, folder, True),
                        lambda: preflight(binary, image, folder, False)):
                boot = one()
                boots.append(boot)
                say(f"bench: round {number + 1}, {boot.tool}: {boot.wall:.1f} s, the guest's CPU {boot.cpu:.1f} s, "
                    f"before power on {boot.preparation:.1f} s")
    tools = list(dict.fromkeys(boot.tool for boot in boots))

    def median(tool: str, value) -> float:
        return statistics.median(value(boot) for boot in boots if boot.tool == tool)

    base = median("plain boot", lambda boot: boot.wall)
    lines = [f"{image.name}, {rounds} rounds in turn, {accelerator}; medians",
             f"{'':24}{'wall':>8}{'of it before power on':>24}{'rest / plain':>14}"]
    for tool in tools:
        wall, before = median(tool, lambda boot: boot.wall), median(tool, lambda boot: boot.preparation)
        lines.append(f"{tool:24}{wall:7.1f}s{before:23.1f}s{(wall - before) / base:14.2f}")
    return "\n".join(lines)
