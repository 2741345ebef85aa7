"""Paths that somebody else changes while they are being looked up. (What stands still: tests/wasi.)"""
import ctypes
import os
import shutil
import subprocess
import threading

from shared import HERE, RUNNER, check, equal

AT_FDCWD, EXCHANGE = -100, 2
ROUNDS = 3000
OUTSIDE = "OUTSIDE" + "." * 93
ATTEMPTS = 20

libc = ctypes.CDLL(None, use_errno=True)


def exchange(a, b):
    if libc.renameat2(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), EXCHANGE) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def make_world(folder):
    """data is lent; beside it lies what must stay as it is."""
    shutil.rmtree(folder, ignore_errors=True)
    data, outside = folder / "data", folder / "outside"
    (data / "swap").mkdir(parents=True)
    (data / "swap" / "secret").write_text("inside")
    (data / "file").write_text("inside")
    (data / "secret").write_text("inside")
    (data / "deep" / "er").mkdir(parents=True)
    (data / "mine").write_text("")
    (data / "other").symlink_to("../outside")
    (data / "other_file").symlink_to(outside / "secret")
    (outside / "deep" / "er").mkdir(parents=True)
    (outside / "secret").write_text(OUTSIDE)
    (outside / "secret.copy").write_text(OUTSIDE)
    (folder / "secret").write_text(OUTSIDE)
    return data


def listing(folder):
    """All that is outside of data; deep may be either one."""
    return sorted(str(p.relative_to(folder)) for p in [folder, *folder.rglob("*")]
                  if "data" not in p.relative_to(folder).parts and "er" != p.name)


class Changes:
    """Exchanges directory and link, for as long as it lasts."""

    def __init__(self, folder):
        self.pairs = [(folder / "data" / "swap", folder / "data" / "other"),
                      (folder / "data" / "file", folder / "data" / "other_file"),
                      (folder / "data" / "deep", folder / "outside" / "deep")]
        self.over = False
        self.count = 0
        self.thread = threading.Thread(target=self.go)

    def go(self):
        while not self.over:
            for a, b in self.pairs:
                exchange(a, b)
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def natively(s, folder):
    """Until the native program has been outside: it must be possible."""
    native = s.dir / "race"
    subprocess.run(["gcc", "-O1", "-w", HERE / "race.c", "-o", native], check=True)
    for _ in range(ATTEMPTS):
        data = make_world(folder)
        with Changes(folder):
            if subprocess.run([native, data, str(ROUNDS)], capture_output=True).returncode == 1:
                return
    check(False, "the native program gets outside, or this test shows nothing")


def races(s):
    module = s.dir / "race.wasm"
    made = s.tern("cc", HERE / "race.c", "-o", module)
    check(made.returncode == 0, "tern cc", made.stderr)
    folder = s.dir / "races"
    natively(s, folder)
    for runner in (RUNNER, RUNNER + " --walk-paths"):
        data = make_world(folder)
        before = listing(folder)
        with Changes(folder) as changes:
            r = s.exec(module, "/data", str(ROUNDS), options=("--dir", f"{data}::/data"),
                       TERN_RUNNER=runner)
        equal((r.returncode, r.stderr), (0, ""), f"race under {runner}: {r.stdout}")
        check(changes.count > 0, "changes were made", changes.count)
        equal(listing(folder), before, "what lies outside")
        equal((folder / "secret").read_text(), OUTSIDE, "the secret")


def register(s):
    s.case(races)
