#!/usr/bin/env python3
"""The cache of compiled modules: damaged, planted, full, read-only, absent."""
import json
import os
import shutil

from tap import Suite, check, clean_error, contains, equal, start_module

suite = Suite()
NOBODY = 65534


def fill(s):
    """An empty cache, then one object in it: (module, the object's file)."""
    shutil.rmtree(s.cache, ignore_errors=True)
    wasm = s.file("prog.wasm", start_module(b"\x41\7\x1a"))
    equal(s.tern("exec", wasm).returncode, 0)
    [entry] = s.cache.glob("*.o")
    return wasm, entry


def still_works(s, wasm, entry, good):
    r = s.tern("exec", wasm)
    equal((r.returncode, r.stderr), (0, ""))
    equal(entry.read_bytes(), good, "the entry was built again")


@suite.case
def an_object_is_kept_and_used(s):
    shutil.rmtree(s.cache, ignore_errors=True)
    (s.dir / "gate").mkdir()
    gate = s.file("gate/open", "")
    cc = s.file("gate/cc", f"#!/bin/sh\n[ -e '{gate}' ] && exec /usr/bin/cc \"$@\"\nexit 1\n")
    cc.chmod(0o755)
    wasm = s.program("talk.c")
    equal(s.tern("exec", wasm, env=s.env(TERN_CC=cc)).returncode, 0)
    [entry] = s.cache.glob("*.o")
    gate.unlink()  # from here on the compiler cannot even say its version
    equal(s.tern("exec", wasm, env=s.env(TERN_CC=cc)).stdout, "hello\n")
    equal(oct(s.cache.stat().st_mode & 0o777), oct(0o700))
    equal(oct(entry.stat().st_mode & 0o777), oct(0o600))


@suite.case
def a_changed_bit_anywhere_is_noticed(s):
    wasm, entry = fill(s)
    good = entry.read_bytes()
    places = [0, 1, len(good) // 3, len(good) // 2, len(good) - 100, len(good) - 60,
              len(good) - 20, len(good) - 1]
    for at in places:
        bad = bytearray(good)
        bad[at] ^= 4
        entry.write_bytes(bad)
        still_works(s, wasm, entry, good)


