"""Stitching, side by side: the same edges, the same questions, one run, CPU-seconds beside wall.

`identity.py --binary target/release/clientele --work DIR [--scale 0.1]`: scale 1 is 1.5 M people with 12.5 M identifiers
and 20.7 M edges, 67 of the identifiers poisoned (shared by thousands). Prints a table; writes DIR/identity.json.
"""
import argparse, json, os, pathlib, statistics, time

import duckdb
import numpy

from engines import Clientele

POISON = [("email", "usr", 3, 100_000), ("phone", "usr", 2, 100_000), ("device", "cookie", 2, 150_000),
          ("email", "phone", 10, 20_000), ("device", "usr", 50, 2_000)]
SHARES = [("cookie", "usr", .38), ("cookie", "device", .20), ("device", "usr", .14), ("usr", "email", .14),
          ("email", "phone", .08), ("cookie", "email", .04)]
COLUMNS = ("cookie", "device", "usr", "email", "phone")
TEXT = {"cookie": "'c-' || hex(hash({0}))", "device": "'d-' || hex(hash({0} + 7))", "usr": "'u' || {0}",
        "email": "'p' || {0} || '@mail.example.org'", "phone": "'+336' || lpad(({0} % 100000000)::text, 8, '0')"}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--scale", type=float, default=0.1)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    edges, rows = given.work / f"edges-{given.scale}.parquet", given.work / "rows.parquet"
    write_edges(edges, given.scale)
    write_rows(rows)
    server = Clientele(given.binary, given.work, 1)
    try:
        result = {"scale": given.scale, "load": os.getloadavg()[0], "stitch": stitch(server, edges),
                  "stitch_duckdb": stitch_duckdb(edges), "load_rows": load_rows(server, rows, given.rounds),
                  "group": group(server, given.rounds), "lookup": lookup(server)}
    finally:
        server.stop()
    (given.work / "identity.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


# ---- data

def write_edges(path, scale):
    """Edges of two identifiers each, most of one person's own, and the poisoned ones."""
    if path.exists():
        return
    random = numpy.random.default_rng(5)
    people = int(1_500_000 * scale)
    many = {"cookie": 5.4, "device": .7, "usr": .8, "email": .95, "phone": .5}
    first, count = {}, {}
    for kind, mean in many.items():
        each = random.poisson(mean, people) if kind != "cookie" else numpy.minimum(random.zipf(1.6, people) + 2, 200)
        first[kind], count[kind] = numpy.concatenate([[0], numpy.cumsum(each)[:-1]]), each
    lists = {kind: [] for kind in COLUMNS}

    def add(a, b, left, right):
        for kind in COLUMNS:
            fill = left if kind == a else right if kind == b else numpy.full(len(left), -1)
            lists[kind].append(fill)

    total = int(20_730_000 * scale)
    for a, b, share in SHARES:
        person = random.integers(0, people, int(total * share))
        person = person[(count[a][person] > 0) & (count[b][person] > 0)]
        pick = lambda kind: first[kind][person] + random.integers(0, 1 << 30, len(person)) % count[kind][person]
        add(a, b, pick(a), pick(b))
    for number, (a, b, identifiers, size) in enumerate(POISON):
        for one in range(identifiers):
            fill = max(int(size * scale), 1000)
            other = random.choice(int(count[b].sum()), min(fill, int(count[b].sum())), replace=False)
            add(a, b, numpy.full(len(other), 90_000_000 + number * 1000 + one), other)
    columns = {kind: numpy.concatenate(parts) for kind, parts in lists.items()}
    table = duckdb.connect()
    table.register("numbers", columns_as_arrow(columns))
    texts = ", ".join(f"CASE WHEN {kind} >= 0 THEN {TEXT[kind].format(kind)} END AS {kind}" for kind in COLUMNS)
    order = "hash((cookie, device, usr, email, phone))"
    table.execute(f"COPY (SELECT {texts} FROM numbers ORDER BY {order}) TO '{path}' (FORMAT parquet)")


def columns_as_arrow(columns):
    import pyarrow
    return pyarrow.table({name: pyarrow.array(values) for name, values in columns.items()})


def write_rows(path):
    """A million typed rows with an e-mail address, a card and a phone number."""
    duckdb.execute(f"""COPY (SELECT i AS id, 'p' || (i % 300000) || '@mail.example.org' AS email,
        CASE WHEN i % 3 = 0 THEN 'K' || (i % 200000) END AS card, '+336' || lpad((i % 250000)::text, 8, '0') AS phone,
        (i * 7 % 1000)::decimal(12, 2) AS total, timestamp '2026-01-01' + interval (i % 31536000) second AS at
        FROM range(1000000) t(i)) TO '{path}' (FORMAT parquet)""")


# ---- measurements

def cpu(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(server, run):
    before, began = cpu(server), time.perf_counter()
    answer = run()
    return {"wall": round(time.perf_counter() - began, 3), "cpu": round(cpu(server) - before, 2), "answer": answer}


def stitch(server, edges):
    admin = server.connect("postgres")
    admin.execute("DROP DATABASE IF EXISTS stitch")
    admin.execute("CREATE DATABASE stitch")
    with server.connect("stitch") as connection:
        connection.execute("CREATE DOMAIN cookie AS device_id; CREATE DOMAIN usr AS customer_key; "
                           "CREATE TABLE edges (cookie cookie, device device_id, usr usr, email email, phone phone)")
        result = timed(server, lambda: connection.execute(f"COPY edges FROM '{edges}' (FORMAT parquet)").rowcount)
        one = lambda sql: connection.execute(sql).fetchone()[0]
        result["quarantined"] = one("SELECT count(*) FROM identity.identifiers WHERE status = 'quarantined'")
        result["largest"] = one("SELECT max(n) FROM (SELECT count(*) n FROM identity.identifiers GROUP BY customer_id "
                                "HAVING customer_id IS NOT NULL) s")
        result["peak_mb"] = int(next(line for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
                                     .splitlines() if line.startswith("VmHWM")).split()[1]) // 1024
    return result


def stitch_duckdb(edges):
    """Labels by the smallest neighbour until nothing changes, on the edges without the poisoned ones."""
    began, before = time.perf_counter(), time.process_time()
    db = duckdb.connect(config={"threads": 2})
    parts = [f"SELECT '{a}:' || {a} AS a, '{b}:' || {b} AS b FROM e WHERE {a} IS NOT NULL AND {b} IS NOT NULL"
             for a, b, _ in SHARES + [("phone", "usr", 0)]]
    db.execute(f"CREATE VIEW e AS SELECT * FROM '{edges}'")
    db.execute("CREATE TABLE pairs AS SELECT DISTINCT a, b FROM (" + " UNION ALL ".join(parts) + ")")
    db.execute("CREATE TABLE heavy AS SELECT a AS n FROM pairs GROUP BY 1 HAVING count(*) > 500 UNION "
               "SELECT b FROM pairs GROUP BY 1 HAVING count(*) > 500")
    db.execute("CREATE TABLE ids AS SELECT n, row_number() OVER () AS id FROM "
               "(SELECT a AS n FROM pairs UNION SELECT b FROM pairs)")
    db.execute("CREATE TABLE g AS SELECT x.id AS a, y.id AS b FROM pairs JOIN ids x ON x.n = a JOIN ids y ON y.n = b "
               "WHERE a NOT IN (FROM heavy) AND b NOT IN (FROM heavy)")
    db.execute("CREATE TABLE label AS SELECT id AS n, id AS c FROM ids")
    while True:
        db.execute("CREATE OR REPLACE TABLE next AS SELECT n, min(c) AS c FROM (SELECT * FROM label UNION ALL "
                   "SELECT g.a, l.c FROM g JOIN label l ON l.n = g.b UNION ALL "
                   "SELECT g.b, l.c FROM g JOIN label l ON l.n = g.a) GROUP BY 1")
        db.execute("CREATE OR REPLACE TABLE jumped AS SELECT x.n, least(x.c, y.c) AS c FROM next x JOIN next y ON y.n = x.c")
        changed = db.execute("SELECT count(*) FROM jumped j JOIN label l USING (n) WHERE j.c <> l.c").fetchone()[0]
        db.execute("CREATE OR REPLACE TABLE label AS FROM jumped")
        if not changed:
            break
    return {"wall": round(time.perf_counter() - began, 3), "cpu": round(time.process_time() - before, 2),
            "answer": db.execute("SELECT count(DISTINCT c) FROM label").fetchone()[0]}


def load_rows(server, path, rounds):
    """COPY of a million rows with three identifiers, and of the same rows as plain text."""
    times = {"plain": [], "stitched": []}
    for turn in range(rounds):
        for kind, types in (("plain", ("text",) * 3), ("stitched", ("email", "loyalty_card", "phone"))):
            admin = server.connect("postgres")
            admin.execute("DROP DATABASE IF EXISTS loads")
            admin.execute("CREATE DATABASE loads")
            with server.connect("loads") as connection:
                connection.execute("CREATE TABLE t (id bigint, email {}, card {}, phone {}, total numeric(12,2), at timestamp)"
                                   .format(*types))
                times[kind].append(timed(server, lambda: connection.execute(f"COPY t FROM '{path}' (FORMAT parquet)").rowcount))
    median = lambda kind, what: statistics.median(one[what] for one in times[kind])
    return {kind: {what: median(kind, what) for what in ("wall", "cpu")} for kind in times}


def group(server, rounds):
    """GROUP BY customer_id, and by a stored column of the same numbers."""
    times = {"customer_id": [], "stored": []}
    with server.connect("stitch") as connection:
        connection.execute("DROP TABLE IF EXISTS stored")
        connection.execute("CREATE TABLE stored AS SELECT customer_id AS stored FROM edges")
        for _ in range(rounds):
            for column, table in (("customer_id", "edges"), ("stored", "stored")):
                sql = f"SELECT count(*) FROM (SELECT {column}, count(*) FROM {table} GROUP BY 1) g"
                times[column].append(timed(server, lambda: connection.execute(sql).fetchone()[0]))
    assert len({one["answer"] for both in times.values() for one in both}) == 1
    return {column: {what: statistics.median(one[what] for one in all) for what in ("wall", "cpu")}
            for column, all in times.items()}


def lookup(server):
    """An identifier's customer, and a customer's rows: milliseconds over the wire, p50 and p99."""
    result = {}
    with server.connect("stitch") as connection:
        emails = [row[0] for row in connection.execute("SELECT email FROM edges WHERE email IS NOT NULL LIMIT 400")]
        for name, sql in (("resolve", "SELECT identity.resolve(%s)"),
                          ("identifiers", "SELECT * FROM identity.identifiers WHERE value = %s"),
                          ("rows", "SELECT count(*) FROM edges WHERE customer_id = identity.resolve(%s)")):
            times = []
            for email in emails:
                value = email if name == "identifiers" else "email:" + email
                began = time.perf_counter()
                connection.execute(sql, [value]).fetchall()
                times.append(1000 * (time.perf_counter() - began))
            times.sort()
            result[name] = {"p50": round(times[len(times) // 2], 2), "p99": round(times[len(times) * 99 // 100], 2)}
    return result


if __name__ == "__main__":
    main()
