#!/usr/bin/env python3
"""Checks that dependencies between the rings of src/ point one way: downwards.

Two questions, both from the tables below:
  - may a file of this ring include a header of that ring?
  - do the compiled pure rings need anything that is not on the list? (nm -u: what a header
    or a macro brought in by the back door shows here)

Part of the build, which fails if the answer is no.
"""
import argparse
import pathlib
import re
import subprocess
import sys

# ring -> rings whose headers it may include (its own always). libc headers are not looked at.
MAY_INCLUDE = {
    "base": [],
    "wire": ["base"],
    "wasm": ["base"],
    "rt": [],
    "translate": ["base", "wasm"],
    "image": ["base", "wire", "wasm", "translate"],
    "store": ["base"],
    "message": ["base"],
    "core": ["base", "message"],
    "drive": ["base", "message", "core", "store"],
    "sim": ["base", "message", "core", "drive", "store"],
    "runner": ["base", "wire", "rt"],
    "os": ["base", "wire", "wasm", "translate", "image", "store", "rt", "message", "core", "drive"],
    "lib": ["base", "message", "core", "drive", "store", "os"],
    "cli": ["base", "wire", "wasm", "translate", "image", "store", "rt", "message", "core", "drive",
            "sim", "os", "lib"],
}
# Single headers beyond that.
MAY_ALSO = {"os": ["runner/syscalls.h"], "cli": ["runner/syscalls.h"]}

# What the objects of the pure rings may leave undefined, besides what another pure ring defines.
PURE_NEEDS = set(
    "memcpy memmove memset memcmp bcmp memchr strlen strnlen strcmp strncmp strchr strrchr strpbrk "
    "strdup strspn strcspn strstr "
    "strtoul strtoull snprintf vsnprintf malloc calloc realloc free qsort bsearch sqrt "
    "sqrtf".split())
# The object that writes the last words of a broken program.
ALSO_NEEDS = {"check.c": {"stderr", "fprintf", "fwrite", "abort"}}
# The functions of protobuf-c are as pure as their caller's allocator.
LIBRARY_NEEDS = {ring: re.compile(r"protobuf_c_")
                 for ring in ("libimage", "libmessage", "libtern_format", "libcore")}
# Chunks are taken apart by the store's functions, which have no memory of their own.
LIBRARY_NEEDS |= {ring: re.compile(r"protobuf_c_|chunk_|root_|names_|store_name_of$")
                  for ring in ("libdrive", "libsim")}
# What compilers and sanitizers put in by themselves.
INSTRUMENT = re.compile(r"__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm|stack_chk|start|stop)_"
                        r"|_GLOBAL_OFFSET_TABLE_$|__tls_get_addr$")

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def include_fault(src, path, name):
    """Why this file may not include `name`, or None."""
    ring = path.relative_to(src).parts[0]
    if ring not in MAY_INCLUDE:
        return f"src/{ring} is no ring that tools/layers.py knows"
    if "/" not in name:
        return None if (path.parent / name).exists() else f'"{name}" is not in its own folder'
    target = name.split("/")[0]
    if target not in MAY_INCLUDE:
        return f'"{name}" should be "ring/file.h"'
    if target == ring or target in MAY_INCLUDE[ring] or name in MAY_ALSO.get(ring, []):
        return None
    below = ", ".join(MAY_INCLUDE[ring]) or "nothing"
    return f'"{name}" is not below it (src/{ring} may include {below})'


def check_includes(src, files):
    faults = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            why = include_fault(src, path, match.group(1))
            if why:
                line = text.count("\n", 0, match.start(1)) + 1
                faults.append(f"{path}:{line}: {why}")
    return faults


def symbols(nm, library, flag):
    """(object, symbol) pairs; meson names an object after its source: arena.c.o"""
    out = subprocess.run([nm, "-A", "-P", flag, library], check=True, capture_output=True,
                         text=True).stdout
    for line in out.splitlines():
        where, symbol = line.split()[:2]
        found = re.search(r"\[(.*)\]", where)
        member = found.group(1) if found else where
        yield member.removesuffix(".o").split("/")[-1], symbol


def check_needs(nm, libraries):
    """Undefined symbols of the pure rings that are neither defined among them nor on the list."""
    defined = {symbol for library in libraries
               for _, symbol in symbols(nm, library, "--defined-only")}
    faults = []
    for library in libraries:
        for member, symbol in symbols(nm, library, "--undefined-only"):
            plain = re.sub(r"^__(\w+)_chk$", r"\1", symbol)  # _FORTIFY_SOURCE
            allowed = PURE_NEEDS | ALSO_NEEDS.get(member, set())
            if symbol in defined or plain in allowed or INSTRUMENT.match(symbol):
                continue
            if any(ring in library and names.match(symbol)
                   for ring, names in LIBRARY_NEEDS.items()):
                continue
            faults.append(f"{library}: {member} needs {symbol}, which no pure ring may use")
    return faults


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--src", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "src")
    p.add_argument("--nm", default="nm")
    p.add_argument("--stamp", type=pathlib.Path, help="file to touch when all is well")
    p.add_argument("--depfile", type=pathlib.Path, help="where to list what was read")
    p.add_argument("library", nargs="*", help="static libraries of the pure rings")
    a = p.parse_args()
    src = a.src.resolve()
    files = sorted(f for f in src.rglob("*") if f.suffix in (".c", ".h"))
    faults = check_includes(src, files) + check_needs(a.nm, a.library)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    if a.stamp:
        a.stamp.write_text("")
    if a.depfile:
        folders = [f for f in src.rglob("*") if f.is_dir()]
        read = " ".join(str(f).replace(" ", "\\ ") for f in [*files, *folders])
        a.depfile.write_text(f"{a.stamp}: {read}\n")
    if not a.stamp:
        print(f"{len(files)} files: dependencies point downwards")
    return 0


if __name__ == "__main__":
    sys.exit(main())
