"""Whether memory grows with a disk: captures and restores of a small and a large one, of both the same share data."""
from __future__ import annotations

from pathlib import Path

import rehost
from scene import Scene, discard

CAPTURE, RESTORE = "memory: capture", "memory: restore"


def run(scene: Scene, disks: dict[str, Path]) -> None:
    """
    - disks: qcow2, the smaller one first
    """
    stores = {name: scene.folder / f"store-{index}" for index, name in enumerate(disks)}
    out = scene.folder / "restored"
    for number in range(1, scene.rounds + 1):
        for name, disk in disks.items():
            rehost.capture(scene, CAPTURE, name, number, str(disk), stores[name])
            scene.run(RESTORE, name, number, [str(scene.binary), "restore", str(stores[name]), "image", "--output",
                                              str(out), "--output-format", "raw", "--quiet"])
            discard(out)
            discard(stores[name])
    small, large = disks
    for part in (CAPTURE, RESTORE):
        peaks = [[sample.usage.memory for sample in scene.of(part, name)] for name in (large, small)]
        scene.goal(f"{part}, peak: {large} / {small}", *peaks, 1.25, False)
