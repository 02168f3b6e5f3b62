"""The first boot of a machine from a served recovery point, against one from its local disk."""
from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

import boot
import rehost
from scene import MIB, Failed, Sample, Scene
from tree import Usage, machine_cpu

PART = "first boot, to the login prompt"
LOCAL, SERVED = "from the local disk", "from the served point"
REGION = 4 * MIB


def run(scene: Scene, image: Path) -> None:
    """
    - image: qcow2, boots by BIOS to a login on its serial port
    """
    store, folder = scene.folder / "store", scene.folder / "boot"
    folder.mkdir()
    rehost.prepare(scene, str(image), store, "image")
    chunks = list((store / "chunks").glob("*/*"))
    regions = -(-rehost.newest(scene, store, "image")["size"] // REGION)

    def local(number: int) -> None:
        measured(scene, LOCAL, number, lambda: boot.to_prompt(LOCAL, str(image), "qcow2", folder, scene.accelerator))

    def from_point(number: int) -> None:
        for chunk in chunks:
            os.utime(chunk, (0, chunk.stat().st_mtime))  # the next read shows, even with relatime
        with server(scene, store) as (uri, process):
            sample = measured(scene, SERVED, number,
                              lambda: boot.to_prompt(SERVED, uri, "raw", folder, scene.accelerator))
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            sample.figures["server_cpu"] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            status = Path(f"/proc/{process}/status").read_text()
            sample.usage.memory = int(status.split("VmHWM:")[1].split()[0]) << 10
            sample.usage.others_cpu = max(0.0, sample.usage.others_cpu - sample.figures["server_cpu"])
        sample.figures["fetched"] = sum(chunk.stat().st_atime > 0 for chunk in chunks)

    for number in range(1, scene.rounds + 1):
        for one in (local, from_point)[::1 if number % 2 else -1]:
            one(number)

    fetched = [sample.figures["fetched"] for sample in scene.of(PART, SERVED)]
    if not any(fetched):
        scene.notes.append(
            "first boot: the share of regions isn't known: files' access times aren't kept here (noatime), and "
            "'rehost serve' doesn't count what it fetches")
    else:
        scene.goal(f"first boot: regions fetched, of the disk's {regions}: %",
                   [100 * count for count in fetched], [regions] * scene.rounds, 15, False)
        scene.notes.append(
            f"first boot: fetched {', '.join(f'{count:.0f}' for count in fetched)} of {len(chunks)} regions that hold "
            f"data ({100 * max(fetched) / len(chunks):.0f} %), {regions} in all: by the access times of the\n"
            "store's files, so a region that left the server's memory and was fetched again counts once. "
            "CPU: the guest's QEMU;\nPSS: the server's peak of resident memory")
    scene.goal("first boot: from the served point / from the local disk", scene.walls(PART, SERVED),
               scene.walls(PART, LOCAL), 1.2, False)


def measured(scene: Scene, what: str, number: int, start) -> Sample:
    os.sync()
    busy, own = machine_cpu(), time.process_time()
    done: boot.Boot = start()
    others = machine_cpu() - busy - done.cpu - (time.process_time() - own)
    sample = Sample(PART, what, number, [], Usage(wall=done.wall, cpu=done.cpu, others_cpu=max(0.0, others)))
    scene.samples.append(sample)
    scene.say(f"bench: round {number}, {PART}, {what}: {done.wall:.1f} s, the guest's CPU {done.cpu:.1f} s "
              f"(others {sample.usage.others_cpu:.1f} s)")
    return sample


@contextmanager
def server(scene: Scene, store: Path) -> Iterator[tuple[str, int]]:
    socket = scene.folder / "serve.sock"
    with scene.log.open("w") as log:
        process = subprocess.Popen(
            [scene.binary, "serve", store, "image", "--socket", socket, "--quiet"], env=scene.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        uri = process.stdout.readline().strip() if process.stdout else ""
        if not uri:
            raise Failed(f"rehost serve ended before it said where it serves: {scene.said()}")
        yield uri, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
