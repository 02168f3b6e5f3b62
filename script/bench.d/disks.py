"""Disks with content: half of it can't be compressed, the other half is text."""
from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from scene import MIB

GIB = 1 << 30
STRETCH = 64 * MIB


class Content:
    """Other bytes each time, the same ones for the same seed where they are text."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        words = ["".join(self.random.choices("etaoinshrdlu", k=self.random.randint(2, 9))) for _ in range(4000)]
        self.text = " ".join(self.random.choices(words, k=2_000_000)).encode()

    def bytes(self, length: int) -> bytes:
        """In turn 256 KiB of each kind."""
        piece = 256 << 10
        parts = []
        for index in range(-(-length // piece)):
            at = self.random.randrange(len(self.text) - piece)
            parts.append(self.text[at:at + piece] if index % 2 else os.urandom(piece))
        return b"".join(parts)[:length]


def stretches(size: int, data: int) -> list[int]:
    """Where a disk's content is: stretches of 64 MiB, spread evenly."""
    count = data // STRETCH
    return [index * (size // count) // (4 * MIB) * (4 * MIB) for index in range(count)]


def make(path: Path, size: int, data: int, content: Content) -> None:
    """A qcow2 disk."""
    raw = path.with_suffix(".raw")
    with raw.open("wb", buffering=0) as file:
        file.truncate(size)
        for offset in stretches(size, data):
            file.seek(offset)
            file.write(content.bytes(STRETCH))
    try:
        subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    finally:
        raw.unlink()
