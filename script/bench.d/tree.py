"""Runs a command and measures its whole tree of processes: see ../bench for what the figures mean.

As a program, `tree.py RESULT LOG PINNED COMMAND…`, it is a subreaper by itself: what its caller has running is neither
counted nor ended."""
from __future__ import annotations

import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PERIOD = 0.1  # seconds from sample to sample
PATIENCE = 30.0  # seconds for what a command leaves behind


@dataclass
class Usage:
    exit: int = 0
    wall: float = 0
    cpu: float = 0
    memory: int = 0
    anonymous: int = 0
    written: int = 0
    others_cpu: float = 0
    sampler_cpu: float = 0
    cpu_from: str = "wait4"
    left_behind: int = 0  # processes that had to be killed after the command's end


class Tree:
    """The processes of one run: a cgroup's members, or this process's descendants."""

    def __init__(self) -> None:
        self.cgroup: Path | None = None
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        own = re.search(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        for root in [fields[1] for fields in mounts if fields[2] == "cgroup2"] if own else []:
            folder = Path(root, own[1], f"rehost-bench-{os.getpid()}")
            try:
                folder.mkdir()
            except OSError:
                continue
            self.cgroup = folder
            if os.access(folder / "cgroup.procs", os.W_OK):
                break
            self.close()

    def enter(self) -> None:
        """In the child, before exec."""
        if self.cgroup:
            (self.cgroup / "cgroup.procs").write_text("0")

    def members(self) -> list[int]:
        if self.cgroup:
            return [int(pid) for pid in (self.cgroup / "cgroup.procs").read_text().split()]
        children: dict[int, list[int]] = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                state, parent = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                children.setdefault(int(parent), []).append(int(pid))
        found = list(children.get(os.getpid(), []))
        for pid in found:  # grows while it is walked
            found += children.get(pid, [])
        return found

    def cpu(self) -> float | None:
        if not self.cgroup:
            return None
        return int((self.cgroup / "cpu.stat").read_text().split()[1]) / 1e6

    def close(self) -> None:
        if self.cgroup:
            try:
                deadline = time.monotonic() + 2
                while (self.cgroup / "cgroup.events").read_text().startswith("populated 1"):
                    if time.monotonic() > deadline:
                        break
                    time.sleep(PERIOD / 10)
                self.cgroup.rmdir()
            except OSError as error:
                print(f"bench: warning: {self.cgroup} stays: {error.strerror}", file=sys.stderr)
            self.cgroup = None


def memory(pids: list[int]) -> tuple[int, int]:
    """Bytes: the sum of PSS, and how much of it is anonymous."""
    total = anonymous = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) << 10
            elif line.startswith("Pss_Anon:"):
                anonymous += int(line.split()[1]) << 10
    return total, anonymous


def machine_cpu() -> float:
    """Seconds of work by all processors since boot, with what the hypervisor took (steal)."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def measure(command: list[str], env: dict[str, str], log: Path, pinned: float = 0) -> Usage:
    """Runs a command and waits for its whole tree. Its output goes to `log`.

    - pinned: for so many seconds it stays on the first processor
    """
    usage, tree, reaped_cpu = Usage(), Tree(), 0.0
    own, busy, started = time.process_time(), machine_cpu(), time.monotonic()
    main: int | None = None
    processors = os.sched_getaffinity(0)

    def begin() -> None:
        tree.enter()
        if pinned:
            os.sched_setaffinity(0, {min(processors)})

    def loosen() -> None:
        for pid in tree.members():
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(thread), processors)
            except OSError:
                continue  # it has ended

    def sample() -> None:
        total, anonymous = memory(tree.members())
        usage.memory, usage.anonymous = max(usage.memory, total), max(usage.anonymous, anonymous)

    def reap() -> bool:
        """Whether children remain: alive, or ending and no longer among the tree's members."""
        nonlocal main, reaped_cpu
        while True:
            try:
                pid, status, resources = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            reaped_cpu += resources.ru_utime + resources.ru_stime
            usage.written += resources.ru_oublock * 512
            if pid == main:
                usage.wall, usage.exit, main = time.monotonic() - started, os.waitstatus_to_exitcode(status), None

    try:
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=begin)
        main = process.pid
        ended = os.pidfd_open(main)
        while main:
            before = time.process_time()
            if pinned and time.monotonic() - started > pinned:
                loosen()
                pinned = 0
            sample()
            # Looking must not become the load: at most a twentieth of one processor.
            select.select([ended], [], [], max(PERIOD, 20 * (time.process_time() - before)))
            reap()
        os.close(ended)
        process.returncode = usage.exit  # it was waited for behind its back
        deadline = time.monotonic() + PATIENCE
        while tree.members() and time.monotonic() < deadline:
            sample()
            time.sleep(PERIOD)
            reap()
    finally:
        while left := tree.members():
            usage.left_behind = max(usage.left_behind, len(left))
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(PERIOD)
            reap()
        deadline = time.monotonic() + PATIENCE
        while reap() and time.monotonic() < deadline:
            time.sleep(PERIOD / 10)
        cpu = tree.cpu()
        tree.close()
    usage.cpu, usage.cpu_from = (reaped_cpu, "wait4") if cpu is None else (cpu, "cgroup")
    usage.sampler_cpu = time.process_time() - own
    usage.others_cpu = max(0.0, machine_cpu() - busy - usage.cpu - usage.sampler_cpu)
    return usage


def measure_apart(command: list[str], env: dict[str, str], log: Path, pinned: float = 0) -> Usage:
    """The same in a process of its own."""
    result = log.with_suffix(".usage")
    helper = subprocess.Popen([sys.executable, __file__, str(result), str(log), str(pinned), *command], env=env)
    try:
        helper.wait()
    finally:
        if helper.poll() is None:
            helper.terminate()  # it ends its tree first
            helper.wait()
    return Usage(**json.loads(result.read_text()))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    found = measure(sys.argv[4:], dict(os.environ), Path(sys.argv[2]), float(sys.argv[3]))
    Path(sys.argv[1]).write_text(json.dumps(asdict(found)))
