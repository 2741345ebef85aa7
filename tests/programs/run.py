#!/usr/bin/env python3
"""Programs that nobody here wrote: do they run under Tern as they do natively?

Fetches Debian source packages, builds each program twice from the same sources (gcc, tern cc),
runs both on the same inputs and compares every byte: standard output, exit codes, files. What
to build and run is in recipes.py. Needs deb-src; the system's own list of sources stays as it is.

With --stop N each program is stopped at random moments instead, N times in all, and gone on with:
stop.py.

The last line is 'N passed, N failed[, N skipped]'; --tap prints TAP for the test suite instead.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tarfile
import threading
import time

import inputs
import recipes
import stop

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
from record import record  # noqa: E402

SOURCES = """Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


class Skip(Exception):
    """The sources cannot be had here."""


class Fault(Exception):
    """A build failed, or outputs differ."""


def run(command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-12:])
        raise Fault(f"{shlex.join(map(str, command))[:300]}\nended with {done.returncode}\n{tail}")
    return done.stdout


class Fetcher:
    """apt-get with lists and cache of its own."""

    def __init__(self, root):
        self.root = root
        self.updated = False
        self.lock = threading.Lock()  # apt-get takes one too

    def apt(self, *arguments, cwd):
        state = self.root / "apt"
        (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (state / "cache").mkdir(parents=True, exist_ok=True)
        (state / "sources").mkdir(parents=True, exist_ok=True)
        (state / "sources" / "src.sources").write_text(SOURCES)
        options = [f"Dir::Etc::sourceparts={state}/sources", "Dir::Etc::sourcelist=/dev/null",
                   f"Dir::State::lists={state}/lists", f"Dir::Cache={state}/cache",
                   "APT::Sandbox::User=root", "Acquire::Retries=1",
                   "Acquire::http::Timeout=20"]
        flags = [word for option in options for word in ("-o", option)]
        try:
            return run(["apt-get", "-q", *flags, *arguments], cwd)
        except (Fault, FileNotFoundError) as why:
            raise Skip(f"its sources cannot be fetched: {str(why).splitlines()[-1]}") from why

    def fetch(self, package):
        """The folder with the unpacked sources, as their authors published them."""
        folder = self.root / "src" / package
        if not (folder / "done").exists():
            if not self.updated:
                self.apt("update", cwd=self.root)
                self.updated = True
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.apt("source", "--download-only", package, cwd=folder)
            unpack(folder)
            (folder / "done").touch()
        return next(p for p in folder.iterdir() if p.is_dir())


def unpack(folder):
    """The original archive; what Debian adds stays out. apt-get has checked the hashes."""
    found = sorted(folder.glob("*.orig.tar.*[!c]")) or sorted(folder.glob("*.tar.*[!c]"))
    with tarfile.open(found[0]) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safe)


def version_of(folder):
    """From the archive's name: NAME_VERSION.orig.tar.xz."""
    name = next(folder.glob("*.dsc")).name
    return name.split("_")[1].removesuffix(".dsc").rpartition("-")[0]


class Builder:
    def __init__(self, tern, root, level):
        self.root = root
        self.level = level
        self.compiler = {"native": ["gcc"], "wasi": [str(tern), "cc"]}

    def prepared(self, recipe, source):
        """A copy of the sources with what the recipe adds to them."""
        tree = self.root / "work" / recipe.name / "tree"
        if tree.exists():
            return tree
        scratch = tree.with_suffix(".new")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(source, scratch, symlinks=True)
        for name, text in recipe.write.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_text(text)
        for command in recipe.prepare:
            run(["sh", "-ec", command], scratch)
        scratch.rename(tree)
        return tree

    def build(self, recipe, tree, kind):
        out = tree.parent / (recipe.name + (".wasm" if kind == "wasi" else ""))
        if out.exists():
            return out
        files = []
        for pattern in recipe.files:
            found = sorted(tree.glob(pattern))
            if not found:
                raise Fault(f"no sources match {pattern}")
            files += [str(f.relative_to(tree)) for f in found
                      if str(f.relative_to(tree)) not in recipe.without]
        flags = recipe.flags + (recipe.wasi if kind == "wasi" else recipe.native)
        compiler = self.compiler[kind]
        if kind == "native" and any(f.endswith((".cc", ".cpp")) for f in files):
            compiler = ["g++"]
        run([*compiler, self.level, "-w", *flags, *files, "-o", out,
             *[f for f in flags if f.startswith("-l")], "-lm"], tree)
        return out


def parse_step(step):
    """'prog -d < in > out' as (arguments, in, out)."""
    words, arguments, streams = shlex.split(step), [], {"<": None, ">": None}
    while words:
        word = words.pop(0)
        if word in streams:
            streams[word] = words.pop(0)
        else:
            arguments.append(word)
    return arguments[1:], streams["<"], streams[">"]


