"""The single stages of a capture, each alone. As a program, `stages.py hash|frames FILE [OUT]`, it is one of them."""
from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

REGION = 4 << 20
THREADS = 2


def pack(image: Path, out: Path) -> None:
    """The regions of an image that aren't all zeros, one after the other."""
    zeros = bytes(REGION)
    with image.open("rb", buffering=0) as source, out.open("wb", buffering=0) as target:
        at, end = 0, image.stat().st_size
        while at < end:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA) // REGION * REGION
            except OSError:
                return
            data = os.pread(source.fileno(), REGION, at)
            if data != zeros[:len(data)]:
                target.write(data)
            at += REGION


def in_threads(path: Path, work) -> None:
    """Each region of a file once: work(bytes, index, slot)."""
    count = -(-path.stat().st_size // REGION)
    with path.open("rb") as file:
        def run(slot: int) -> None:
            for index in range(slot, count, THREADS):
                work(os.pread(file.fileno(), REGION, index * REGION), index, slot)

        threads = [threading.Thread(target=run, args=(slot,)) for slot in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def frames(path: Path, out: Path) -> None:
    """zstd -1, each region by itself."""
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_createCCtx.restype = ctypes.c_void_p
    zstd.ZSTD_compressCCtx.restype = zstd.ZSTD_compressBound.restype = ctypes.c_size_t
    bound = zstd.ZSTD_compressBound(ctypes.c_size_t(REGION))
    contexts = [ctypes.c_void_p(zstd.ZSTD_createCCtx()) for _ in range(THREADS)]
    buffers = [ctypes.create_string_buffer(bound) for _ in range(THREADS)]
    sizes = [0] * THREADS

    def one(data: bytes, _index: int, slot: int) -> None:
        sizes[slot] += zstd.ZSTD_compressCCtx(contexts[slot], buffers[slot], ctypes.c_size_t(bound), data,
                                              ctypes.c_size_t(len(data)), 1)

    in_threads(path, one)
    out.write_text(str(sum(sizes)))


@contextmanager
def served(image: Path, socket: Path) -> Iterator[str]:
    """As rehost has an image served to itself."""
    server = subprocess.Popen(
        ["qemu-nbd", "--read-only", "--persistent", f"--shared={THREADS + 1}", "--format=raw", "--cache=writeback",
         "--aio=threads", f"--socket={socket}", str(image)], stdin=subprocess.DEVNULL)
    try:
        while not socket.exists():
            if server.poll() is not None:
                raise RuntimeError(f"qemu-nbd ended with {server.returncode}")
            time.sleep(0.02)
        yield f"nbd+unix:///?socket={socket}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        socket.unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.argv[1] == "hash":
        in_threads(Path(sys.argv[2]), lambda data, _index, _slot: hashlib.sha256(data).digest())
    else:
        frames(Path(sys.argv[2]), Path(sys.argv[3]))
