"""The programs stopped at random moments and gone on with: the parts together are one run.

Each step of a recipe runs under tern exec --checkpoint, its streams through files or pipes, until the
dice say what happens: SIGTERM (it stops, and is resumed), SIGUSR1 (a checkpoint, and it goes on), or
kill -9 (it is resumed from its last checkpoint). Moments are drawn from the time that the step took
undisturbed; standard output and error, exit codes and files must be what they were then.

Kill   Only where going on is promised: with a checkpoint taken, no input from a pipe, and no file made,
       renamed or removed since, since a directory that is lent stays as the killed program left it. A
       resume that is refused because a file has changed (126) is the other answer there may be; the
       step then starts again.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

STOPPED = 75
REFUSED = 126
LONGEST_S = 600
PIPE_BYTES = 4096
RUNS_MAX = 400  # of all steps, before it is said that nothing comes of it

OWN_LINES = re.compile(rb"tern: (stopped at checkpoint \d+; to go on: tern resume|"
                       rb"no checkpoint was taken:)[^\n]*\n")


class Wrong(Exception):
    """What should have been equal is not."""


class Stream:
    """What one run prints, and where in it a part may have begun: pieces are checked as they come."""

    def __init__(self, name, whole):
        self.name, self.whole, self.starts = name, whole, {0}

    def piece(self, data, killed=False):
        """A killed one goes on from anywhere in it: its last checkpoint is not told."""
        fits = [s for s in self.starts if self.whole.startswith(data, s)]
        if not fits:
            raise Wrong(f"{self.name}: a part is not what one run prints from {min(self.starts)} on:"
                        f" {data[:300]!r}")
        self.starts = {at for s in fits for at in
                       (range(s, s + len(data) + 1) if killed else [s + len(data)])}

    def end(self):
        if len(self.whole) not in self.starts:
            raise Wrong(f"{self.name}: the parts end too early")


class Feed:
    """Standard input through all parts: a file, opened by each, or one pipe."""

    def __init__(self, path, pipe):
        self.path, self.pipe, self.read_end = path, pipe and path is not None, None
        if self.pipe:
            self.read_end, write_end = os.pipe()
            self.thread = threading.Thread(target=self.fill, args=(write_end,))
            self.thread.start()

    def fill(self, write_end):
        try:
            with open(write_end, "wb", buffering=0) as out:
                out.write(self.path.read_bytes())
        except BrokenPipeError:
            pass  # nobody wants the rest

    def open(self):
        return os.dup(self.read_end) if self.pipe else os.open(self.path or os.devnull, os.O_RDONLY)

    def close(self):
        if self.pipe:
            os.close(self.read_end)
            self.thread.join()


class Part:
    """One process of the chain: tern exec or tern resume."""

    def __init__(self, command, feed, pipes, cwd, environment):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.reader = None
        stdin = feed.open()
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=stdin, stderr=self.err,
            stdout=subprocess.PIPE if pipes else self.out,
            **({"pipesize": PIPE_BYTES} if pipes else {}))
        os.close(stdin)
        if pipes:
            self.reader = threading.Thread(target=shutil.copyfileobj,
                                           args=(self.process.stdout, self.out))
            self.reader.start()
        self.begun = time.monotonic()

    def runs(self):
        """Waits until the runner is there; False if it ended before."""
        pid = self.process.pid
        while self.process.poll() is None:
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                    for child in children.read().split():
                        with open(f"/proc/{child}/comm", encoding="ascii") as name:
                            if name.read() == "tern-runner\n":
                                self.begun = time.monotonic()
                                return True
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.0003)
        return False

    def ends_within(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def end(self):
        """(exit code, standard output, standard error without Tern's own lines, those)"""
        try:
            self.process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong(f"it hangs: {self.process.args}") from None
        if self.reader:
            self.reader.join()
            self.process.stdout.close()
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read())
            file.close()
        return (self.process.returncode, texts[0], OWN_LINES.sub(b"", texts[1]),
                b"".join(m[0] for m in OWN_LINES.finditer(texts[1])))


class Step:
    """One command line, undisturbed once, then in parts."""

    def __init__(self, number, arguments, source, target):
        self.number, self.arguments, self.source, self.target = number, arguments, source, target

    def measure(self, options, folder, environment):
        feed = Feed(folder / self.source if self.source else None, False)
        part = Part([*options, *self.arguments], feed, False, folder, environment)
        part.runs()
        self.code, self.out, self.err, _ = part.end()
        self.seconds = time.monotonic() - part.begun
        self.write(folder)

    def write(self, folder):
        """What a shell does with '>'."""
        if self.target:
            (folder / self.target).write_bytes(self.out)


def names_in(folder):
    """And what they name: a file made anew under an old name is another one."""
    return {(str(f.relative_to(folder)), f.stat().st_ino) for f in folder.rglob("*")}


