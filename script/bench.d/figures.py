"""From runs to medians, ratios and tables."""
from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tree import Usage


@dataclass
class Run:
    tool: str
    round: int
    command: list[str]
    usage: Usage
    output_bytes: int = 0  # allocated
    phases: list[dict[str, Any]] = field(default_factory=list)  # name, start, seconds


def coverage(phases: list[dict[str, Any]]) -> float:
    """Seconds in which at least one phase ran."""
    total = reached = 0.0
    for start, end in sorted((p["start"], p["start"] + p["seconds"]) for p in phases):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def phase_medians(runs: list[Run]) -> list[dict[str, Any]]:
    named: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        rest = run.usage.wall - coverage(run.phases)
        for phase in run.phases + [{"name": "(outside of every phase)", "start": 0.0, "seconds": max(0.0, rest)}]:
            named.setdefault(phase["name"], []).append(phase)
    rows = [{"name": name, **{key: statistics.median(p[key] for p in found) for key in ("start", "seconds")}}
            for name, found in named.items()]
    return sorted(rows, key=lambda row: -row["seconds"])


FIGURES: list[tuple[str, str, Callable[[Run], float]]] = [
    ("wall", "s", lambda run: run.usage.wall),
    ("CPU", "s", lambda run: run.usage.cpu),
    ("peak memory", "MiB", lambda run: run.usage.memory / 2**20),
    ("  anonymous", "MiB", lambda run: run.usage.anonymous / 2**20),
    ("bytes written", "MiB", lambda run: run.usage.written / 2**20),
    ("size of output", "MiB", lambda run: run.output_bytes / 2**20),
    ("CPU of others", "s", lambda run: run.usage.others_cpu),
]


def summary(ours: list[Run], theirs: list[Run]) -> list[dict[str, Any]]:
    rows = []
    for name, unit, figure in FIGURES:
        a, b = [figure(run) for run in ours], [figure(run) for run in theirs]
        ratios = [y / x for x, y in zip(a, b) if x > 0] if name != "CPU of others" else []
        rows.append({
            "figure": name.strip(), "label": name, "unit": unit, "rehost": a, "virt-v2v": b,
            "median": {"rehost": statistics.median(a), "virt-v2v": statistics.median(b)},
            "ratios": ratios, "median_ratio": statistics.median(ratios) if ratios else None})
    return rows


def table(rows: list[dict[str, Any]], phases: dict[str, list[dict[str, Any]]], walls: dict[str, float]) -> str:
    lines = [f"{'median':<22}{'rehost':>12}{'virt-v2v':>12}   virt-v2v / rehost, pair by pair"]
    for row in rows:
        median, ratios = row["median"], row["ratios"]
        ratio = f"{row['median_ratio']:.2f}  ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
        lines.append(f"{row['label'] + ', ' + row['unit']:<22}{median['rehost']:>12.1f}{median['virt-v2v']:>12.1f}"
                     f"   {ratio}".rstrip())
    for tool, found in phases.items():
        note = " (phases overlap)" if tool == "rehost" else ""
        lines += ["", f"where {tool}'s time goes, median{note}", f"{'':<50}{'at s':>8}{'s':>9}{'of wall':>9}"]
        lines += [f"  {p['name'][:47]:<48}{p['start']:>8.1f}{p['seconds']:>9.2f}{p['seconds'] / walls[tool]:>9.0%}"
                  for p in found]
    return "\n".join(lines)
