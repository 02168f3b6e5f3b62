"""A disk file into fresh stores and out again: rehost, restic and borg in turn, and the single stages of a capture."""
from __future__ import annotations

import filecmp
import shlex
from pathlib import Path

import rehost
from peers import NOTES, Peer, peers
from scene import Failed, Scene, discard, in_turn, size, warm
from stages import THREADS, pack, served

CAPTURE, STAGES, AGAIN, RESTORE = "full capture", "single stages", "nothing changed, all read", "restore to raw"
PLAIN, ENCRYPTED = "rehost", "rehost --store-key"
ZSTD = f"compression: zstd -1 -T{THREADS}"


def run(scene: Scene, image: Path) -> None:
    """
    - image: raw
    """
    packed = scene.folder / "packed"
    pack(image, packed)
    key = scene.folder / "key"
    key.write_bytes(bytes(range(32)))
    scene.notes += [
        f"image: {image.stat().st_size >> 20} MiB, {image.stat().st_blocks * 512 >> 20} MiB of it allocated, "
        f"{packed.stat().st_size >> 20} MiB in regions that aren't all zeros; all reads are from the page cache", NOTES]
    for number in range(1, scene.rounds + 1):
        one_round(scene, image, packed, key, number)
    packed.unlink()
    set_goals(scene)


def one_round(scene: Scene, image: Path, packed: Path, key: Path, number: int) -> None:
    folder = scene.folder / f"round-{number}"
    folder.mkdir()
    stores = {PLAIN: folder / "store", ENCRYPTED: folder / "store-encrypted"}
    keys = {PLAIN: [], ENCRYPTED: ["--store-key", str(key)]}
    others = peers(image, folder)
    warm(image)
    warm(packed)

    def capture_by_rehost(name: str, part: str) -> None:
        sample = rehost.capture(scene, part, name, number, str(image), stores[name], *keys[name])
        sample.figures["stored"] = size(stores[name])

    def capture_by(peer: Peer) -> None:
        peer.begin(scene)
        before = size(peer.repository)
        sample = scene.run(CAPTURE, peer.name, number, peer.backup)
        sample.figures["stored"] = size(peer.repository) - before

    tools = [lambda: capture_by_rehost(PLAIN, CAPTURE), lambda: capture_by_rehost(ENCRYPTED, CAPTURE),
             lambda: stages(scene, image, packed, number), *(lambda peer=peer: capture_by(peer) for peer in others)]
    for tool in in_turn(tools, number):
        tool()

    capture_by_rehost(PLAIN, AGAIN)
    for peer in others[:2]:
        scene.run(AGAIN, peer.name, number, peer.again)

    out = folder / "out"
    restores: list[tuple[str, list[str]]] = []
    for name in (PLAIN, ENCRYPTED):
        restores.append((name, [str(scene.binary), "restore", str(stores[name]), "image", "--output",
                                str(out / "restored"), "--output-format", "raw", "--quiet", *keys[name]]))
    for peer in others:
        for name, line in peer.restores.items():
            line = f"{line.format(out=shlex.quote(str(out)))} && sync {shlex.quote(str(out / 'restored'))}"
            restores.append((name, ["sh", "-c", line]))
    for name, command in in_turn(restores, number):
        restore(scene, name, number, command, out, image)
    discard(folder)


def stages(scene: Scene, image: Path, packed: Path, number: int) -> None:
    program = ["/usr/bin/env", "python3", str(Path(__file__).with_name("stages.py"))]
    compressed = scene.folder / "packed.zst"
    with served(image, scene.folder / "stage.sock") as uri:
        scene.run(STAGES, "reading: nbdcopy to null:", number, ["nbdcopy", f"--connections={THREADS}", uri, "null:"])
    scene.run(STAGES, f"hashing: SHA-256, {THREADS} threads", number, [*program, "hash", str(packed)])
    sample = scene.run(STAGES, ZSTD, number,
                       ["zstd", "-q", "-f", "-1", f"-T{THREADS}", str(packed), "-o", str(compressed)])
    sample.figures["stored"] = compressed.stat().st_size
    sample = scene.run(STAGES, f"(zstd -1, 4 MiB frames, {THREADS} threads)", number,
                       [*program, "frames", str(packed), str(scene.folder / "frames")])
    sample.figures["stored"] = int((scene.folder / "frames").read_text())
    written = scene.folder / "written"
    scene.run(STAGES, "writing: dd conv=fdatasync", number,
              ["dd", f"if={compressed}", f"of={written}", "bs=4M", "conv=fdatasync", "status=none"])
    written.unlink()
    compressed.unlink()


def restore(scene: Scene, name: str, number: int, command: list[str], out: Path, image: Path) -> None:
    out.mkdir()
    scene.run(RESTORE, name, number, command)
    if number == 1 and not filecmp.cmp(out / "restored", image, shallow=False):
        raise Failed(f"what {name} has restored is not what was captured: {shlex.join(command)}")
    discard(out)


def set_goals(scene: Scene) -> None:
    def cpu(name: str) -> list[float]:
        return [sample.usage.cpu for sample in scene.of(CAPTURE, name)]

    for peer in dict.fromkeys(sample.what for sample in scene.samples if sample.part == CAPTURE):
        if peer in (PLAIN, ENCRYPTED):
            continue
        ours = ENCRYPTED if peer == "restic" else PLAIN
        scene.goal(f"full capture, wall: {peer} / {ours}",
                   scene.walls(CAPTURE, peer), scene.walls(CAPTURE, ours), 1.5, True)
        scene.goal(f"full capture, CPU: {ours} / {peer}", cpu(ours), cpu(peer), 1.0, False)
    names = [name for name in dict.fromkeys(s.what for s in scene.samples if s.part == STAGES) if name[0] != "("]
    slowest = [max(walls) for walls in zip(*(scene.walls(STAGES, name) for name in names))]
    scene.goal("full capture / its slowest single stage", scene.walls(CAPTURE, PLAIN), slowest, 1.5, False)
    for name in ("restic restore", "restic dump"):
        scene.goal(f"restore: {name} / {ENCRYPTED}",
                   scene.walls(RESTORE, name), scene.walls(RESTORE, ENCRYPTED), 1.5, True)