class Stopper:
    """All steps of one program, again and again, until it was stopped often enough."""

    def __init__(self, tern, work, options, wasm, dice, environment):
        self.tern, self.work, self.options, self.wasm = str(tern), work, options, str(wasm)
        self.dice, self.environment = dice, environment
        self.count = dict.fromkeys(("stopped", "went on", "killed", "too late", "too early",
                                    "stayed", "refused", "runs"), 0)

    def stops(self):
        return self.count["stopped"] + self.count["went on"] + self.count["killed"]

    def number(self):
        """Of the last checkpoint; 0: there is none."""
        done = subprocess.run([self.tern, "image", "show", "--json", str(self.state)],
                              capture_output=True, text=True, env=self.environment)
        return json.loads(done.stdout)["number"] if done.returncode == 0 else 0

    def command(self, step, folder):
        if self.number():
            return [self.tern, "resume", str(self.state)]
        return [self.tern, "exec", "--checkpoint", str(self.state), "--dir", f"{folder}::.",
                *self.options, self.wasm, *step.arguments]

    def may_kill(self, folder):
        return self.names == names_in(folder) and self.number() > 0

    def disturb(self, part, step, folder):
        """Waits, then does one of three; 'ended', 'killed' or None: whatever came of it."""
        while not part.ends_within(self.dice.uniform(0, step.seconds)):
            what = self.dice.choices(("stop", "go on", "kill"), (5, 2, 2))[0]
            if what == "kill" and self.may_kill(folder):
                part.process.kill()
                return "killed"
            if what == "stop":
                part.process.terminate()
                return None
            self.names = names_in(folder)
            part.process.send_signal(signal.SIGUSR1)
        return "ended"

    def one_part(self, step, feed, streams, folder):
        """True when the step is at its end; None: it has to start again."""
        pipes = self.dice.random() < 0.5
        part = Part(self.command(step, folder), feed, pipes, folder, self.environment)
        did = self.disturb(part, step, folder) if part.runs() else None
        code, out, err, own = part.end()
        killed = did == "killed" and code == -signal.SIGKILL
        if code == REFUSED and self.killed_last and b"which it had open" in err:
            self.count["refused"] += 1
            return None
        self.killed_last = killed
        streams[0].piece(out, killed)
        streams[1].piece(err, killed)
        self.count["stayed"] += b"no checkpoint was taken" in own
        if code == STOPPED:
            self.count["stopped"] += 1
            self.names = names_in(folder)
            return False
        if killed:
            self.count["killed"] += 1
            return False if self.names == names_in(folder) else None
        if code == -signal.SIGTERM:
            self.count["too early"] += 1
            return False if self.number() else None
        self.count["too late"] += did is None
        if code != step.code:
            raise Wrong(f"the exit code is {code}, not {step.code}: {err[-300:]!r}")
        return True

    def parts(self, step, folder):
        """False: it has to start again."""
        feed = Feed(folder / step.source if step.source else None, self.dice.random() < 0.5)
        streams = (Stream("standard output", step.out), Stream("standard error", step.err))
        stopped = self.count["stopped"]
        try:
            done = False
            while done is False:
                done = self.one_part(step, feed, streams, folder)
        finally:
            feed.close()
        self.count["went on"] += max(0, self.number() - (self.count["stopped"] - stopped))
        if done:
            for stream in streams:
                stream.end()
            step.write(folder)
        return done

    def one_step(self, step, folder):
        before = folder.with_suffix(".before")
        while True:
            self.state = self.work / "state"
            self.names, self.killed_last = names_in(folder), False
            shutil.rmtree(self.state, ignore_errors=True)
            shutil.rmtree(before, ignore_errors=True)
            shutil.copytree(folder, before)
            if self.parts(step, folder):
                return
            shutil.rmtree(folder)
            before.rename(folder)

    def go(self, steps, make_folder, differences, wanted):
        """Until it was stopped so often; counts."""
        one, other = self.work / "run-whole", self.work / "run-parts"
        make_folder(one)
        undisturbed = [self.tern, "exec", "--dir", f"{one}::.", *self.options, self.wasm]
        for step in steps:
            step.measure(undisturbed, one, self.environment)
        while self.stops() < wanted:
            self.count["runs"] += 1
            if self.count["runs"] > RUNS_MAX:
                raise Wrong(f"in {RUNS_MAX} runs it was stopped {self.stops()} times only")
            make_folder(other)
            for step in steps:
                try:
                    self.one_step(step, other)
                except Wrong as why:
                    raise Wrong(f"run {self.count['runs']}, step {step.number}, "
                                f"{step.arguments}: {why}") from None
            wrong = list(differences(one, other))
            if wrong:
                raise Wrong(f"run {self.count['runs']}: " + "; ".join(wrong[:5]))
        return self.count