def make_folder(recipe, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    inputs.write_all(folder, recipe.inputs)
    for pattern in recipe.bring:
        for file in (folder.parent / "tree").glob(pattern):
            shutil.copy(file, folder)


def replay(tern, record, folder, names, environment):
    """Elsewhere, and with nothing there: the record of a step gives its output and exit code."""
    done = subprocess.run([str(tern), "replay", str(record)], cwd="/", env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    seen = (done.stdout, done.stderr, f"{done.returncode}\n".encode())
    for name, part in zip(names, seen):
        if (folder / name).read_bytes() != part:
            said = done.stderr[-400:].decode(errors="replace")
            raise Fault(f"{name} differs in the replay\n{said}")
    record.unlink()


def perform(recipe, command, folder, environment, tern=None):
    """Runs all steps in the folder; seconds taken. tern: each is recorded, and replayed by it."""
    make_folder(recipe, folder)
    record = folder.parent / "run.rec"
    record.unlink(missing_ok=True)
    if tern:
        command = [*command[:2], "--record", str(record), *command[2:]]
    spent = 0.0
    for number, step in enumerate(recipe.steps):
        arguments, source, target = parse_step(step)
        target = folder / (target or f"{number}.stdout")
        feed = folder / source if source else os.devnull
        before = time.monotonic()
        with open(feed, "rb") as stdin, open(target, "wb") as stdout, \
                open(folder / f"{number}.stderr", "wb") as stderr:
            done = subprocess.run([*command, *arguments], cwd=folder, stdin=stdin, stdout=stdout,
                                  stderr=stderr, env=environment, timeout=600)
        spent += time.monotonic() - before
        (folder / f"{number}.status").write_text(f"{done.returncode}\n")
        if tern:
            names = target, f"{number}.stderr", f"{number}.status"
            replay(tern, record, folder, names, environment)
    return spent


def differences(recipe, one, other):
    names = {str(f.relative_to(d)) for d in (one, other) for f in d.rglob("*") if f.is_file()}
    for name in sorted(names):
        if name.endswith(".stderr") and not recipe.compare_stderr:
            continue
        a, b = one / name, other / name
        if not a.exists() or not b.exists():
            yield f"{name} is only in {(one if a.exists() else other).name}"
        elif a.read_bytes() != b.read_bytes():
            yield f"{name} differs"


def environment_for(work):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                   "LC_ALL": "C", "TZ": "UTC"}
    environment["TERN_CACHE_DIR"] = str(work / "cache")
    return environment | {k: v for k, v in os.environ.items() if k.startswith(("TERN_", "XDG_"))}


def guest_options(recipe):
    return [word for item in recipe.env for word in ("--env", item)]


def compare(recipe, tern, work, native, wasm, records):
    environment = environment_for(work)
    one, other = work / "run-native", work / "run-tern"
    guest = guest_options(recipe)
    spent_native = perform(recipe, ["env", *recipe.env, str(native)], one, environment)
    command = [str(tern), "exec", "--dir", f"{other}::.", *guest, str(wasm)]
    spent_tern = perform(recipe, command, other, environment, tern if records else None)
    wrong = list(differences(recipe, one, other))
    if wrong:
        hint = "\n".join(f.read_text(errors="replace")[:400]
                         for f in sorted(other.glob("*.stderr")) if f.stat().st_size)
        raise Fault("; ".join(wrong[:5]) + ("\n" + hint if hint else ""))
    bad = [f.name for f in one.glob("*.status") if f.read_text() != "0\n"]
    if len(bad) > recipe.failing_steps:
        raise Fault(f"the native program itself fails: {', '.join(bad)}")
    return spent_native, spent_tern


class Trial:
    """One program from sources to verdict."""

    def __init__(self, recipe, fetcher, builder, options):
        self.recipe, self.fetcher, self.builder = recipe, fetcher, builder
        self.tern, self.records = options.tern.absolute(), options.record
        self.name = recipe.name

    def fetch(self):
        with self.fetcher.lock:
            self.source = self.fetcher.fetch(self.recipe.source)

    def go(self):
        tree = self.builder.prepared(self.recipe, self.source)
        native = self.builder.build(self.recipe, tree, "native")
        wasm = self.builder.build(self.recipe, tree, "wasi")
        times = compare(self.recipe, self.tern, tree.parent, native, wasm, self.records)
        return {"steps": len(self.recipe.steps), "wasm_bytes": wasm.stat().st_size,
                "native_s": round(times[0], 3), "tern_s": round(times[1], 3),
                "version": version_of(self.source.parent)}

    @staticmethod
    def text(facts):
        return (f"{facts['steps']} runs equal, {facts['wasm_bytes'] // 1024} KiB, "
                f"native {facts['native_s']:.2f} s, tern {facts['tern_s']:.2f} s")


class StopTrial(Trial):
    """The same, stopped and gone on with."""

    wanted = 0
    seed = 0

    def go(self):
        recipe = self.recipe
        tree = self.builder.prepared(recipe, self.source)
        wasm = self.builder.build(recipe, tree, "wasi")
        environment = environment_for(tree.parent)
        environment.setdefault("TERN_CFLAGS", "-O0")  # quick to compile, and it runs for longer
        stopper = stop.Stopper(self.tern, tree.parent, guest_options(recipe), wasm,
                               random.Random(f"{self.seed} {self.name}"), environment)
        steps = [stop.Step(n, *parse_step(step)) for n, step in enumerate(recipe.steps)]
        count = stopper.go(steps, lambda folder: make_folder(recipe, folder),
                           lambda one, other: differences(recipe, one, other), self.wanted)
        return {"stops": stopper.stops()} | count

    @staticmethod
    def text(facts):
        return ", ".join(f"{n} {what}" for what, n in facts.items() if n)


def verdict(trial):
    """(name, 'ok' | 'not ok' | 'skip', text, facts)"""
    name = trial.recipe.name
    try:
        trial.fetch()
        facts = trial.go()
        return name, "ok", trial.text(facts), facts
    except Skip as why:
        return name, "skip", str(why), {}
    except (Fault, stop.Wrong, subprocess.TimeoutExpired) as why:
        return name, "not ok", str(why), {}


def show(number, result, tap):
    name, word, text, _ = result
    if tap:
        first, *rest = text.splitlines() or [""]
        mark = "ok" if word == "skip" else word
        tail = f" # SKIP {first}" if word == "skip" else ""
        print(f"{mark} {number} - {name}{tail}", flush=True)
        for line in ([first] if word == "not ok" else []) + rest:
            print(f"# {line}", flush=True)
    else:
        print(f"{name:<14} {word:<7} {text}", flush=True)


def keep_stops(results):
    total = {what: sum(facts.get(what, 0) for *_, facts in results)
             for what in ("stopped", "went on", "killed", "refused", "runs")}
    record("lifted", programs=len(results), failed=sum(word == "not ok" for _, word, *_ in results),
           **{what.replace(" ", "_"): n for what, n in total.items()})


def choose(only, quick):
    wanted = only.split(",") if only else None
    chosen = [r for r in recipes.ALL
              if (r.name in wanted if wanted else (not quick or r.quick))]
    if not chosen:
        sys.exit("no such program: " + only)
    return chosen


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--tern", required=True, type=pathlib.Path)
    p.add_argument("--root", type=pathlib.Path, default=pathlib.Path("build/programs"))
    p.add_argument("--only", help="names, separated by commas")
    p.add_argument("--quick", action="store_true", help="only small programs")
    p.add_argument("--tap", action="store_true")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--level", default="-O2", help="optimisation, of both builds")
    p.add_argument("--record", action="store_true", help="also record and replay every run")
    p.add_argument("--stop", type=int, metavar="N", help="stop each N times, and go on")
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    p.add_argument("--fresh", action="store_true", help="build again what was built")
    a = p.parse_args()
    root, tern = a.root.resolve(), a.tern.absolute()
    root.mkdir(parents=True, exist_ok=True)
    if a.fresh:
        shutil.rmtree(root / "work", ignore_errors=True)
    chosen = choose(a.only, a.quick)
    fetcher, builder = Fetcher(root), Builder(tern, root, a.level)
    if a.tap:
        print(f"1..{len(chosen)}", flush=True)
    kind = Trial
    if a.stop:
        kind, StopTrial.wanted, StopTrial.seed = StopTrial, a.stop, a.seed
        print(f"# seed {a.seed}", flush=True)
    trials = [kind(r, fetcher, builder, a) for r in chosen]
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        results = []
        for number, result in enumerate(pool.map(verdict, trials), 1):
            show(number, result, a.tap)
            results.append(result)
    (root / "results.json").write_text(json.dumps(
        [{"name": n, "verdict": w, "text": t, **f} for n, w, t, f in results], indent=1))
    if a.stop and not a.only and not a.quick:
        keep_stops([r for r in results if r[1] != "skip"])
    count = {word: sum(r[1] == word for r in results) for word in ("ok", "not ok", "skip")}
    if not a.tap:
        tail = f", {count['skip']} skipped" if count["skip"] else ""
        print(f"{count['ok']} passed, {count['not ok']} failed{tail}")
    return 1 if count["not ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
