#!/bin/sh
# What './dev demo engine' shows: one C program, compiled natively and to WebAssembly, run both ways.
# usage: engine.sh BUILD-FOLDER
set -eu
examples=$(dirname "$0")
build=$(cd "$1" && pwd)
out=$build/demo
tern=$build/tern
mkdir -p "$out/pictures"
export TERN_CACHE_DIR="${TERN_CACHE_DIR:-$out/cache}"

show() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
}

# Seconds that a command took, with its output thrown away.
seconds() {
    python3 -c 'import subprocess, sys, time
before = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(f"{time.monotonic() - before:.2f}")' "$@"
}

color=0
[ -t 1 ] && color=1

show "tern cc raytrace.c -o raytrace.wasm"
"$tern" cc "$examples/raytrace.c" -o "$out/raytrace.wasm"
printf '%s bytes of WebAssembly\n' "$(($(wc -c <"$out/raytrace.wasm")))"

show "tern exec --env COLOR=$color --dir pictures::/pictures raytrace.wasm 76 /pictures/balls.ppm"
"$tern" exec --env "COLOR=$color" --dir "$out/pictures::/pictures" "$out/raytrace.wasm" \
    76 /pictures/balls.ppm
printf 'on this machine: %s\n' "$out/pictures/balls.ppm"

show "tern exec raytrace.wasm 20 /etc/picture.ppm      # nobody lent it a directory"
"$tern" exec "$out/raytrace.wasm" 20 /etc/picture.ppm >/dev/null || true

show "the same picture, 1200 pixels wide: gcc -O3, then tern"
gcc -O3 "$examples/raytrace.c" -o "$out/raytrace" -lm
native=$(seconds "$out/raytrace" 8 "$out/pictures/native.ppm" 1200)
safe=$(seconds "$tern" exec --dir "$out/pictures::/pictures" "$out/raytrace.wasm" \
    8 /pictures/tern.ppm 1200)
printf 'gcc -O3    %s s\ntern exec  %s s\n' "$native" "$safe"
cmp "$out/pictures/native.ppm" "$out/pictures/tern.ppm"
printf 'both pictures are equal, byte for byte\n'
