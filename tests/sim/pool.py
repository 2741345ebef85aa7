"""Whole pools in the virtual world: seeds that once found something, and a few more. And that the
simulator finds what is planted: a kind of fault that is switched off does not strike, equal seeds are
equal, a wrong option is refused."""
import json
import os
import subprocess
import sys

TERN = os.environ["TERN_EXE"]
count = 0
failed = 0


def tern(*args):
    return subprocess.run([TERN, "sim", *args], capture_output=True, text=True, timeout=300,
                          check=False)


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        print("\n".join("# " + line for line in why[-6000:].splitlines()))


def seeds(first, number, *more):
    run = tern("--seed", str(first), "--seeds", str(number), "--json", *more)
    if run.returncode:
        return [], run.stdout + run.stderr
    return json.loads(run.stdout), ""


def test_seeds(first, number, *more):
    results, why = seeds(first, number, *more)
    ok(len(results) == number and not any(r["failed"] for r in results),
       f"seeds {first} to {first + number - 1} {' '.join(more)}".strip(), why)
    return results


def test_faults_strike(results):
    kinds = results[0]["faults"] if results else {}
    events = [k for k in kinds if k not in ("dials", "disk", "programs", "frames")]
    never = [k for k in events if not any(r["faults"][k] for r in results)]
    ok(bool(results) and not never, "every kind of fault struck", f"never: {never}")
    ok(any(r["checkpoints"] > 0 for r in results), "checkpoints counted")
    ok(any(r["attempts"] > r["tasks"] for r in results), "tasks went on elsewhere")


def test_off():
    results, why = seeds(1, 3, "--faults", "none")
    ok(bool(results) and not any(any(r["faults"].values()) for r in results),
       "no faults where there are none", why)
    ok(bool(results) and all(r["done"] + r["other_ends"] == r["tasks"] for r in results),
       "and each task ends once")


def test_equal():
    one, _ = seeds(7, 1, "--once")
    again, _ = seeds(7, 1, "--once")
    other, _ = seeds(8, 1, "--once")
    ok(bool(one) and one == again, "a seed is the same in another process")
    ok(bool(one) and one[0]["trace"] != other[0]["trace"], "another seed is another run")


def test_planted():
    for bug in ("lying-disk", "forgetful-depot", "echo"):
        run = tern("--seeds", "20", "--once", "--plant", bug)
        ok(run.returncode == 1 and "FAILED" in run.stdout, f"finds {bug}", run.stdout)


def test_refused():
    run = tern("--faults", "frames,goblins")
    ok(run.returncode == 2 and "goblins" in run.stderr and "breaks" in run.stderr,
       "a kind of fault that is none", run.stderr)
    run = tern("--seeds", "many")
    ok(run.returncode == 2 and "--seeds" in run.stderr, "a number that is none", run.stderr)


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    results = test_seeds(1, number)
    test_faults_strike(results)
    test_off()
    test_equal()
    test_planted()
    test_refused()
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
