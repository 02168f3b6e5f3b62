"""What rehost is asked to do, and what it says about it."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from domain import FIRST, PINNED
from scene import MIB, Sample, Scene

UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": MIB}
READ = re.compile(r"(\d+) (bytes|KiB|MiB) read")


def capture(scene: Scene, part: str, what: str, number: int, source: str, store: Path, *options: str,
            machine: str = "image") -> Sample:
    command = [str(scene.binary), "capture", source, "--to", str(store), "--machine", machine, "--quiet",
               "--scratch", str(scene.folder / "tmp"), *options]
    pinned = PINNED if source.startswith("libvirt+") else 0
    sample = scene.run(part, what, number, command, (0, 3), pinned)  # 3: done, with warnings
    said = scene.said()
    if read := READ.search(said):
        sample.figures["read"] = int(read[1]) * UNITS[read[2]]
    for line in said.splitlines():
        if "warning: " in line and "libvirt" not in line and "qemuDomain" not in line and "virSecurity" not in line:
            scene.notes.append(f"{part}, {what}, round {number}: {line}")
    return sample


def prepare(scene: Scene, source: str, store: Path, machine: str) -> None:
    """A capture that isn't measured."""
    where = ["taskset", "-c", FIRST] if source.startswith("libvirt+") else []
    subprocess.run([*where, scene.binary, "capture", source, "--to", store, "--machine", machine, "--quiet",
                    "--scratch", scene.folder / "tmp"],
                   env=scene.environment(), check=True, capture_output=True, text=True)


def newest(scene: Scene, store: Path, machine: str, *options: str) -> dict:
    """The point's record: changed and stored, in bytes."""
    done = subprocess.run([scene.binary, "points", store, machine, "--format", "json", *options],
                          env=scene.environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["points"][-1]
