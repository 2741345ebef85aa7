#!/usr/bin/env python3
"""tern exec --deterministic and --random-seed: the same bits every time, and after a resume."""
import json
import signal

from lifted import new, resume, start
from tap import Suite, check, clean_error, equal

suite = Suite()
CANONICAL = "7ff8000000000000"


def run(s, *options, lines=20, **env):
    r = s.tern("exec", *options, s.program("dice.c"), lines, env=s.env(**env))
    equal((r.returncode, r.stderr), (0, ""))
    equal(len(r.stdout.splitlines()), lines)
    return r.stdout


def dice(text):
    return [line.split()[1:8] for line in text.splitlines()]


@suite.case
def the_same_from_every_compiler(s):
    want = run(s, "--deterministic")
    for env in ({}, {"TERN_CC": "clang"}, {"TERN_CFLAGS": "-O0"},
                {"TERN_CC": "clang", "TERN_CFLAGS": "-O0"}):
        equal(run(s, "--deterministic", **env), want, env)


@suite.case
def nans_of_arithmetic_are_canonical_and_others_pass(s):
    for line in run(s, "--deterministic").splitlines():
        nans = line.split()[8:]
        equal(nans, [CANONICAL, CANONICAL, "7ff8000000005eed", "7fc00000", CANONICAL])


@suite.case
def a_record_is_replayed_with_the_same_nans(s):
    record = s.dir / "dice.rec"
    want = run(s, "--deterministic", "--record", record)
    r = s.tern("replay", record)
    equal((r.returncode, r.stderr, r.stdout), (0, "", want))


@suite.case
def random_numbers_follow_from_the_seed(s):
    first = dice(run(s, "--random-seed", "1"))
    equal(dice(run(s, "--random-seed", "1")), first)
    equal(dice(run(s, "--deterministic", "--random-seed", "1")), first)
    check(dice(run(s, "--random-seed", "2")) != first, "another seed, other numbers")
    equal(dice(run(s, "--random-seed", "0")), dice(run(s, "--deterministic")))
    # The first bytes of ChaCha20 with a key of zeros: RFC 8439, A.1.
    equal(dice(run(s, "--deterministic"))[0], "76 b8 e0 ad a0 f1 3d".split())
    check(dice(run(s)) != dice(run(s)), "without a seed they are the system's")


@suite.case
def a_resume_goes_on_with_both(s):
    want = run(s, "--deterministic", "--random-seed", "18446744073709551615", lines=3000).encode()
    state = new(s)
    compilers = [s.env(), s.env(TERN_CC="clang")]
    p = start(s, state, 3000, module=s.program("dice.c"),
              options=["--deterministic", "--random-seed", "18446744073709551615"]).lines(5)
    out, parts = b"", 1
    while parts < 5:
        out += p.stop(signal.SIGTERM)
        shown = json.loads(s.tern("image", "show", "--json", state).stdout)
        equal(shown["deterministic"], True)
        equal(shown["random"]["seed"], "18446744073709551615")
        equal(shown["random"]["position"] % 7, 0)
        p = resume(s, state, env=compilers[parts % 2]).lines(5)
        parts += 1
    equal(p.end(), (0, ""))
    check(out + p.seen == want, "the same as in one run", (out + p.seen)[-300:])


@suite.case
def without_it_an_image_says_nothing_of_it(s):
    state = new(s)
    start(s, state, 3000, module=s.program("dice.c")).lines(5).stop()
    shown = json.loads(s.tern("image", "show", "--json", state).stdout)
    equal((shown["deterministic"], shown["random"]), (False, None))


@suite.case
def a_seed_is_a_number(s):
    for seed in ("", "-1", "x", "1x", " 1", "18446744073709551616", "0x10"):
        r = s.tern("exec", "--random-seed", seed, s.program("dice.c"))
        equal(r.returncode, 125)
        clean_error(r, "--random-seed")


suite.run()
