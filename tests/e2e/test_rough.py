#!/usr/bin/env python3
"""A rough world: low limits, no /proc, odd names, full and foreign directories, forged archives."""
import hashlib
import os
import random
import resource
import shutil
import signal
import struct
import subprocess

from lifted import new, random_moments, resume, same, start, whole
from tap import Suite, TERN, check, clean_error, contains, equal

suite = Suite()

WORDS = ["pointers", "300"]
LONG = ["pointers", "40000"]  # so that there is time for checkpoints


def raw(s, *words, **more):
    """What it answers, in bytes."""
    return subprocess.run([TERN, *map(os.fspath, words)], env=s.env(), stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, **more)


def stopped(s, *, options=(), lines=20):
    """A program that was stopped: its state, what it printed, what is still to come."""
    state = new(s)
    out = start(s, state, *WORDS, options=options).lines(lines).stop()
    return state, out, whole(s, *WORDS)[len(out):]


# ---- Limits ----

def limited(s, what, *values, memory="16M"):
    """Each ends well, or with one clear error: no signal, no other output."""
    wanted = whole(s, *LONG).decode()  # it is compiled then
    for value in values:
        state = new(s)
        r = s.tern("exec", "--memory", memory, "--checkpoint", state, "--every", "10ms",
                   s.program("lift.c"), *LONG,
                   preexec_fn=lambda: resource.setrlimit(what, (value, value)))
        if r.returncode == 0:
            equal((r.stdout, r.stderr), (wanted, ""), value)
        else:
            check(r.returncode in (125, 126) and r.stdout == "", f"refused at {value}", r)
            clean_error(r)
        yield value, r


@suite.case
def few_open_files(s):
    for value, r in limited(s, resource.RLIMIT_NOFILE, 4, 10, 14, 30, 79, 80):
        equal(r.returncode, 0 if value >= 80 else 125, value)
        if value < 80:
            clean_error(r, f"no more than {value} files may be open", "ulimit -n")
    r = s.tern("exec", s.program("lift.c"), *WORDS,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10, 1000)))
    equal((r.returncode, r.stderr), (0, ""), "the hard limit allows it")


@suite.case
def small_files_and_little_address_space(s):
    codes = [r.returncode for _, r in limited(s, resource.RLIMIT_FSIZE, 0, 5000, 1 << 20, 1 << 25)]
    check(codes[0] != 0 and codes[-1] == 0, "refused, then not", codes)
    list(limited(s, resource.RLIMIT_AS, *[1 << k for k in range(25, 36, 2)]))
    list(limited(s, resource.RLIMIT_MEMLOCK, 0))


@suite.case
def no_threads(s):
    """A program is not begun that libuv would end at its first checkpoint."""
    place = s.dir / "somebody's"
    place.mkdir()
    somebody = ["setpriv", "--reuid", "64999", "--regid", "64999", "--clear-groups"]
    if os.getuid() == 0:  # whom no such limit holds
        os.chmod(s.dir, 0o755)
        os.chown(place, 64999, 64999)
    if subprocess.run([*somebody, TERN, "--version"], capture_output=True, check=False).returncode:
        return "nobody else can be run as here"
    for most in (1, 2):
        r = subprocess.run([*somebody, "prlimit", f"--nproc={most}", TERN, "exec", "--checkpoint",
                            place / "state", s.program("lift.c"), *WORDS],
                           env=s.env(TERN_CACHE_DIR=place / "cache"), capture_output=True,
                           text=True, check=False)
        equal((r.returncode, r.stdout), (125, ""), r.stderr)
        clean_error(r, "no thread can be made here", "ulimit -u")


