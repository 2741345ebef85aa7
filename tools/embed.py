#!/usr/bin/env python3
"""Writes the headers that generated C includes as a C source: struct embedded_file embedded[].

usage: embed.py OUT.c HEADER...
"""
import hashlib
import pathlib
import sys


def rows(data):
    for at in range(0, len(data), 20):
        yield "    " + ",".join(str(byte) for byte in data[at:at + 20]) + ","


def main():
    out, *names = sys.argv[1:]
    files = [(pathlib.Path(n).name, pathlib.Path(n).read_bytes()) for n in names]
    together = hashlib.sha256()
    text = ["/* Made by tools/embed.py: do not edit. */", '#include "os/embedded.h"', ""]
    for i, (name, data) in enumerate(files):
        together.update(f"{name} {len(data)}\n".encode() + data)
        text += [f"static const uint8_t file_{i}[] = {{", *rows(data), "};", ""]
    text.append("const struct embedded_file embedded_files[] = {")
    for i, (name, data) in enumerate(files):
        text.append(f'    {{.name = "{name}", .data = file_{i}, .size = {len(data)}}},')
    text += ["};", "", f"const size_t embedded_count = {len(files)};",
             f'const char embedded_hash[] = "{together.hexdigest()}";', ""]
    pathlib.Path(out).write_text("\n".join(text), encoding="utf-8")


main()
