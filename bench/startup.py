"""How long until a program starts: never seen before, and from the cache, by size of module."""
import os
import shutil
import statistics

import engines

# Shapes of code as it is found in programs; constants vary, so that no two functions are equal.
SHAPES = [
    """static unsigned f{i}(const unsigned char *p, unsigned n)
{{
    unsigned h = {a}u;
    for (unsigned k = 0; k < n; k++)
        h = (h ^ p[k]) * {b}u + (h >> {s});
    return h;
}}
""",
    """static unsigned f{i}(const unsigned char *p, unsigned n)
{{
    unsigned count[4] = {{0}};
    for (unsigned k = 0; k < n; k++) {{
        switch (p[k] % {m}) {{
        case 0: count[0] += p[k]; break;
        case 1: count[1] ^= k * {b}u; break;
        case 2: count[2] += count[1] >> {s}; break;
        case 3: count[3] = count[0] / (k + {s}); break;
        default: count[k & 3]++; break;
        }}
    }}
    return count[0] ^ count[1] ^ count[2] ^ count[3];
}}
""",
    """static unsigned f{i}(const unsigned char *p, unsigned n)
{{
    double x = {s}, sum = 0;
    if (n < {m})
        return n;
    for (unsigned k = 0; k + 1 < n; k++) {{
        x = x * 0.5 + p[k] - p[k + 1] * {m}.25;
        if (x > {a} / 7.0)
            sum += x;
        else
            sum -= 1.0 / (x * x + 1);
    }}
    return f{j}(p, n / 2) + (unsigned)(int)(sum > 1e9 || sum < -1e9 ? 0 : sum);
}}
""",
    """static unsigned f{i}(const unsigned char *p, unsigned n)
{{
    char text[64];
    unsigned at = 0;
    while (n > {s} && at < sizeof text - 1) {{
        text[at++] = "0123456789abcdef"[(n ^ {a}u) & 15];
        n /= {s};
    }}
    text[at] = 0;
    return at > {m} ? f{j}((unsigned char *)text, at) : (unsigned)text[0] + p[0];
}}
""",
]


def source(functions):
    """A program of so many functions, none of which runs when it has no argument."""
    out = ["#include <stdio.h>\n#include <string.h>\n"]
    for i in range(functions):
        a = (i + 1) * 2654435761 % 4294967291
        shape = SHAPES[i % len(SHAPES)] if i else SHAPES[0]
        out.append(shape.format(i=i, j=max(i - 1 - i % 3, 0), a=a, b=a * 31 % 65521 | 1,
                                s=3 + i % 11, m=5 + i % 9))
    names = ", ".join(f"f{i}" for i in range(functions))
    out.append(f"static unsigned (*const all[])(const unsigned char *, unsigned) = {{{names}}};\n"
               "int main(int argc, char **argv)\n{\n    unsigned sum = 0;\n"
               "    for (int i = 1; i < argc; i++)\n"
               "        for (unsigned k = 0; k < sizeof all / sizeof *all; k++)\n"
               "            sum += all[k]((const unsigned char *)argv[i], strlen(argv[i]));\n"
               "    printf(\"%u\\n\", sum);\n    return 0;\n}\n")
    return "\n".join(out)


def median_ms(times):
    return 1000 * statistics.median(times)


def start_times(tern, module, folder, rounds):
    """Milliseconds: cold (empty cache), cached, translation alone."""
    cache = folder / "startup-cache"
    environment = {**os.environ, "TERN_CACHE_DIR": str(cache)}
    cold, cached, translate = [], [], []
    for _ in range(rounds):
        shutil.rmtree(cache, ignore_errors=True)
        cold.append(engines.measured([tern, "exec", module], environment)[0])
        cached.append(engines.measured([tern, "exec", module], environment)[0])
        translate.append(engines.measured([tern, "module", "c", module], environment)[0])
    shutil.rmtree(cache, ignore_errors=True)
    return median_ms(cold), median_ms(cached), median_ms(translate)


def measure_one(tern, folder, functions, rounds):
    text = folder / f"startup{functions}.c"
    module = text.with_suffix(".wasm")
    text.write_text(source(functions))
    engines.run([tern, "cc", "-O2", text, "-o", module])
    size = module.stat().st_size
    cold, cached, translate = start_times(tern, module, folder, rounds)
    hundreds = size / 102400
    row = {"functions": functions, "bytes": size, "cold_ms": cold, "cached_ms": cached,
           "translate_ms": translate, "translate_ms_per_100k": translate / hundreds,
           "compile_ms_per_100k": (cold - cached - translate) / hundreds}
    print(f"{size / 1024:>8.0f} KiB{cold:>10.0f} ms{cached:>10.1f} ms"
          f"{row['translate_ms_per_100k']:>14.1f} ms{row['compile_ms_per_100k']:>14.0f} ms",
          flush=True)
    return row


def measure(tern, folder, rounds, quick):
    print("\nstart-up by size of module; translation and compilation per 100 KiB of module")
    print(f"{'module':>12}{'cold':>13}{'cached':>13}{'translate':>17}{'compile':>17}")
    rows = []
    for functions in (1, 300) if quick else (1, 100, 300, 1000, 3000):
        try:  # what takes seconds varies less
            rows.append(measure_one(tern, folder, functions, min(rounds, 3 + 300 // functions)))
        except engines.BuildError as why:
            print(f"start-up of {functions} functions: {why}")
    return rows
