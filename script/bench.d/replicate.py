"""`bench replicate`: recovery points made, kept up to date, restored and booted from. Its parts, and what it prints."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import files
import memory
import served
import tracked
from disks import GIB, Content, make
from scene import Failed, Scene, table, verdicts

PARTS = ("files", "tracked", "unchanged", "memory", "boot")
PROGRAMS = {"restic": "restic", "borg": "borgbackup", "virtnbdbackup": "virtnbdbackup", "virsh": "libvirt-clients",
            "nbdcopy": "libnbd-bin", "qemu-nbd": "qemu-utils", "zstd": "zstd",
            "qemu-system-x86_64": "qemu-system-x86"}
DRIVER = "libvirt-daemon-driver-qemu"


def missing_packages(which: Callable[[str], str | None]) -> set[str]:
    found = {package for program, package in PROGRAMS.items() if not which(program)}
    return found | (set() if any(Path("/usr/lib").glob("*/libvirt/connection-driver/*qemu.so")) else {DRIVER})


def add_user() -> None:
    """libvirt's QEMU driver refuses to start without the user that its daemon's package makes."""
    if subprocess.run(["getent", "passwd", "libvirt-qemu"], capture_output=True).returncode != 0:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "libvirt-qemu"],
                       check=True)


def run(scene: Scene, parts: list[str], image: Path | None, bootable: Path | None, quick: bool) -> None:
    """
    - image: any format; for `files`
    - bootable: qcow2; for `boot`
    """
    for name in ("tmp", "cache", "state", "borg"):
        (scene.folder / name).mkdir()
    def attempt(name: str, part: Callable[[], None]) -> None:
        if name not in parts:
            return
        scene.say(f"bench: part '{name}'")
        try:
            part()
        # What was measured so far is not thrown away for one part that fails; and it is not hidden.
        except (RuntimeError, subprocess.CalledProcessError, OSError, Failed) as error:
            said = getattr(error, "stderr", None) or ""
            scene.failed.append(name)
            scene.notes.append(f"FAILED: part '{name}' was not finished: {error} {said}")
            scene.say(f"bench: part '{name}' was not finished: {error} {said}")

    capacity, data = (4 * GIB, GIB) if quick else (20 * GIB, 12 * GIB)
    content = Content(1)
    large, small = scene.folder / "large.qcow2", scene.folder / "small.qcow2"
    if {"tracked", "memory"} & set(parts):
        make(large, capacity, data, content)
    if image:
        raw = scene.folder / "image.raw"

        def of_files() -> None:
            subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)
            files.run(scene, raw)

        attempt("files", of_files)
        raw.unlink(missing_ok=True)

    def of_memory() -> None:
        make(small, capacity // 10, data // 10, content)
        memory.run(scene, {f"{capacity / 10 / GIB:g} GiB": small, f"{capacity // GIB} GiB": large})

    attempt("memory", of_memory)
    if os.geteuid() != 0 and {"tracked", "unchanged"} & set(parts):
        scene.notes.append("left out: running domains, since libvirt's embedded driver runs as root only")
        parts = [part for part in parts if part not in ("tracked", "unchanged")]
    elif {"tracked", "unchanged"} & set(parts):
        add_user()
    attempt("tracked", lambda: tracked.run(scene, large, capacity, data, content))
    large.unlink(missing_ok=True)
    attempt("unchanged", lambda: tracked.nothing(scene, [1, 20] if quick else [1, 20, 200]))
    if bootable:
        attempt("boot", lambda: served.run(scene, bootable))


def text(scene: Scene, environment: dict[str, Any]) -> str:
    parts = dict.fromkeys(sample.part for sample in scene.samples)
    missed = sum(not goal.is_met for goal in scene.goals)
    lines = [f"{scene.rounds} round{'s' * (scene.rounds != 1)}, in turn"
             f"{' (QUICK: not to be quoted)' if environment['quick'] else ''}; {scene.accelerator}; "
             f"{environment['processors']} processors, Linux {environment['kernel']}",
             f"load when started: {environment['load_at_start']}, at the end: {environment['load_at_end']}"
             + (" (NOISY: the machine was not idle)" if environment["noisy"] else ""),
             f"rehost {environment['rehost']} ({environment['binary']}); "
             + ", ".join(environment[name] for name in ("restic", "borg"))]
    for part in parts:
        lines += ["", table(scene, part)]
    lines += ["", verdicts(scene), "", f"{len(scene.goals) - missed} goals met, {missed} missed", ""]
    return "\n".join(lines + scene.notes)


def record(scene: Scene, environment: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "rehost.bench.replicate/1", "environment": environment,
            "samples": [asdict(sample) for sample in scene.samples],
            "goals": [asdict(goal) | {"median": goal.median, "met": goal.is_met} for goal in scene.goals],
            "notes": scene.notes, "failed": scene.failed}
