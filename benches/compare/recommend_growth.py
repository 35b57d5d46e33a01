"""How the cost of recommendations grows with customers, lines and items.

`recommend_growth.py --binary target/release/examples/scale --out docs/benchmarks [--threads 2]` runs the example once for each size and prints a
table; writes recommend.svg.
"""
import argparse, os, pathlib, re, subprocess

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot

# Customers and items; each customer has 100 lines on average.
SIZES = [(10_000, 20_000), (100_000, 20_000), (1_000_000, 20_000), (3_000_000, 20_000), (100_000, 50_000), (1_000_000, 50_000)]
PHASES = {"gather": "lines gathered", "histories": "histories", "neighbours": "neighbours", "top 10": "ten for everybody"}
COLOURS = ["#94a3b8", "#38bdf8", "#2563eb", "#f59e0b"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    print("| customers | lines | items | " + " | ".join(PHASES.values()) + " | all, CPU seconds | seconds | peak, MiB | load |\n|" + "---|" * 11)
    runs = {}
    for customers, items in SIZES:
        load = os.getloadavg()[0]
        used, wall, peak = run(given, customers, items)
        name = f"{amount(customers)} × {amount(customers * 100)}, {items // 1000} k items"
        runs[name] = used
        cells = [f"{customers:,}", amount(customers * 100), f"{items:,}", *(f"{used[phase]:.1f}" for phase in PHASES),
                 f"**{sum(used.values()):.1f}**", f"{wall:.1f}", f"{peak:,}", f"{load:.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    draw(given.out / "recommend.svg", runs)


def amount(number):
    return f"{number // 1_000_000} M" if number >= 1_000_000 else f"{number // 1_000} k"


def run(given, customers, items):
    """CPU seconds by phase, seconds and the peak before changes are taken in."""
    text = subprocess.run([given.binary, str(customers), "100", str(items), "cosine", str(given.threads)], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^(.+?)\s+([\d.]+) CPU-s\s+([\d.]+) s\s+(\d+) MiB$", text, re.M)
    found = {label: (float(used), float(wall), int(peak)) for label, used, wall, peak in rows}
    making = found["(making up lines)"]
    used, wall, peak = {}, 0.0, 0
    for phase in PHASES:
        label = next(label for label in found if label.startswith(phase))
        own = found[label]
        # Lines are made up as they are gathered.
        used[phase] = max(own[0] - making[0], 0.0) if phase == "gather" else own[0]
        wall += max(own[1] - making[1] / given.threads, 0.0) if phase == "gather" else own[1]
        peak = max(peak, own[2])
    return used, wall, peak


def draw(path, runs):
    figure, axes = plot.subplots(figsize=(8, 0.45 * len(runs) + 1.2))
    names, left = list(runs), [0.0] * len(runs)
    for phase, colour in zip(PHASES, COLOURS):
        widths = [runs[name][phase] for name in names]
        axes.barh(names, widths, left=left, label=PHASES[phase], color=colour)
        left = [one + other for one, other in zip(left, widths)]
    axes.invert_yaxis()
    axes.set_title("CPU seconds: customers × lines")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
