"""Erasure, side by side: one person and a thousand, the logical and the physical part, and the same with `deltalake`.

`erasure.py --binary target/release/clientele --work DIR [--rows 20000000] [--people 1000000]`: events of people who each have one
device. The physical part is held against reading and writing the touched files with pyarrow, and against DELETE + VACUUM of the
`deltalake` package on the same rows. Prints and writes DIR/erasure.json.
"""
import argparse, json, os, pathlib, shutil, statistics, time

import pyarrow.parquet as parquet
from deltalake import DeltaTable, write_deltalake

from engines import Clientele

STEP = 2_000_000


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=50)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    server = Clientele(given.binary, given.work, 1)
    try:
        load(server, given.rows, given.people)
        export = given.work / "events"
        shutil.rmtree(export, ignore_errors=True)
        export.mkdir()
        files = server.files("public", "events")
        for path in files:
            shutil.copy(path, export)
        result = {"rows": given.rows, "people": given.people, "files": len(files), "load": os.getloadavg()[0],
                  "one": one(server, given.rounds), "batch": batch(server, 1000, given.people // 2),
                  "rewrite_with_pyarrow_s": rewrite(sorted(export.iterdir())),
                  "deltalake": delta(given.work, sorted(export.iterdir()))}
    finally:
        server.stop()
    (given.work / "erasure.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def load(server, rows, people):
    run(server, "CREATE TABLE events (device device_id, kind text, amount int, page text, occurred_at timestamptz)")
    for first in range(1, rows, STEP):
        last = min(first + STEP - 1, rows)
        run(server, f"INSERT INTO events SELECT 'device-' || (g * 7919) % {people}, 'kind ' || g % 17, (g % 1000)::int, "
                   f"'/page/' || g % 4001, '2026-01-01'::timestamptz + g * interval '1 second' "
                   f"FROM generate_series({first}::bigint, {last}) AS g")
    run(server, "CALL clientele.flush()")


def run(server, statement):
    cursor = server.link.execute(statement)
    return cursor.fetchall() if cursor.description else []


def timed(server, statement):
    begin = time.perf_counter()
    rows = run(server, statement)
    return time.perf_counter() - begin, rows


def one(server, rounds):
    """One person, many times; then the physical part of the last one alone."""
    times = []
    # The request is received before it is answered: meanwhile the server reads the filters of the files.
    run(server, "CALL gdpr.receive('erasure', 'device_id:device-5')")
    time.sleep(10)
    for person in range(rounds):
        seconds, _ = timed(server, f"CALL gdpr.erase('device_id:device-{person * 31 + 5}', reason => 'bench')")
        times.append(seconds * 1000)
    first_call = times[0]
    first, _ = timed(server, "CALL gdpr.purge()")
    timed(server, "CALL gdpr.erase('device_id:device-3', reason => 'bench')")
    seconds, rows = timed(server, "CALL gdpr.purge()")
    times.sort()
    return {"logical_ms_p50": statistics.median(times), "logical_ms_p99": times[int(len(times) * .99)], "logical_ms_first": first_call,
            "purge_after_many_s": first, "purge_s": seconds, "rewriting_ms": rows[0][3], "searching_ms": rows[0][4]}


def batch(server, people, first):
    call = (f"CALL gdpr.erase(subjects => ARRAY(SELECT 'device_id:device-' || ({first} + g) "
            f"FROM generate_series(1, {people}) AS g), reason => 'bench')")
    logical, _ = timed(server, call)
    seconds, rows = timed(server, "CALL gdpr.purge()")
    return {"people": people, "logical_s": logical, "purge_s": seconds, "rewriting_ms": rows[0][3],
            "searching_ms": rows[0][4]}


def rewrite(files):
    """Reading and writing the files, and nothing else."""
    begin = time.perf_counter()
    for path in files:
        parquet.write_table(parquet.read_table(path), path.with_suffix(".new"), compression="zstd")
    seconds = time.perf_counter() - begin
    for path in files:
        path.with_suffix(".new").unlink()
    return seconds


def delta(work, files):
    target = work / "delta"
    shutil.rmtree(target, ignore_errors=True)
    for path in files:
        table = parquet.read_table(path)
        table = table.select([name for name in table.column_names if not name.startswith("customer_id")])
        write_deltalake(str(target), table, mode="append")
    begin = time.perf_counter()
    DeltaTable(str(target)).delete("device = 'device-77'")
    deleted = time.perf_counter() - begin
    DeltaTable(str(target)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    return {"delete_s": deleted, "delete_and_vacuum_s": time.perf_counter() - begin}


if __name__ == "__main__":
    main()
