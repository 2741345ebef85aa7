#!/usr/bin/env python3
"""Help, manual pages, completion, suggestions: all from one table."""
import pathlib
import re
import shutil
import subprocess

from tap import TERN, Suite, check, clean_error, contains, equal

suite = Suite()


def commands(s):
    return re.findall(r"^  ((?:module |cache |image )?[a-z]+)  ", s.tern("help").stdout, re.MULTILINE)


@suite.case
def all_commands_explain_themselves(s):
    names = commands(s)
    check({"cc", "exec", "module show", "module c", "cache", "cache prune", "help"} <= set(names),
          "the commands", names)
    for name in names:
        text = s.tern("help", *name.split()).stdout
        contains(text, f"usage: tern {name}")
        contains(text, "exit codes:")
        equal(s.tern(*name.split(), "--help").stdout, text)
        check(max(map(len, text.splitlines())) <= 80, "fits on a terminal", text)


@suite.case
def help_is_found_everywhere(s):
    overview = s.tern("help").stdout
    for words in (["--help"], ["-h"]):
        equal(s.tern(*words).stdout, overview)
    r = s.tern()
    equal((r.returncode, r.stdout), (2, overview))
    contains(s.tern("help", "module").stdout, "module show")
    contains(s.tern("module", "--help").stdout, "module show")
    equal(s.tern("module").returncode, 2)
    equal(s.tern("exec", "--dir", ".", "--help").stdout, s.tern("help", "exec").stdout)


@suite.case
def manual_pages_are_clean(s):
    if not shutil.which("groff") and not shutil.which("man"):
        return "neither groff nor man is installed"
    built = {f.name for f in pathlib.Path(TERN).parent.glob("*.1")}
    for name in [[], *(n.split() for n in commands(s))]:
        check(not built or "-".join(["tern", *name]) + ".1" in built, f"a page of {name}", built)
        page = s.tern("help", "--man", *name).stdout
        check(page.startswith(".TH "), "a page", page[:80])
        if shutil.which("groff"):
            r = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, text=True,
                               capture_output=True, check=True)
            equal(r.stderr, "", f"groff on {name}")
    return None


@suite.case
def completion_scripts_are_sound(s):
    tried = []
    for shell in ("bash", "zsh", "fish"):
        script = s.tern("completion", shell)
        equal(script.returncode, 0)
        contains(script.stdout, "exec")
        if shutil.which(shell):
            path = s.file(f"complete.{shell}", script.stdout)
            r = subprocess.run([shell, "-n", path], capture_output=True, text=True)
            equal((r.returncode, r.stderr), (0, ""), shell)
            tried.append(shell)
    check("bash" in tried, "at least one was tried", tried)
    r = s.tern("completion", "csh")
    equal(r.returncode, 2)
    clean_error(r, "csh", "bash")


def complete(s, *words):
    """What bash offers for the last of the words."""
    script = s.file("complete.bash", s.tern("completion", "bash").stdout)
    quoted = " ".join(f"'{w}'" for w in words)
    r = subprocess.run(["bash", "--norc", "-c",
                        f"source '{script}'; COMP_WORDS=(tern {quoted}); "
                        f"COMP_CWORD={len(words)}; _tern; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                       capture_output=True, text=True, cwd=s.dir, check=True)
    equal(r.stderr, "")
    return r.stdout.split()


@suite.case
def bash_completes(s):
    s.file("prog.wasm", "")
    s.file("prog.txt", "")
    equal(complete(s, "ex"), ["exec"])
    equal(complete(s, "mod"), ["module"])
    equal(complete(s, "module", "s"), ["show"])
    equal(complete(s, "exec", "--me"), ["--memory"])
    equal(complete(s, "exec", "pro"), ["prog.wasm"])
    equal(complete(s, "module", "show", "--"), ["--help", "--json"])
    equal(sorted(complete(s, "cc", "pro")), ["prog.txt", "prog.wasm"])


@suite.case
def wrong_words_bring_suggestions(s):
    for words, part, code in (
            (["exce", "x.wasm"], "did you mean 'tern exec'", 2),
            (["modul", "show"], "did you mean 'tern module show'", 2),
            (["cache", "prun"], "did you mean 'tern cache prune'", 2),
            (["frobnicate"], "'tern help' lists all", 2),
            (["exec", "--memroy", "1M", "x.wasm"], "did you mean --memory", 125),
            (["exec", "--frobnicate", "x.wasm"], "tern help exec", 125),
            (["exec", "--dir"], "--dir needs a value", 125),
            (["exec"], "usage: tern exec", 125),
            (["cache", "show", "x"], "one argument too many", 2),
            (["cache", "prune", "--all=yes"], "takes no value", 2),
            (["cache", "prune", "--max-size", "x"], "not a size", 2),
            (["help", "nothing"], "no command 'nothing'", 2)):
        r = s.tern(*words)
        equal((r.returncode, r.stdout), (code, ""), str(words))
        clean_error(r, part)


@suite.case
def the_version(s):
    check(re.match(r"tern \d+\.\d+\.\d+ ", s.tern("version").stdout), "a version")
    equal(s.tern("--version").stdout, s.tern("version").stdout)


suite.run()
