"""Bars of the ratios, by gnuplot; nothing where gnuplot is missing."""
import shutil
import subprocess

SCRIPT = """
set terminal {terminal} size 1100,500
set output '{output}'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set grid ytics
set yrange [0:{top}]
set ylabel 'time, native gcc -O3 = 1'
set xtics rotate by -35
set key outside top center horizontal
plot 1 with lines lc rgb '#333333' title 'native', {columns}
"""
COLORS = {"tern": "#1f6fb4", "plain": "#8fc1e3", "no-polls": "#b9a3d6", "no-tests": "#7a5ca8",
          "every-1s": "#2f8f5b", "wasm2c": "#e0902b", "node": "#9a9a9a"}


def draw(report, folder):
    """The files that were drawn."""
    rows = [r for r in report["programs"] if "ratio" in r]
    names = [n for n in report["summary"]]
    if not shutil.which("gnuplot") or not rows or not names:
        return []
    data = folder / "ratios.dat"
    lines = [" ".join([r["program"].replace("_", "-")]
                      + [f"{r['ratio'].get(n, 0):.3f}" for n in names]) for r in rows]
    mean = " ".join(f"{report['summary'][n]['geomean']:.3f}" for n in names)
    data.write_text("\n".join([*lines, f"GEOMEAN {mean}"]) + "\n")
    top = min(4, max(max(r["ratio"].values()) for r in rows) * 1.1)
    columns = ", ".join(f"'{data}' using {i + 2}:xtic(1) lc rgb '{COLORS[n]}' title '{n}'"
                        for i, n in enumerate(names))
    made = []
    for terminal, suffix in (("pngcairo", "png"), ("svg", "svg")):
        out = folder / f"ratios.{suffix}"
        script = SCRIPT.format(terminal=terminal, output=out, top=top, columns=columns)
        done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True)
        if done.returncode == 0:
            made.append(str(out))
    return made
