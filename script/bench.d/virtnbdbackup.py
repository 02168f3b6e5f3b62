"""Runs virtnbdbackup (its path and arguments follow) over libvirt's embedded driver, which asks two things of it: an
event loop, and scratch files that are there already."""
import re
import runpy
import subprocess
import sys
import threading

import libvirt

begin = libvirt.virDomain.backupBegin


def events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def prepared(domain: libvirt.virDomain, backup: str, checkpoint: str | None = None, flags: int = 0) -> int:
    for disk, scratch in re.findall(r'<disk name="(\w+)".*?<scratch file="([^"]+)"', backup, re.DOTALL):
        size = str(domain.blockInfo(disk)[0])
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", scratch, size], check=True)
    return begin(domain, backup, checkpoint, flags | libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)


if __name__ == "__main__":
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=events, daemon=True).start()
    libvirt.virDomain.backupBegin = prepared
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
