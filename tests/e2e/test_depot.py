#!/usr/bin/env python3
"""tern depot as a daemon: what it keeps through kill -9, full, in memory; what it says when wrong."""
import os
import pathlib
import random
import signal

from pool import Pool
from tap import Suite, check, clean_error, contains, equal

suite = Suite()


def some(size, seed):
    return random.Random(seed).randbytes(size)


def put(pool, name, data):
    path = pool.dir / "in"
    path.write_bytes(data)
    return pool.tern("put", name, path)


def got(pool, name):
    out = pool.dir / "out"
    out.unlink(missing_ok=True)
    r = pool.tern("get", name, out)
    check(r.returncode == 0, f"tern get {name}", r)
    return out.read_bytes()


@suite.case
def a_clean_end_and_a_start_again(s):
    with Pool(s, depots=1, nodes=0) as pool:
        contains(pool.parts["d1"].ready, "ready: depot d1 at unix:")
        data = some(3_500_000, 1)
        r = put(pool, "it", data)
        check(r.returncode == 0, "tern put", r)
        key = (pool.dir / "d1" / "key").read_bytes()
        equal(len(key), 32)
        for number in (signal.SIGTERM, signal.SIGINT):
            equal(pool.parts["d1"].kill(number), 0, "exit code")
            pool.depot("d1")
            check(got(pool, "it") == data, "the same bytes")
        equal((pool.dir / "d1" / "key").read_bytes(), key, "its key")


@suite.case
def what_was_put_survives_kill_9(s):
    with Pool(s, depots=1, nodes=0) as pool:
        kept = {}
        for n in range(5):
            kept[f"n{n}"] = some(200_000 + 900_000 * (n % 2), n)
            r = put(pool, f"n{n}", kept[f"n{n}"])
            check(r.returncode == 0, "tern put", r)
            pool.parts["d1"].kill()
            pool.depot("d1")
            for name, data in kept.items():
                check(got(pool, name) == data, f"{name} is as it was")


@suite.case
def one_of_two_is_enough(s):
    with Pool(s, depots=2, nodes=0) as pool:
        data = some(2_000_000, 7)
        r = put(pool, "it", data)
        check(r.returncode == 0, "tern put", r)
        for name in ("d1", "d2"):
            pool.parts[name].kill()
            check(got(pool, "it") == data, f"without {name}")
            pool.depot(name)
            check(got(pool, "it") == data, f"with {name} again")


@suite.case
def memory_goes_with_it(s):
    def left():
        return {p.name for p in pathlib.Path("/dev/shm").glob(f"tern-depot-{os.geteuid()}-*")}

    with Pool(s, depots=0, nodes=0) as pool:
        def start():
            return pool.start("m", "depot", "--agent", pool.at, "--name", "m", "--memory", "64M")

        before = left()
        part = start()
        mine = left() - before
        equal(len(mine), 1, "its directory")
        equal(part.kill(signal.SIGTERM), 0)
        check(not mine & left(), "it is gone")
        part = start()
        mine = left() - before
        part.kill()
        part = start()
        check(not mine & left(), "what a killed one left is gone")
        equal(part.kill(signal.SIGTERM), 0)


@suite.case
def a_full_one_says_so(s):
    with Pool(s, depots=0, nodes=0) as pool:
        pool.depot("d1", "--space", "8M")
        r = put(pool, "small", some(1_000_000, 1))
        check(r.returncode == 0, "tern put", r)
        r = put(pool, "large", some(20_000_000, 2))
        check(r.returncode != 0, "a refusal", r)
        clean_error(r)
        check(got(pool, "small") == some(1_000_000, 1), "what was there is still there")
        total = sum(p.stat().st_size for p in (pool.dir / "d1").rglob("pack-*"))
        check(total <= 8 << 20, "it keeps to its space", total)


@suite.case
def damage_is_mended_from_the_other_copy(s):
    with Pool(s, depots=2, nodes=0) as pool:
        data = some(3_000_000, 9)
        r = put(pool, "it", data)
        check(r.returncode == 0, "tern put", r)
        pack, = (pool.dir / "d1").rglob("pack-*")
        pool.parts["d1"].kill(signal.SIGTERM)
        with open(pack, "r+b") as f:
            f.seek(1_500_000)
            f.write(b"damage")
        pool.depot("d1")
        check(got(pool, "it") == data, "the right bytes, from wherever")


@suite.case
def bad_calls(s):
    env = s.env(XDG_RUNTIME_DIR=s.dir, XDG_STATE_HOME=s.dir / "state")
    for words, code, part in [
            (["--memory", "1"], 2, "--memory '1' is not a size"),
            (["--memory", "64M", "--dir", "x"], 2, "exclude each other"),
            (["--memory", "64M", "--space", "1G"], 2, "--space is for a depot on a disk"),
            (["--name", "a b"], 2, "is no name"),
            (["--agent", "unix:/x", "--dir", "/proc/none/x"], 1, "/proc/none"),
            (["--agent", "example.org", "--memory", "8M"], 2, "pin"),
            (["--agent", "tcp:h:1#" + 64 * "0", "--memory", "8M"], 2, "token"),
            (["--agent", "tcp:h:1#12", "--memory", "8M"], 2, "is no endpoint"),
            (["extra"], 2, "one argument too many")]:
        r = s.tern("depot", *words, env=env)
        equal(r.returncode, code, f"exit code of {words}")
        clean_error(r, part)


@suite.case
def a_directory_has_one_depot(s):
    with Pool(s, depots=1, nodes=0) as pool:
        r = pool.tern("depot", "--agent", pool.at, "--dir", pool.dir / "d1", "--name", "other")
        equal(r.returncode, 1)
        clean_error(r, "in use by another process")


if __name__ == "__main__":
    suite.run()