@suite.case
def torn_and_padded_entries_are_noticed(s):
    wasm, entry = fill(s)
    good = entry.read_bytes()
    for bad in (b"", good[:1], good[:87], good[:88], good[:-1], good[:len(good) // 2], good + b"x",
                b"\0" * len(good)):
        entry.write_bytes(bad)
        still_works(s, wasm, entry, good)


@suite.case
def an_entry_for_another_module_is_noticed(s):
    wasm, entry = fill(s)
    good = entry.read_bytes()
    other = s.file("other.wasm", start_module(b"\x41\x08\x1a"))
    equal(s.tern("exec", other).returncode, 0)
    [other_entry] = set(s.cache.glob("*.o")) - {entry}
    entry.write_bytes(other_entry.read_bytes())
    still_works(s, wasm, entry, good)


@suite.case
def planted_entries_are_refused(s):
    wasm, entry = fill(s)
    good = entry.read_bytes()
    elsewhere = s.file("elsewhere.o", good)

    entry.unlink()
    entry.symlink_to(elsewhere)
    r = s.tern("exec", wasm)
    equal(r.returncode, 125, "a symbolic link")
    clean_error(r, "planted")

    entry.unlink()
    os.mkfifo(entry)
    r = s.tern("exec", wasm)
    equal(r.returncode, 125, "a FIFO")
    clean_error(r, "planted")

    entry.unlink()
    entry.write_bytes(good)
    entry.chmod(0o666)
    r = s.tern("exec", wasm)
    equal(r.returncode, 125, "writable by all")
    clean_error(r, "planted")

    entry.chmod(0o600)
    still_works(s, wasm, entry, good)
    if os.geteuid() == 0:
        os.chown(entry, NOBODY, NOBODY)
        r = s.tern("exec", wasm)
        equal(r.returncode, 125, "somebody else's")
        clean_error(r, "planted")


@suite.case
def a_directory_that_others_can_write_is_refused(s):
    wasm, _ = fill(s)
    for mode in (0o770, 0o707, 0o777, 0o1777):
        s.cache.chmod(mode)
        r = s.tern("exec", wasm)
        equal(r.returncode, 125, oct(mode))
        clean_error(r, str(s.cache), "chmod")
    s.cache.chmod(0o755)
    equal(s.tern("exec", wasm).returncode, 0, "others may look")


@suite.case
def a_directory_of_another_user_is_refused(s):
    if os.geteuid() != 0:
        return "needs root to give a directory away"
    wasm, _ = fill(s)
    os.chown(s.cache, NOBODY, NOBODY)
    r = s.tern("exec", wasm)
    equal(r.returncode, 125)
    clean_error(r, "another user", "TERN_CACHE_DIR")
    return None


@suite.case
def a_link_to_a_directory_is_refused(s):
    wasm, _ = fill(s)
    link = s.dir / "link"
    link.symlink_to(s.cache)
    r = s.tern("exec", wasm, env=s.env(TERN_CACHE_DIR=link))
    equal(r.returncode, 125)
    clean_error(r, "symbolic link")


@suite.case
def without_a_cache_it_runs_and_says_so_once(s):
    wasm, _ = fill(s)
    for place in (s.file("a-file", "") / "below", "/proc/nothing/here"):
        r = s.tern("exec", wasm, env=s.env(TERN_CACHE_DIR=place))
        equal(r.returncode, 0)
        clean_error(r, "without keeping")
        equal(len(r.stderr.splitlines()), 1)


@suite.case
def the_place_follows_the_rules(s):
    wasm, _ = fill(s)
    env = s.env(XDG_CACHE_HOME=s.dir / "xdg", HOME=s.dir / "home")
    del env["TERN_CACHE_DIR"]
    equal(s.tern("exec", wasm, env=env).returncode, 0)
    check(list((s.dir / "xdg/tern").glob("*.o")), "in XDG_CACHE_HOME")
    del env["XDG_CACHE_HOME"]
    equal(s.tern("exec", wasm, env=env).returncode, 0)
    check(list((s.dir / "home/.cache/tern").glob("*.o")), "in HOME")


@suite.case
def what_is_there_can_be_seen(s):
    _, entry = fill(s)
    seen = json.loads(s.tern("cache", "show", "--json").stdout)
    equal(seen["directory"], str(s.cache))
    equal([(o["key"], o["size_bytes"]) for o in seen["objects"]],
          [(entry.stem, entry.stat().st_size)])
    contains(s.tern("cache").stdout, entry.stem[:16])


@suite.case
def pruning_removes_what_was_not_used_longest(s):
    fill(s)
    modules = []
    for i in range(4):
        wasm = s.file(f"p{i}.wasm", start_module(b"\x41" + bytes([16 + i]) + b"\x1a"))
        before = set(s.cache.glob("*.o"))
        equal(s.tern("exec", wasm).returncode, 0)
        [entry] = set(s.cache.glob("*.o")) - before
        os.utime(entry, ns=(i * 10**9, i * 10**9))
        modules.append((wasm, entry))
    equal(s.tern("exec", modules[0][0]).returncode, 0)  # a use makes the oldest the youngest
    keep = modules[0][1].stat().st_size + 1
    r = s.tern("cache", "prune", "--max-size", keep)
    contains(r.stdout, "removed 4 of 5")
    equal(list(s.cache.glob("*.o")), [modules[0][1]])
    contains(s.tern("cache", "prune", "--all").stdout, "removed 1 of 1")
    equal(list(s.cache.glob("*.o")), [])


@suite.case
def pruning_removes_remains_of_dead_writers(s):
    _, entry = fill(s)
    old, new = s.cache / f"{entry.name}.tmp-1-0", s.cache / f"{entry.name}.tmp-2-0"
    stranger = s.cache / "notes.txt"
    for f in (old, new, stranger):
        f.write_bytes(b"x")
    os.utime(old, (1, 1))
    os.utime(stranger, (1, 1))
    equal(s.tern("cache", "prune").returncode, 0)
    equal((old.exists(), new.exists(), stranger.exists()), (False, True, True))


suite.run()
