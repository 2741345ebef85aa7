"""tern agent as a daemon: its ready line, its end, what it says when something is wrong."""
import re
import shutil
import signal
import sqlite3
import subprocess

import tap
from tap import check, clean_error, contains, equal

suite = tap.Suite()


class Place:
    """Directories of one pool, and what runs in them."""

    def __init__(self, s, name):
        self.dir = s.dir / name
        self.run, self.state = self.dir / "run", self.dir / "state"
        for path in (self.run, self.state):
            path.mkdir(parents=True, mode=0o700)
        self.env = s.env(XDG_RUNTIME_DIR=self.run, XDG_STATE_HOME=self.state)
        for variable in ("TERN_AGENT", "TERN_TOKEN"):
            self.env.pop(variable, None)
        self.suite = s
        self.socket = f"unix:{self.run}/tern/agent"
        self.journal = self.state / "tern" / "agent" / "journal.db"

    def start(self, *words):
        process = self.suite.start("agent", *words, env=self.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        check(line.startswith("ready: agent at "), "a ready line", line or process.stderr.read())
        return process, line.removeprefix("ready: agent at ").split()

    def refused(self, *words):
        return self.suite.tern("agent", *words, env=self.env)


def end(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(tap.PATIENCE_S)


@suite.case
def ready_and_a_clean_end(s):
    place = Place(s, "ready")
    for number in (signal.SIGTERM, signal.SIGINT):
        process, at = place.start()
        equal(at, [place.socket])
        equal(end(process, number), 0, "exit code")
        check(not (place.run / "tern" / "agent").exists(), "the socket is gone")


@suite.case
def the_journal_goes_on_after_kill_9(s):
    place = Place(s, "killed")
    terms = []
    for _ in range(4):
        process, _ = place.start()
        db = sqlite3.connect(place.journal)
        terms.append(db.execute("SELECT max(first + count) FROM fact").fetchone()[0] or 0)
        db.close()
        equal(end(process, signal.SIGKILL), -signal.SIGKILL)
    check(terms == sorted(terms) and terms[0] < terms[-1], "facts are added with each start", terms)
    process, _ = place.start()
    equal(end(process), 0, "exit code")


@suite.case
def history_is_a_table_that_people_can_ask(s):
    place = Place(s, "history")
    process, _ = place.start()
    db = sqlite3.connect(place.journal)
    equal(db.execute("SELECT count(*) FROM ended").fetchone()[0], 0)
    names = [row[1] for row in db.execute("PRAGMA table_info(history)")]
    for name in ("task", "owner", "state", "code", "node", "submitted_ns", "ended_ns"):
        check(name in names, f"a column {name}", names)
    db.close()
    end(process)


@suite.case
def others_are_given_an_endpoint_with_a_pin(s):
    place = Place(s, "far")
    seen = []
    for _ in range(2):
        process, at = place.start("--listen", "tcp:127.0.0.1:0")
        found = re.fullmatch(r"tcp:127\.0\.0\.1:(\d+)#([0-9a-f]{64}),", at[0])
        check(found and int(found[1]) > 0, "an endpoint with port and pin", at)
        equal(at[1], place.socket)
        seen.append(found[2])
        end(process)
    equal(seen[0], seen[1], "the pin after a restart")
    secret = [place.journal.parent / name for name in ("token", "key.pem")]
    equal([path.stat().st_mode & 0o777 for path in secret], [0o600, 0o600], "modes")


@suite.case
def one_agent_for_one_state_directory(s):
    place = Place(s, "twice")
    process, _ = place.start()
    second = place.refused("--listen", f"unix:{place.dir}/other")
    equal(second.returncode, 1)
    clean_error(second, "another agent", str(process.pid), "choose another directory")
    end(process)


@suite.case
def an_address_that_is_in_use(s):
    place = Place(s, "used")
    process, _ = place.start()
    second = place.refused("--state", place.dir / "other")
    equal(second.returncode, 1)
    clean_error(second, place.socket, "in use")
    end(process)


@suite.case
def a_socket_that_was_left_behind_is_taken_over(s):
    place = Place(s, "left")
    process, _ = place.start()
    end(process, signal.SIGKILL)
    check((place.run / "tern" / "agent").exists(), "the socket is left")
    process, at = place.start()
    equal(at, [place.socket])
    end(process)


@suite.case
def a_damaged_journal(s):
    place = Place(s, "damaged")
    process, _ = place.start()
    end(process)
    db = sqlite3.connect(place.journal)
    db.execute("UPDATE fact SET sum = sum + 1")
    db.commit()
    db.close()
    result = place.refused()
    equal(result.returncode, 1)
    clean_error(result, "journal.db is damaged", "restore it from a copy")
    place.journal.write_bytes(b"no database at all, and far from it" * 100)
    for extra in place.journal.parent.glob("journal.db-*"):
        extra.unlink()
    result = place.refused()
    equal(result.returncode, 1)
    clean_error(result, "journal.db")


@suite.case
def what_it_hears_is_recorded(s):
    place = Place(s, "record")
    record = place.dir / "events"
    process, _ = place.start("--record", record)
    equal(s.tern("ps", env=place.env).returncode, 0)
    end(process)
    data, kinds = record.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "little")
        check(25 <= size <= len(data) - 4, "whole records", size)
        kinds.append(data[4])
        data = data[4 + size:]
    for kind in (1, 2, 3, 4): # up, message, down, leave: core.h
        check(kind in kinds, f"an event of kind {kind}", kinds)
    refused = place.refused("--record", "/nowhere/at/all")
    equal(refused.returncode, 1)
    clean_error(refused, "/nowhere/at/all")


@suite.case
def wrong_usage(s):
    place = Place(s, "usage")
    for words, part in ((["--listen", "tcp:host:x"], "no endpoint"),
                        (["--listen", "unix:" + "/x" * 100], "shorter"),
                        (["--state", "/dev/null/x"], "/dev/null/x")):
        result = place.refused(*words)
        check(result.returncode in (1, 2), "an error", result)
        clean_error(result, part)
    shutil.rmtree(place.dir)


suite.run()
