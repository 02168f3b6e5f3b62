"""Captures of a running domain: all, what was written since, and nothing; and virtnbdbackup's full backup of it."""
from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import rehost
from disks import GIB, STRETCH, Content, make, stretches
from domain import PINNED, Domain, running, spread
from scene import MIB, Failed, Sample, Scene, discard, in_turn, size

PART, NOTHING = "running domain", "nothing changed, tracked"
FULL, CLUSTERED, OF_DATA = "full", "in runs, 2 % of the disk", "in runs, 2 % of the data"
SCATTERED, UNIFORM = "scattered 4 KiB, in data", "scattered 4 KiB, anywhere"
NBDBACKUP, NBDBACKUP_LZ4 = "virtnbdbackup -l full", "virtnbdbackup -l full -z"
BLOCK = 64 << 10
RUNS = 16


def run_length(of: int) -> int:
    """Of the runs that are 2 % together."""
    return of * 2 // 100 // RUNS // 4096 * 4096


def scattered(capacity: int) -> int:
    """Blocks that are 1 % of a disk."""
    return capacity // 100 // BLOCK


def observed(domain: Domain, command: Callable[[], Sample]) -> Sample:
    """QEMU's part in it, which isn't in the tree's figures, and isn't others'."""
    cpu, read = domain.cpu(), domain.read()
    sample = command()
    sample.figures |= {"qemu_cpu": domain.cpu() - cpu, "qemu_read": domain.read() - read}
    sample.usage.others_cpu = max(0.0, sample.usage.others_cpu - sample.figures["qemu_cpu"])
    return sample


def run(scene: Scene, disk: Path, capacity: int, data: int, content: Content) -> None:
    chance = random.Random(2)
    scene.notes.append(
        f"domain: {capacity >> 30} GiB, {data >> 30} GiB of it data, half random, half text; in runs: {RUNS} of "
        f"{run_length(capacity) / MIB:.1f} or {run_length(data) / MIB:.1f} MiB,\nanywhere; scattered: "
        f"{scattered(capacity)} writes of 4 KiB in as many blocks of 64 KiB, 1 % of the disk. QEMU reads for it:"
        " its\nCPU time, and what it read (samples of what has not changed, too), have columns of their own. 2 % of the"
        f" disk are {RUNS * run_length(capacity) * 100 // data} % of\nwhat the full capture reads, so their wall can"
        " hardly be under a tenth of its")
    for number in range(1, scene.rounds + 1):
        # What a round writes must not be the next one's.
        overlay = scene.folder / "overlay.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disk, overlay], check=True)
        with running(scene.folder, f"bench{number}", overlay, scene.environment()) as domain:
            one_round(scene, domain, number, capacity, data, content, chance)
        discard(scene.folder / "store")
    set_goals(scene)


