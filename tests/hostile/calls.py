"""Host calls with any arguments: pointers, sizes, descriptors, flags at random and at the edges.

Whatever a program asks for, the runner answers with an error number or does it, inside the
directory that was lent; it never breaks, and nothing beside the directory changes.
"""
import pathlib
import random
import re

from shared import EXIT_OUTPUT, HERE, RUNNER, check, equal, leave
import wasm
from wasm import call, i32, i64

CALLS_H = HERE.parent.parent / "src" / "wire" / "calls.h"
LEFT_OUT = {"proc_exit", "proc_raise", "poll_oneoff"}  # they end it, or may wait for ever
CALLS_EACH_RUN = 3000
PATHS = [b"a", b".", b"..", b"../outside", b"sub", b"sub/a", b"sub/../..", b"/etc/passwd", b"",
         b"link", b"link/secret", b"a/", b"sub/b\0c", b"\xff\xfe", b"x" * 300, b"sub/" * 100,
         b"/", b"//", b"./../data/a", b"new"]
PATHS_AT, VECTORS_AT = 1024, 512
EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 16, 255, 4096, 65532, 65535, 65536, 0x7fffffff, 0x80000000,
         0xfffffff8, 0xfffffffe, 0xffffffff]
LONG_EDGES = EDGES + [1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def signatures():
    rows = re.findall(r'CALL\(\d+, (\w+), "(\w*)>(\w?)"\)', CALLS_H.read_text())
    return [row for row in rows if row[0] not in LEFT_OUT]


class Places:
    """Where in memory the paths and vectors lie."""

    def __init__(self, m):
        self.paths = []
        at = PATHS_AT
        for path in PATHS:
            m.data(i32(at), path or b"\0")
            self.paths.append((at, len(path)))
            at += len(path) + 1
        vectors = [(8192, 100), (0, 0), (65535, 1), (65535, 2), (0xffffffff, 0xffffffff),
                   (8192, 0xffffffff), (1024, 64000)]
        m.data(i32(VECTORS_AT), b"".join(a.to_bytes(4, "little") + n.to_bytes(4, "little")
                                         for a, n in vectors))


# What a sensible program would pass: F descriptor, D directory, X place for a result, n small
# number, I number of 64 bits, R rights, and with two parameters P path, B buffer, V vectors.
SHAPES = {
    "args_get": "XX", "args_sizes_get": "XX", "environ_get": "XX", "environ_sizes_get": "XX",
    "clock_res_get": "nX", "clock_time_get": "nIX", "fd_advise": "FIIn", "fd_allocate": "FII",
    "fd_close": "F", "fd_datasync": "F", "fd_fdstat_get": "FX", "fd_fdstat_set_flags": "Fn",
    "fd_fdstat_set_rights": "FRR", "fd_filestat_get": "FX", "fd_filestat_set_size": "FI",
    "fd_filestat_set_times": "FIIn", "fd_pread": "FVIX", "fd_prestat_get": "FX",
    "fd_prestat_dir_name": "FB", "fd_pwrite": "FVIX", "fd_read": "FVX", "fd_readdir": "FBIX",
    "fd_renumber": "FF", "fd_seek": "FInX", "fd_sync": "F", "fd_tell": "FX", "fd_write": "FVX",
    "path_create_directory": "DP", "path_filestat_get": "DnPX",
    "path_filestat_set_times": "DnPIIn", "path_link": "DnPDP", "path_open": "DnPnRRnX",
    "path_readlink": "DPBX", "path_remove_directory": "DP", "path_rename": "DPDP",
    "path_symlink": "PDP", "path_unlink_file": "DP", "sched_yield": "", "random_get": "B",
    "sock_accept": "FnX", "sock_recv": "FVnXX", "sock_send": "FVnX", "sock_shutdown": "Fn",
}


def sensible(rng, kind, places):
    if kind == "P":
        return rng.choice(places.paths)
    if kind == "V":
        return VECTORS_AT + 8 * rng.randrange(7), rng.randint(0, 3)
    if kind == "B":
        return 20000, rng.choice([0, 1, 100, 5000])
    return (rng.choice({"F": range(9), "D": [3, 3, 3, 3, 4, 5, 6], "X": range(30000, 30008),
                        "n": [0, 0, 1, 1, 2, 4, 5, 8, 9], "I": [0, 0, 1, 2, 100, 5000],
                        "R": [0, 2, 64, 66, (1 << 29) - 1, (1 << 64) - 1]}[kind]),)


def arguments(rng, name, params, places):
    values = [v for kind in SHAPES[name] for v in sensible(rng, kind, places)]
    while rng.random() < 0.3 and values:
        k = rng.randrange(len(values))
        values[k] = rng.choice(EDGES if params[k] == "i" else LONG_EDGES)
    if name in ("fd_close", "fd_renumber") and values[0] == 3:
        values[0] = 4  # else there would soon be nothing left to try
    if name == "fd_renumber" and values[1] == 3:
        values[1] = 5
    return b"".join(i32(v) if letter == "i" else i64(v) for letter, v in zip(params, values))


def random_calls(seed):
    rng = random.Random(seed)
    m = wasm.Module()
    m.wasi("proc_exit", "i", "")
    known = [(name, params, result, m.wasi(name, params, result))
             for name, params, result in signatures()]
    m.set_memory(1, 1)
    places = Places(m)
    code = []
    for _ in range(CALLS_EACH_RUN):
        name, params, result, index = rng.choice(known)
        code.append(arguments(rng, name, params, places) + call(index) +
                    (wasm.DROP if result else b""))
    m.func(b"".join(code) + leave(i32(0)), export="_start")
    return m


def make_world(folder):
    data = folder / "data"
    (data / "sub").mkdir(parents=True)
    (folder / "outside").mkdir()
    (folder / "outside" / "secret").write_text("secret")
    (data / "a").write_text("text")
    (data / "sub" / "a").write_text("text")
    (data / "link").symlink_to("../outside")
    return data


def beside(folder):
    seen = []
    for path in [folder / "outside", folder / "outside" / "secret"]:
        st = path.lstat()
        seen.append((path.name, st.st_mode, st.st_mtime_ns, st.st_size))
    return seen, sorted(p.name for p in folder.iterdir())


def any_arguments(s):
    for seed in range(40 if s.all else 4):
        path = s.write(random_calls(seed))
        for way in ("", " --walk-paths"):
            folder = pathlib.Path(s.dir) / f"calls-{seed}{way.strip()}"
            data = make_world(folder)
            before = beside(folder)
            r = s.exec(path, flags="-O0", options=("--output", "10M", "--dir", f"{data}::/data"),
                       TERN_RUNNER=RUNNER + way)
            check(r.returncode in (0, EXIT_OUTPUT), f"seed {seed}{way} ends orderly",
                  (r.returncode, r.stderr[-500:]))
            equal(beside(folder), before, f"seed {seed}{way}: what lies beside")
            size = sum(p.lstat().st_blocks * 512 for p in data.rglob("*"))
            check(size < 64 << 20, "room taken on the disk", size)


def polls_of_many(s):
    """More subscriptions than there is memory for."""
    for count in (0, 0x10000000, 0xffffffff, 1366):
        m = wasm.Module()
        m.wasi("proc_exit", "i", "")
        poll = m.wasi("poll_oneoff", "iiii")
        m.set_memory(1, 1)
        m.func(leave(i32(0) + i32(0) + i32(count) + i32(65528) + call(poll)), export="_start")
        r = s.exec(m)
        check(0 < r.returncode < 77 and not r.stderr, f"{count} subscriptions: an error number", r)


def register(s):
    s.case(any_arguments)
    s.case(polls_of_many)
