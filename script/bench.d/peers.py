"""Backup programs that are asked to do the same: restic, and borg in four settings."""
from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scene import Scene


@dataclass
class Peer:
    """Commands for one file, into and out of a repository of its own."""
    name: str
    repository: Path
    init: list[str]
    backup: list[str]
    again: list[str]  # all of it is read, as though it might have changed
    restores: dict[str, str]  # by what they are called: a shell's line, which leaves the file at {out}/restored

    def begin(self, scene: Scene) -> None:
        """Not measured."""
        subprocess.run(self.init, env=scene.environment(), check=True, stdin=subprocess.DEVNULL, capture_output=True)


def restic(image: Path, repository: Path) -> Peer:
    base = ["restic", "-q", "-r", str(repository)]
    line = shlex.join(base)
    return Peer(
        "restic", repository, [*base, "init"], [*base, "backup", str(image)],
        [*base, "backup", "--force", str(image)],
        {"restic restore": f"{line} restore latest --target {{out}}/tree && mv {{out}}/tree{image} {{out}}/restored",
         "restic dump": f"{line} dump latest {image} > {{out}}/restored"})


def borg(name: str, image: Path, repository: Path, options: list[str], restore: bool) -> Peer:
    create = ["borg", "create", *options]
    extract = f"cd {{out}} && borg extract --sparse {repository}::a && mv {{out}}{image} {{out}}/restored"
    return Peer(
        name, repository, ["borg", "init", "--encryption=none", str(repository)],
        [*create, f"{repository}::a", str(image)],
        [*create, "--files-cache=disabled", f"{repository}::b", str(image)],
        {"borg extract --sparse": extract} if restore else {})


def peers(image: Path, folder: Path) -> list[Peer]:
    fixed = ["--chunker-params=fixed,4194304", "--sparse"]
    return [
        restic(image, folder / "restic"),
        borg("borg lz4", image, folder / "borg-lz4", ["--compression=lz4"], True),
        borg("borg zstd,1", image, folder / "borg-zstd", ["--compression=zstd,1"], False),
        borg("borg lz4, fixed", image, folder / "borg-lz4-fixed", ["--compression=lz4", *fixed], False),
        borg("borg zstd,1, fixed", image, folder / "borg-zstd-fixed", ["--compression=zstd,1", *fixed], False)]


NOTES = """\
restic at its defaults: it always encrypts, compresses ("auto"), cuts by content, reads holes, too. borg with
--encryption=none: at its default (cut by content, lz4), with zstd,1, and both "fixed", as its manual advises for disks
(--chunker-params=fixed,4194304 --sparse: no search for cuts, holes left out). rehost: regions of 4 MiB, zstd -1, holes
left out; with --store-key it encrypts, as restic does. So the encrypted one is held against restic, the other one
against borg. lz4 is another bargain than zstd: look at what is stored. 'init' of restic and borg isn't measured, rehost
makes its store in the capture. All have what they stored on the disk when they end. What content-cut pieces would
save in later backups isn't seen here. After every restore comes a sync of the file, in the figure; restic 0.14 can't
write holes."""
