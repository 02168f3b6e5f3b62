"""What the parts of `bench replicate` have in common: where they work, what they found, and what was to be reached."""
from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tree import Usage, measure_apart

MIB = 1 << 20
Item = TypeVar("Item")


class Failed(Exception):
    """A command that the bench depends on."""


@dataclass
class Sample:
    part: str
    what: str
    round: int
    command: list[str]
    usage: Usage
    figures: dict[str, float] = field(default_factory=dict)  # bytes: stored, read, and so on


@dataclass
class Goal:
    """Met where the median is within the limit."""
    text: str
    values: list[float]  # round by round
    limit: float
    at_least: bool

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool:
        return self.median >= self.limit if self.at_least else self.median <= self.limit


@dataclass
class Scene:
    folder: Path
    binary: Path
    rounds: int
    accelerator: str
    say: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # parts

    def environment(self) -> dict[str, str]:
        """Every program's caches, state and temporary files are in the folder."""
        return os.environ | {
            "LC_ALL": "C", "TMPDIR": str(self.folder / "tmp"), "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"), "RESTIC_PASSWORD": "bench",
            "RESTIC_CACHE_DIR": str(self.folder / "restic-cache"), "BORG_BASE_DIR": str(self.folder / "borg"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

    def run(self, part: str, what: str, number: int, command: list[str], good: tuple[int, ...] = (0,),
            pinned: float = 0) -> Sample:
        """Measures a command; what it says is in `log`."""
        os.sync()  # what others have written must not be this one's to wait for
        usage = measure_apart(command, self.environment(), self.log, pinned)
        if usage.exit not in good:
            tail = "\n".join("    " + line for line in self.said().splitlines()[-20:])
            raise Failed(f"{what} ended with {usage.exit}: {' '.join(command)}\n{tail}")
        sample = Sample(part, what, number, command, usage)
        self.samples.append(sample)
        self.say(f"bench: round {number}, {part}, {what}: {usage.wall:.2f} s, CPU {usage.cpu:.1f} s "
                 f"(others {usage.others_cpu:.1f} s), {usage.memory >> 20} MiB, wrote {usage.written >> 20} MiB")
        return sample

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def of(self, part: str, what: str) -> list[Sample]:
        return [sample for sample in self.samples if (sample.part, sample.what) == (part, what)]

    def walls(self, part: str, what: str) -> list[float]:
        return [sample.usage.wall for sample in self.of(part, what)]

    def goal(self, text: str, over: list[float], under: list[float], limit: float, at_least: bool) -> None:
        """A ratio, round by round."""
        values = [a / b for a, b in zip(over, under) if b > 0]
        if values:
            self.goals.append(Goal(text, values, limit, at_least))


def in_turn(items: list[Item], number: int) -> list[Item]:
    """Another one begins in each round."""
    start = number % len(items)
    return items[start:] + items[:start]


def size(folder: Path) -> int:
    """Bytes of all files inside."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def warm(path: Path) -> None:
    """Into the page cache, for whoever reads it next."""
    with path.open("rb", buffering=0) as file:
        while file.read(4 * MIB):
            pass


def figure(name: str) -> Callable[[Sample], float | None]:
    return lambda sample: sample.figures[name] / MIB if name in sample.figures else None


# Those that no run of a part has are left out.
COLUMNS: list[tuple[str, Callable[[Sample], float | None]]] = [
    ("CPU s", lambda sample: sample.usage.cpu),
    ("PSS MiB", lambda sample: sample.usage.memory / MIB or None),
    ("anon MiB", lambda sample: sample.usage.anonymous / MIB or None),
    ("wrote MiB", lambda sample: sample.usage.written / MIB or None),
    ("stored MiB", figure("stored")),
    ("changed MiB", figure("changed")),
    ("read MiB", figure("read")),
    ("QEMU read MiB", figure("qemu_read")),
    ("QEMU CPU s", lambda sample: sample.figures.get("qemu_cpu")),
    ("server CPU s", lambda sample: sample.figures.get("server_cpu")),
    ("others s", lambda sample: sample.usage.others_cpu),
]


def table(scene: Scene, part: str) -> str:
    samples = [sample for sample in scene.samples if sample.part == part]
    columns = [column for column in COLUMNS if any(column[1](sample) is not None for sample in samples)]
    lines = [f"{part + ', medians':<44}{'wall s':>8}" + "".join(f"{name:>{len(name) + 2}}" for name, _ in columns)
             + "   each wall"]
    for what in dict.fromkeys(sample.what for sample in samples):
        found = scene.of(part, what)
        cells = []
        for name, value in columns:
            values = [number for sample in found if (number := value(sample)) is not None]
            cells.append(f"{statistics.median(values) if values else '-':>{len(name) + 2}{'.1f' if values else ''}}")
        walls = scene.walls(part, what)
        lines.append(f"  {what:<42}{statistics.median(walls):8.2f}{''.join(cells)}   "
                     + " ".join(f"{wall:.2f}" for wall in walls))
    return "\n".join(lines)


def verdicts(scene: Scene) -> str:
    lines = [f"{'goals':<76}{'median':>8}  {'goal':<8}  each round"]
    for goal in scene.goals:
        sign = ">=" if goal.at_least else "<="
        lines.append(f"  {goal.text:<74}{goal.median:8.2f}  {sign} {goal.limit:<5g}  "
                     f"{'met   ' if goal.is_met else 'MISSED'}  {' '.join(f'{value:.2f}' for value in goal.values)}")
    return "\n".join(lines)