def one_round(scene: Scene, domain: Domain, number: int, capacity: int, data: int, content: Content,
              chance: random.Random) -> None:
    store, pattern = scene.folder / "store", scene.folder / "pattern"

    def capture(what: str) -> Sample:
        sample = observed(domain, lambda: rehost.capture(
            scene, PART, what, number, domain.source, store, machine="bench"))
        record = rehost.newest(scene, store, "bench")
        sample.figures |= {"changed": record["changed"], "stored": record["stored"]}
        return sample

    def increment(what: str, places: list[tuple[int, int]], written: int) -> None:
        if places:
            pattern.write_bytes(content.bytes(places[0][1]))
            domain.write(pattern, places)
        sample = capture(what)
        sample.figures["written"] = written
        if sample.figures["changed"] < written:
            raise Failed(f"{what}: {written} bytes were written, and {sample.figures['changed']} have changed")

    # virtnbdbackup refuses a domain with another program's checkpoints, and the increments need rehost's: it goes last.
    for compressed in in_turn([False, True], number):
        virtnbdbackup(scene, domain, number, compressed)
    domain.forget()
    capture(FULL)
    everywhere, full_of = [range(0, capacity)], [range(at, at + STRETCH) for at in stretches(capacity, data)]
    for what, of in ((CLUSTERED, capacity), (OF_DATA, data)):
        places = spread(everywhere, RUNS, run_length(of), capacity // (2 * RUNS), chance)
        increment(what, places, RUNS * run_length(of))
    increment("nothing changed", [], 0)
    blocks = scattered(capacity)
    for what, where in ((SCATTERED, full_of), (UNIFORM, everywhere)):
        increment(what, spread(where, blocks, 4096, BLOCK, chance), blocks * BLOCK)


def set_goals(scene: Scene) -> None:
    def values(what: str, name: str) -> list[float]:
        return [sample.figures[name] for sample in scene.of(PART, what)]

    for what in (CLUSTERED, OF_DATA):
        scene.goal(f"written {what}: wall / full capture's",
                   scene.walls(PART, what), scene.walls(PART, FULL), 0.1, False)
    # Where a quarter of a region or more was written to, all of it is read: the ends of each run.
    for what, unit, limit in ((CLUSTERED, "written", 1.2), (SCATTERED, "blocks of 64 KiB written to", 1.1),
                              (UNIFORM, "blocks of 64 KiB written to", 1.1)):
        for name in ("read", "stored"):
            scene.goal(f"{what}: {name} / {unit}", values(what, name), values(what, "written"), limit, False)


def virtnbdbackup(scene: Scene, domain: Domain, number: int, compressed: bool) -> None:
    """Neither deduplicates nor encrypts; it ends without a sync, so one is added."""
    what = NBDBACKUP_LZ4 if compressed else NBDBACKUP
    program = shutil.which("virtnbdbackup")
    if any(note.startswith("virtnbdbackup is left out") for note in scene.notes):
        return
    out = scene.folder / "virtnbdbackup"
    wrapper = Path(__file__).with_name("virtnbdbackup.py")
    # Debian's own Python has libvirt's module.
    line = (f"/usr/bin/python3 {wrapper} {program} -U '{domain.uri}' -d {domain.name} -l full "
            f"{'-z ' if compressed else ''}-S {scene.folder}/tmp -o {out} && sync -f {out}")
    try:
        sample = observed(domain, lambda: scene.run(PART, what, number, ["sh", "-c", line], pinned=PINNED))
        sample.figures["stored"] = size(out)
    except Failed as error:
        scene.notes.append(f"virtnbdbackup is left out, since it doesn't work here: {error}")
    finally:
        for left in (out, *(scene.folder / "tmp").glob("backup.*")):
            if left.exists():
                discard(left)


def nothing(scene: Scene, sizes: list[int]) -> None:
    """A disk's size must not matter where nothing was written."""
    with ExitStack() as stack:
        domains: dict[str, tuple[Domain, Path]] = {}
        for gigabytes in sizes:
            disk, store = scene.folder / f"disk-{gigabytes}.qcow2", scene.folder / f"store-{gigabytes}"
            make(disk, gigabytes * GIB, STRETCH, Content(gigabytes))
            domain = stack.enter_context(running(scene.folder, f"sparse{gigabytes}", disk, scene.environment()))
            domains[f"{gigabytes} GiB, sparse"] = domain, store
            rehost.prepare(scene, domain.source, store, "bench")
        for number in range(1, scene.rounds + 1):
            for what, (domain, store) in domains.items():
                sample = observed(domain, lambda: rehost.capture(
                    scene, NOTHING, what, number, domain.source, store, machine="bench"))
                sample.figures["stored"] = rehost.newest(scene, store, "bench")["stored"]
    first, *_, last = domains
    scene.goal(f"nothing changed, tracked: wall, {last} / {first}",
               scene.walls(NOTHING, last), scene.walls(NOTHING, first), 1.5, False)
    scene.goal(f"nothing changed, tracked, {last}: seconds",
               scene.walls(NOTHING, last), [1.0] * scene.rounds, 10, False)
