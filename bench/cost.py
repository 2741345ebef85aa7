"""What safepoints cost besides time: the size of the compiled code, and how long compiling takes."""
import os
import shutil

import engines


def sections(path):
    """Bytes of code in an object, and of all that is loaded."""
    text = data = 0
    for line in engines.run(["size", "-A", path]).splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit() and int(words[2]):
            data += int(words[1])
            text += int(words[1]) if words[0] == ".text" else 0
    return text, data


def compiled(tern, module, folder, size, flags):
    """Of a module: seconds of compiling (a cold run less a cached one), bytes of code."""
    cache = folder / "cost-cache"
    shutil.rmtree(cache, ignore_errors=True)
    env = {**os.environ, "TERN_CACHE_DIR": str(cache), "TERN_CFLAGS": flags}
    cold, cached = (engines.measured([tern, "exec", module, size], env)[0] for _ in range(2))
    objects = [p for p in cache.rglob("*.o") if p.is_file()]
    text, loaded = sections(max(objects, key=lambda p: p.stat().st_size))
    shutil.rmtree(cache, ignore_errors=True)
    return {"seconds": cold - cached, "text": text, "loaded": loaded}


def measure(tern, folder, programs):
    """programs: {name: a small size}; modules as engines.Tern has built them."""
    print("\nwhat safepoints cost in code and compiling, with them / without")
    print(f"{'program':<15}{'code':>10}{'loaded':>10}{'compiling':>11}")
    rows = []
    for name, size in programs.items():
        module = folder / f"{name}.wasm"
        if not module.exists():
            continue
        row = {"program": name,
               "with": compiled(tern, module, folder, size, ""),
               "without": compiled(tern, module, folder, size, "-DTERN_NOT_STOPPABLE")}
        a, b = row["with"], row["without"]
        print(f"{name:<15}{a['text'] / b['text']:>10.2f}{a['loaded'] / b['loaded']:>10.2f}"
              f"{a['seconds'] / b['seconds']:>11.2f}", flush=True)
        rows.append(row)
    return rows
