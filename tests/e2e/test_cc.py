#!/usr/bin/env python3
"""tern cc: one command and several, C++, options, a missing toolchain."""
import os
import subprocess

from tap import Suite, check, clean_error, contains, equal

suite = Suite()
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'


def output(s, wasm):
    r = s.tern("exec", wasm)
    equal(r.returncode, 0)
    return r.stdout


@suite.case
def one_source(s):
    s.file("hello.c", HELLO)
    r = s.tern("cc", "hello.c", "-o", "hello.wasm", cwd=s.dir)
    equal((r.returncode, r.stdout, r.stderr), (0, "", ""))
    equal(output(s, s.dir / "hello.wasm"), "hello\n")


@suite.case
def the_default_name_is_a_wasm(s):
    s.file("hello.c", HELLO)
    equal(s.tern("cc", "hello.c", cwd=s.dir).returncode, 0)
    equal(output(s, s.dir / "a.wasm"), "hello\n")


@suite.case
def several_sources_and_separate_linking(s):
    s.file("a.c", "int b(void);\nint main(void) { return b() - 7; }\n")
    s.file("b.c", "#include <math.h>\nint b(void) { return (int)sqrt(49.0); }\n")
    equal(s.tern("cc", "a.c", "b.c", "-o", "ab.wasm", "-lm", cwd=s.dir).returncode, 0)
    output(s, s.dir / "ab.wasm")
    r = s.tern("cc", "-c", "-Wall", "-Werror", "a.c", "b.c", cwd=s.dir)
    equal((r.returncode, r.stderr), (0, ""))
    r = s.tern("cc", "a.o", "b.o", "-oab2.wasm", cwd=s.dir)
    equal((r.returncode, r.stderr), (0, ""))
    output(s, s.dir / "ab2.wasm")


@suite.case
def the_users_options_win(s):
    s.file("level.c", "#ifdef __OPTIMIZE__\nint main(void) { return 0; }\n#else\n"
           "int main(void) { return N; }\n#endif\n")
    for level in ([], ["-O"], ["-O1"], ["-O2"], ["-Os"], ["-Oz"], ["-Ofast"]):
        r = s.tern("cc", *level, "-DN=5", "level.c", "-o", "level.wasm", cwd=s.dir)
        equal((r.returncode, r.stderr), (0, ""), str(level))
        equal(s.tern("exec", s.dir / "level.wasm").returncode, 0, str(level))
    equal(s.tern("cc", "-O0", "-DN=5", "level.c", "-o", "level.wasm", cwd=s.dir).returncode, 0)
    equal(s.tern("exec", s.dir / "level.wasm").returncode, 5)


@suite.case
def functions_keep_their_names(s):
    s.file("named.c", "__attribute__((noinline)) int my_name(int x) { return x * 3; }\n"
           "int main(int argc, char **argv) { (void)argv; return my_name(argc) - 3; }\n")
    for level in ("-O1", "-O3"):
        equal(s.tern("cc", level, "named.c", "-o", "named.wasm", cwd=s.dir).returncode, 0)
        contains(s.tern("module", "show", "named.wasm", cwd=s.dir).stdout, "my_name")


@suite.case
def vectors_are_used(s):
    s.file("vector.c", "void f(float *a, const float *b) {"
           " for (int i = 0; i < 1024; i++) a[i] += b[i]; }\n"
           "float a[1024], b[1024];\nint main(void) { f(a, b); return (int)a[5]; }\n")
    equal(s.tern("cc", "vector.c", "-o", "vector.wasm", cwd=s.dir).returncode, 0)
    contains(s.tern("module", "show", "vector.wasm", cwd=s.dir).stdout, "uses vectors")


@suite.case
def errors_are_clangs_own(s):
    s.file("wrong.c", "int main(void) { return nothing; }\n")
    r = s.tern("cc", "wrong.c", cwd=s.dir)
    equal(r.returncode, 1)
    contains(r.stderr, "wrong.c:1:25")


@suite.case
def the_hosts_headers_are_out_of_sight(s):
    s.file("linux.c", "#include <linux/kvm.h>\nint main(void) { return 0; }\n")
    r = s.tern("cc", "linux.c", cwd=s.dir)
    contains(r.stderr, "'linux/kvm.h' file not found")


@suite.case
def signals_clock_and_mmap_are_emulated(s):
    s.file("emulated.c", """
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
static volatile int got;
static void on(int n) { got = n; }
int main(void)
{
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGTERM, on);
    raise(SIGTERM);
    strcpy(p, "mapped");
    return !(got == SIGTERM && clock() != (clock_t)-1 && getpid() > 0 && p[0] == 'm');
}
""")
    equal(s.tern("cc", "emulated.c", "-o", "emulated.wasm", cwd=s.dir).returncode, 0)
    output(s, s.dir / "emulated.wasm")


@suite.case
def cxx_with_its_library(s):
    if not os.path.exists("/usr/include/wasm32-wasi/c++/v1/vector"):
        return "the C++ library for wasm32 is not installed"
    s.file("names.cpp", """
#include <iostream>
#include <map>
#include <string>
int main()
{
    std::map<std::string, int> n{{"b", 2}, {"a", 1}};
    for (const auto &[k, v] : n)
        std::cout << k << v << "\\n";
}
""")
    r = s.tern("cc", "-std=c++17", "names.cpp", "-o", "names.wasm", cwd=s.dir)
    equal((r.returncode, r.stderr), (0, ""))
    equal(output(s, s.dir / "names.wasm"), "a1\nb2\n")
    r = s.tern("cc", "-std=c++17", "-c", "names.cpp", cwd=s.dir)
    equal((r.returncode, r.stderr), (0, ""))
    equal(s.tern("cc", "names.o", "-lc++", "-lc++abi", "-o", "n2.wasm", cwd=s.dir).returncode, 0)
    equal(output(s, s.dir / "n2.wasm"), "a1\nb2\n")
    return None


@suite.case
def a_missing_toolchain_is_one_line(s):
    (s.dir / "bare").mkdir()
    r = s.tern("cc", s.file("hello.c", HELLO), env=s.env(PATH=s.dir / "bare"))
    equal(r.returncode, 1)
    clean_error(r, "clang", "wasm-ld", "apt-get install", "lld")
    equal(len(r.stderr.splitlines()), 1)


@suite.case
def questions_to_clang_are_passed_on(s):
    contains(s.tern("cc", "--version").stdout, "clang")
    s.file("hello.c", HELLO)
    contains(s.tern("cc", "-E", "hello.c", cwd=s.dir).stdout, "main")
    contains(s.tern("cc", "-M", "hello.c", cwd=s.dir).stdout, "stdio.h")


@suite.case
def configure_scripts_are_content(s):
    """What they do first: compile, see what comes out, run nothing."""
    s.file("conftest.c", "int main(void) { return 0; }\n")
    for words in (["conftest.c"], ["-o", "conftest", "conftest.c"], ["-c", "conftest.c"],
                  ["-g", "-O2", "-o", "conftest", "conftest.c", "-lm"]):
        r = s.tern("cc", *words, cwd=s.dir)
        equal((r.returncode, r.stderr), (0, ""), str(words))


suite.run()