def inside(s, *script):
    """Commands in a mount namespace of their own; None: there can be none."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return None
    return subprocess.run(["unshare", "-m", "sh", "-c", "set -e; " + "\n".join(script)],
                          env=s.env(), capture_output=True, text=True, check=False)


@suite.case
def no_proc(s):
    state, _, rest = stopped(s)
    r = inside(s, "mount -t tmpfs none /proc", f"{TERN} resume {state}")
    if r is None:
        return "no mount namespaces here"
    equal((r.returncode, r.stdout), (125, ""), r.stderr)
    clean_error(r, "/proc is not there")
    r = s.tern("resume", state)
    equal((r.returncode, r.stderr), (0, ""))
    same(r.stdout.encode(), rest, "with it again")


# ---- Places ----

@suite.case
def a_full_file_system(s):
    """A checkpoint that does not fit is told, those before stay, and the program goes on."""
    place = s.dir / "small"
    place.mkdir()
    wanted, found = whole(s, *LONG).decode(), set()
    for room in (4096, 16384, 40960, 131072, 1 << 22):
        r = inside(s, f"mount -t tmpfs -o size={room} none {place}",
                   f"{TERN} exec --checkpoint {place}/state --every 10ms {s.program('lift.c')} " +
                   " ".join(LONG) + " || echo refused", f"{TERN} image verify {place}/state")
        if r is None:
            return "no mount namespaces here"
        check(r.stdout.startswith((wanted, "refused")), "all of it, or none", r)
        lines = r.stdout.removeprefix(wanted).splitlines()
        check(all("fine" in line and "not" not in line for line in lines if line != "refused"),
              f"{room} bytes", r.stderr)
        found.add(("No space left on device" in r.stderr, any("fine" in line for line in lines)))
    check({(True, False), (False, True)} <= found, "both ends", found)


@suite.case
def a_directory_that_cannot_be_written(s):
    state, _, _ = stopped(s)
    place = s.dir / "read-only"
    place.mkdir()
    r = inside(s, f"mount --bind {state} {place}; mount -o remount,bind,ro {place}",
               f"{TERN} image verify {place}; {TERN} image export {place} >/dev/null",
               f"{TERN} resume {place}")
    if r is None:
        return "no mount namespaces here"
    contains(r.stdout, "checkpoint 1: fine")
    equal(r.returncode, 126)
    clean_error(r, f"cannot go on from {place}", "Read-only file system")


@suite.case
def pipes_where_files_should_be(s):
    for name in ("index", "index-lock", "pack-1", "input-1"):
        state, _, _ = stopped(s)
        os.remove(state / name)
        os.mkfifo(state / name)
        r = s.tern("resume", state)
        equal((r.returncode, r.stdout), (126, ""), name)
        clean_error(r, str(state))
        s.tern("image", "show", state)


@suite.case
def one_of_several_at_once(s):
    for _ in range(4):
        state, _, rest = stopped(s)
        all_ = [s.start("resume", state, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE) for _ in range(3)]
        ends = [(*p.communicate(), p.returncode) for p in all_]
        check([out for out, _, code in ends if code == 0].count(rest) >= 1, "one goes on", ends)
        for out, said, code in ends:
            if code:
                equal((out, code), (b"", 126), said)
            else:
                check(rest.endswith(out), "from its newest checkpoint", said)


# ---- Names ----

NAMES = [b"new\nline", b"bad\xff\xfeutf8", b"a" * 255, b"\xc3\xa9" * 127, b" ", b"-x", b"%41",
         b"\x01\x1b[31m", b"back\\slash", b'"', b"'", b"...", b"~"]


def odd_folder(s):
    """A folder with all that can be in one."""
    base = os.fsencode(s.dir / "odd")
    os.mkdir(base)
    for name in NAMES:
        with open(base + b"/" + name, "wb") as f:
            f.write(name * 100)
    deep = base
    for _ in range(100):
        deep += b"/" + b"d" * 30
        os.mkdir(deep)
    for link, target in [(b"loop", b"loop"), (b"to", b"fro"), (b"fro", b"to"), (b"up", b".."),
                         (b"out", b"/etc/passwd"), (b"long", b"x" * 4095), (b"bad", b"\xff\n")]:
        os.symlink(target, base + b"/" + link)
    for where in (base + b"/hard", deep + b"/hard"):
        os.link(base + b"/ ", where)
    os.link(base + b"/loop", base + b"/hard loop", follow_symlinks=False)
    with open(base + b"/sparse", "wb") as f:
        f.truncate(1 << 40)
        f.seek(1 << 39)
        f.write(b"mid")
        f.seek((1 << 40) - 1)
        f.write(b"e")
    os.mkfifo(base + b"/fifo")
    os.mkdir(base + b"/empty")
    return base


def contents(base):
    """What is in a folder: by path, what it is and what it has."""
    found = {}
    for top, folders, files in os.walk(base):
        for name in folders + files:
            path = top + b"/" + name
            if os.path.islink(path):
                found[path[len(base):]] = os.readlink(path)
            elif os.path.isdir(path):
                found[path[len(base):]] = "folder"
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    size = os.fstat(f.fileno()).st_size
                    found[path[len(base):]] = (size, f.read(8192),
                                               f.seek(size // 2) and f.read(8192))
    return found


@suite.case
def odd_names_in_its_own_files(s):
    base, out = odd_folder(s), s.dir / "odd out"
    wanted = contents(base)
    state = new(s)
    p = start(s, state, *WORDS, options=["--files", os.fsdecode(base), "--out", f"/={out}"])
    p.lines(20).send(signal.SIGTERM).process.wait()
    equal(p.end()[0], 75)
    for words in (["show"], ["show", "--json"], ["verify"]):
        equal(raw(s, "image", *words, state).returncode, 0, words)
    p = resume(s, state)
    equal(p.end(), (0, ""))
    found = contents(os.fsencode(out))
    equal(sorted(found), sorted(wanted), "names")
    check(found == wanted, "the same in each", [n for n in found if found[n] != wanted[n]])
    check((out / "sparse").stat().st_blocks < 1000, "that holes stay holes")


@suite.case
def odd_names_in_a_directory_lent(s):
    data = s.dir / "odd lent"
    data.mkdir()
    for name in map(os.fsdecode, NAMES):
        (data / name).write_text("".join(f"line {i}\n" for i in range(3000)))
        words = ["read", "0", "/data/" + name]
        state = new(s)
        p = start(s, state, *words, options=["--dir", f"{data}::/data"]).lines(40)
        out = p.stop()
        shutil.copytree(state, s.dir / "kept odd")
        p = resume(s, state)
        equal(p.end(), (0, ""), name)
        r = raw(s, "exec", "--dir", f"{data}::/data", s.program("lift.c"), *words)
        same(out + p.seen, r.stdout, name)
        with open(data / name, "a", encoding="ascii") as f:
            f.write("more\n")
        r = raw(s, "resume", s.dir / "kept odd")
        equal((r.returncode, r.stderr.count(b"\n"), b"\x1b" in r.stderr), (126, 1, False), r)
        contains(r.stderr, b"has been changed since")
        shutil.rmtree(s.dir / "kept odd")


# ---- Archives ----

class Archive:
    """One checkpoint as `tern image export` writes it, in parts."""

    def __init__(self, data):
        self.data, self.chunks = data, []
        at = 8
        while data[at:at + 4] != b"\xff" * 4:
            [size] = struct.unpack_from("<I", data, at)
            self.chunks.append(data[at + 4:at + 4 + size])
            at += 4 + size
        self.root, self.time = data[at + 4:at + 36], data[at + 36:]
        [root] = [c for c in self.chunks if name_of(c) == self.root]
        self.parts, at = [], 8 + 4 * 4
        for count in struct.unpack_from("<4I", root, 8):
            self.parts.append([root[at + 32 * i:at + 32 * i + 32] for i in range(count)])
            at += 32 * count

    def made(self, chunks, root=None):
        return (self.data[:8] + b"".join(struct.pack("<I", len(c)) + c for c in chunks) +
                b"\xff" * 4 + (root or self.root) + self.time)

    def rooted(self, parts, *more):
        """With another root chunk."""
        root = (b"TERNCHK1" + struct.pack("<4I", *map(len, parts)) +
                b"".join(name for part in parts for name in part))
        return self.made([*self.chunks, *more, root], name_of(root))


def name_of(chunk):
    return hashlib.sha256(chunk).digest()


def exported(s):
    state, out, rest = stopped(s)
    return Archive(raw(s, "image", "export", state).stdout), rest


def taken(s, data):
    state = new(s)
    r = subprocess.run([TERN, "image", "import", state], env=s.env(), input=data,
                       capture_output=True, check=False)
    return state, r.returncode, r.stderr.decode()


def not_taken(s, data, what, said=""):
    state, code, why = taken(s, data)
    equal((code, why.count("\n")), (1, 1), (what, why))
    contains(why, said or "archive", what)
    equal([f.name for f in state.iterdir() if f.name.startswith("pack")], [], "no room is taken")
    r = s.tern("resume", state)
    equal(r.returncode, 126)
    clean_error(r, "there is no checkpoint in it")


@suite.case
def archives_that_are_cut_or_damaged(s):
    a, rest = exported(s)
    dice = random_moments()
    end = len(a.data)
    for at in [0, 7, 8, 11, 12, end - 1, end - 8, end - 9, end - 40, end - 44, end - 45,
               *(dice.randrange(end) for _ in range(12))]:
        not_taken(s, a.data[:at], f"cut off at {at}")
    for at in [0, 8, end - 9, *(dice.randrange(end - 8) for _ in range(20))]:
        bad = bytearray(a.data)
        bad[at] ^= 1 << dice.randrange(8)
        not_taken(s, bytes(bad), f"byte {at} is wrong")
    for what, data in [("whole", a.data), ("twice", a.made(a.chunks * 2)),
                       ("in reverse", a.made(a.chunks[::-1]))]:
        state, code, why = taken(s, data)
        equal((code, why), (0, ""), what)
        r = s.tern("resume", state)
        equal((r.returncode, r.stderr), (0, ""), what)
        same(r.stdout.encode(), rest, what)


def goes_nowhere(s, data, what):
    """If it is taken, it is found out later, without much memory."""
    state, code, why = taken(s, data)
    for words in (["image", "show"], ["image", "verify"], ["resume"]) if code == 0 else ():
        r = s.tern(*words, state, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (3 << 30, 3 << 30)))
        check(r.returncode in (1, 126) and len(r.stderr.splitlines()) == 1, what, r)
    return code


@suite.case
def archives_that_are_forged(s):
    a, _ = exported(s)
    settings, module, image, lists = a.parts
    zeros, text = bytes(1 << 20), b"0," * (1 << 19)
    for chunk in a.chunks:
        if name_of(chunk) != a.root:
            not_taken(s, a.made([c for c in a.chunks if c != chunk]), "one is missing")
    not_taken(s, a.made(a.chunks, bytes(32)), "no root")
    not_taken(s, a.made([], a.root), "nothing")
    for counts in (b"\xff" * 16, b"\xff" * 16 + bytes(3200), bytes(4)):
        root = b"TERNCHK1" + counts
        not_taken(s, a.made([*a.chunks, root], name_of(root)), "giant counts")
    for what, parts, more in [
            ("settings are memory", [lists, module, image, lists], []),
            ("memory is settings", [settings, module, image, settings], []),
            ("all are the image", [image] * 4, []),
            ("no settings", [[], module, image, lists], []),
            ("no module", [settings, [], image, lists], []),
            ("no image", [settings, module, [], lists], []),
            ("settings of zeros", [[name_of(zeros)] * 1000, module, image, lists], [zeros]),
            ("settings of numbers", [[name_of(text)] * 1000, module, image, lists], [text]),
            ("a module of zeros", [settings, [name_of(zeros)] * 1200, image, lists], [zeros]),
            ("an image of zeros", [settings, module, [name_of(zeros)] * 1200, lists], [zeros])]:
        goes_nowhere(s, a.rooted(parts, *more), what)


@suite.case
def a_wrong_byte_in_the_index(s):
    state, _, rest = stopped(s)
    data = (state / "index").read_bytes()
    dice = random_moments()
    refusals = 0
    for _ in range(40):
        copy, bad = new(s), bytearray(data)
        bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        shutil.copytree(state, copy)
        (copy / "index").write_bytes(bad)
        r = s.tern("resume", copy)
        if r.returncode == 0:
            check(r.stdout.encode() == rest, "the right output", r)
        else:
            refusals += 1
            equal((r.returncode, r.stdout), (126, ""), r.stderr)
            clean_error(r, str(copy))
        shutil.rmtree(copy)
    check(refusals > 0, "some damage matters", refusals)


suite.run()
