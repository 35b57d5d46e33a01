"""What was measured, as a page with tables and as SVG charts."""
import json, math, statistics

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot

COLOURS = {"Clientele": "#2563eb", "PostgreSQL": "#94a3b8", "DuckDB": "#f59e0b"}


def median(values):
    return statistics.median(values)


def spread(values):
    return (max(values) - min(values)) / median(values) if median(values) else 0.0


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def write_report(result, out):
    (out / "results.json").write_text(json.dumps(result, indent=1))
    machine = result["machine"]
    lines = ["# Side by side", "",
             "Made by `benches/compare/run`: all engines on one machine, in one run, taking turns; medians. "
             "Single differences below 20 % mean nothing.", "",
             f"- {machine['date']}; {machine['processor']}, {machine['processors']} processors, {machine['memory_gib']} GiB, "
             f"Linux {machine['kernel']}",
             *[f"- {version}" for version in result["versions"]],
             f"- 8 kB overwrite and flush: {result['flush_probe_ms']:.2f} ms; load {result['before']['load']:.1f} before, "
             f"{result['after']['load']:.1f} after; steal {result['after']['steal_ticks'] - result['before']['steal_ticks']} ticks",
             f"- demo at scale {result['scale']} ({50_000 * result['scale']:,} people); {result['rounds']} rounds"
             + (f"; {result['again']} in a run of its own" if "again" in result else ""), ""]
    for part, write in (("copy", copy), ("insert", insert), ("lookup", lookup), ("timeline", timeline), ("analytic", analytic)):
        if part in result:
            lines += write(result[part], out) + [""]
    (out / "README.md").write_text("\n".join(lines))


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]


def copy(part, out):
    rows = []
    for name, one in part["runs"].items():
        wall, cpu = median(one["wall"]), median(one["cpu"])
        rows.append([name, f"{wall:.2f}", f"{part['rows'] / wall / 1000:,.0f}", f"{cpu:.2f}", f"{100 * spread(one['wall']):.0f} %"])
    ours, theirs = (median(part["runs"][name]["wall"]) for name in ("Clientele", "PostgreSQL"))
    return ["## COPY", "", f"{part['rows']:,} rows of eight types (CSV, 73 MB) into an empty table with a primary key.", "",
            *table(["", "seconds", "1000 rows/s", "CPU seconds", "spread"], rows), "",
            f"Clientele does **{theirs / ours:.2f}×** PostgreSQL's rows a second."]


def insert(part, out):
    rows = [[clients, *[f"{median(rates[name]):,.0f}" for name in ("Clientele", "PostgreSQL")],
             f"**{median(rates['Clientele']) / median(rates['PostgreSQL']):.2f}×**"] for clients, rates in part.items()]
    bars(out / "insert.svg", "Durable single-row INSERTs a second",
         {name: [median(rates[name]) for rates in part.values()] for name in ("Clientele", "PostgreSQL")},
         [f"{clients} connections" for clients in part])
    return ["## Durable inserts", "", "One row, one transaction, flushed to disk before the answer; prepared (pgbench), rows a second.", "",
            *table(["connections", "Clientele", "PostgreSQL", "ratio"], rows), "", "![inserts](insert.svg)"]


def lookup(part, out):
    names = ["Clientele", "PostgreSQL", "DuckDB"]
    cell = lambda key, name: f"{median(part[key][name]):,.0f}" if name in part[key] else ""
    rows = [["p50, µs", *[cell("p50_us", name) for name in names]], ["p99, µs", *[cell("p99_us", name) for name in names]],
            ["8 connections, lookups/s", *[cell("rate_8", name) for name in names]]]
    ours, theirs, duck = (median(part["p50_us"][name]) for name in names)
    return ["## A row by its key", "", "One of a million rows by primary key, prepared; PostgreSQL and Clientele over the wire, DuckDB in process.", "",
            *table(["", *names], rows), "", f"p50: **{ours / theirs:.2f}×** PostgreSQL's time, DuckDB takes {duck / ours:.0f} times as long."]


def timeline(part, out):
    rows = [[name, f"{median(times):.2f}", f"{sorted(times)[int(0.95 * len(times))]:.2f}"] for name, times in part.items()]
    return ["## One customer", "", "Over the wire, a different customer each time.", "", *table(["question", "p50, ms", "p95, ms"], rows)]


def analytic(part, out):
    rows, ratios, cpus = [], {}, []
    for name, one in part.items():
        ours, duck = one["runs"]["Clientele"], one["runs"]["DuckDB"]
        wall = median(ours["wall"]) / median(duck["wall"])
        if one["same"]:
            ratios[name] = wall
            cpus.append(median(ours["cpu"]) / max(median(duck["cpu"]), 0.01))
        rows.append([f"[{name}](../../benches/compare/queries/{name}.sql)", f"{one['rows']:,}", f"{1000 * median(ours['wall']):.0f}",
                     f"{1000 * median(duck['wall']):.0f}", f"{wall:.2f}" if one["same"] else "answers differ",
                     f"{median(ours['cpu']):.2f} / {median(duck['cpu']):.2f}"])
    if not ratios:
        return []
    ordered = sorted(ratios, key=ratios.get)
    figure, axes = plot.subplots(figsize=(8, 0.28 * len(ordered) + 1))
    axes.barh(ordered, [ratios[name] for name in ordered], color=COLOURS["Clientele"])
    axes.axvline(1, color=COLOURS["DuckDB"], linewidth=2)
    axes.set_title("Time of Clientele, DuckDB on the same files = 1")
    figure.tight_layout()
    figure.savefig(out / "analytic.svg", metadata={"Date": None})
    return ["## 25 analytic questions", "", "Both on the same Parquet files; wall and CPU in one run.", "",
            *table(["question", "rows", "Clientele, ms", "DuckDB, ms", "ratio", "CPU s"], rows), "",
            f"Geometric mean **{geomean(list(ratios.values())):.2f}×** DuckDB's time ({geomean(cpus):.2f}× its CPU time); the worst {max(ratios.values()):.2f}×.",
            "", "![analytic](analytic.svg)"]


def bars(path, title, series, labels):
    figure, axes = plot.subplots(figsize=(7, 3))
    width = 0.8 / len(series)
    for at, (name, values) in enumerate(series.items()):
        axes.bar([x + at * width for x in range(len(labels))], values, width, label=name, color=COLOURS[name])
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(labels))], labels)
    axes.set_title(title)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plot.close(figure)
