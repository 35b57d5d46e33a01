"""What closed columns cost: the analytic queries as a superuser and as a role that nothing was opened to, in turn.

`masking.py --binary target/release/clientele --work DIR [--scale 4] [--rounds 7]`: prints medians in milliseconds and the ratio of each
query, then the geometric mean. Both read the same tables; the role meets pseudonyms, generalised values and NULL.
"""
import argparse, math, os, pathlib, statistics, time

import psycopg

from engines import Clientele

QUERIES = pathlib.Path(__file__).parent / "queries"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--scale", type=int, default=4)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    server = Clientele(given.binary, given.work, given.scale)
    try:
        roles = {"open": server.link, "masked": masked(server)}
        ratios = []
        for file in sorted(QUERIES.glob("*.sql")):
            sql, times = file.read_text(), {name: [] for name in roles}
            for turn in range(given.rounds + 1):
                # Who goes first, goes last the next time; the first turn warms up.
                for name in sorted(roles, reverse=turn % 2 == 1):
                    started = time.perf_counter()
                    rows = roles[name].execute(sql).fetchall()
                    if turn:
                        times[name].append(1000 * (time.perf_counter() - started))
            open_ms, masked_ms = (statistics.median(times[name]) for name in ("open", "masked"))
            ratios.append(masked_ms / open_ms)
            print(f"{file.stem:32} {open_ms:8.1f} {masked_ms:8.1f} ms {ratios[-1]:5.2f} {len(rows)} rows", flush=True)
        print(f"geometric mean {math.exp(statistics.fmean(map(math.log, ratios))):.3f}, load {os.getloadavg()[0]:.1f}")
    finally:
        server.stop()


def masked(server):
    link = server.link
    schemas = [row[0] for row in link.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")]
    if not link.execute("SELECT 1 FROM pg_roles WHERE rolname = 'masked'").fetchall():
        link.execute("CREATE ROLE masked LOGIN PASSWORD 'masked'")
    for schema in schemas:
        link.execute(f"GRANT USAGE ON SCHEMA {schema} TO masked")
        link.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO masked")
    return psycopg.connect(f"host=127.0.0.1 port={server.port} user=masked password=masked dbname={server.database}",
                           autocommit=True)


if __name__ == "__main__":
    main()
