#!/bin/sh
# What './dev demo' shows: a pool of an agent, two depots and three nodes on this machine; a minute of
# computing, whose node is killed half-way; the same picture as without.
# usage: pool.sh BUILD-FOLDER
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=$build/demo
tern=$build/tern
state=$(mktemp -d "${TMPDIR:-/tmp}/tern-demo.XXXXXX")
export TERN_CACHE_DIR="${TERN_CACHE_DIR:-$out/cache}"
export TERN_POOL="unix:$state/agent.sock"
mkdir -p "$out"

show() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
}

say() {
    printf '\n%s\n' "$*"
}

# start NAME COMMAND...: a part of the pool in the background, once it says that it is ready.
start() {
    name=$1
    shift
    show "tern $*"
    "$tern" "$@" >"$state/$name.out" 2>"$state/$name.log" &
    echo $! >"$state/$name.pid"
    until grep -q ready "$state/$name.out"; do
        if ! kill -0 "$(cat "$state/$name.pid")" 2>/dev/null; then
            cat "$state/$name.log" >&2
            exit 1
        fi
        sleep 0.05
    done
    cat "$state/$name.out"
}

finish() {
    for pid in "$state"/*.pid; do
        [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
    wait
    rm -rf "$state"
}
trap finish EXIT
trap 'exit 130' INT TERM

field() { # of a task, as `tern show --json` has it
    "$tern" show "$task" --json | python3 -c 'import json, sys
row = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    row = row[int(key)] if key.lstrip("-").isdigit() else row.get(key) or 0
print(row)' "$1"
}

show "tern cc -O3 coral.c -o coral.wasm"
"$tern" cc -O3 "$examples/coral.c" -o "$out/coral.wasm"
cp "$examples/coral.txt" "$out/coral.txt"

start agent agent --listen "$TERN_POOL" --state "$state/agent"
for depot in depot-1 depot-2; do
    start $depot depot --agent "$TERN_POOL" --name $depot --dir "$state/$depot"
done
for node in node-1 node-2 node-3; do
    start $node node --agent "$TERN_POOL" --name $node --slots 1 --state "$state/$node"
done
show 'tern nodes'
"$tern" nodes

say 'The same computation twice: once by itself, once in the pool.'
show 'tern exec --files . --out coral.png=alone.png coral.wasm coral.txt coral.png > alone.txt &'
mkdir -p "$state/files"
cp "$out/coral.txt" "$state/files/"
before=$(date +%s)
"$tern" exec --files "$state/files" --out "coral.png=$out/alone.png" "$out/coral.wasm" \
    coral.txt coral.png >"$out/alone.txt" &
alone=$!
show 'tern run --in coral.txt=@coral.txt --out coral.png=pool.png coral.wasm coral.txt coral.png > pool.txt &'
"$tern" run --in "coral.txt=@$out/coral.txt" --out "coral.png=$out/pool.png" "$out/coral.wasm" \
    coral.txt coral.png >"$out/pool.txt" 2>"$state/run.log" &
run=$!

task=
while [ -z "$task" ]; do
    sleep 0.2
    task=$("$tern" ps --json | python3 -c 'import json, sys
for row in json.load(sys.stdin)["tasks"]:
    print(row["id"])')
done
half=$(($(sed -n 's/^steps //p' "$out/coral.txt") / $(sed -n 's/^report //p' "$out/coral.txt") / 2))
while [ "$(wc -l <"$out/pool.txt")" -lt "$half" ]; do
    kill -0 $run 2>/dev/null || { cat "$state/run.log" >&2; exit 1; }
    sleep 0.1
done
node=$(field node)
show "kill -9 \$($node)   # half-way: $(wc -l <"$out/pool.txt") of $((2 * half)) lines are there"
kill -9 "$(cat "$state/$node.pid")"

code=0
wait $run || code=$?
after=$(date +%s)
cat "$state/run.log"
[ $code -eq 0 ] || { say "tern run ended with $code"; exit 1; }
wait $alone
show "tern show $task"
"$tern" show "$task"

show 'cmp alone.png pool.png; cmp alone.txt pool.txt'
cmp "$out/alone.png" "$out/pool.png"
cmp "$out/alone.txt" "$out/pool.txt"
say "identical: the picture ($(($(wc -c <"$out/pool.png"))) bytes) and all $(($(wc -l <"$out/pool.txt"))) lines of output"
printf 'it took %s s, with %s gone half-way: %s\n' $((after - before)) "$node" "$out/pool.png"
