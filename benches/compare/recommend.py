"""Recommendations for everybody, Parquet to Parquet through SQL, CPU-seconds beside wall.

`recommend.py --binary target/release/clientele --work DIR [--customers 100000] [--lines 100] [--items 20000]`: purchases are made up
(popularity 1 / (rank + 5), lognormal numbers of lines, four favourite groups for each customer), written as Parquet, learnt where they are
(a foreign table) or, with `--load`, from a table that they are copied to, and recommended. `--implicit` runs that library beside where it is installed, `--duckdb` the self-join that SQL alone would be. Prints and writes
DIR/recommend.json.
"""
import argparse, json, os, pathlib, random, statistics, time

import numpy
import pyarrow
import pyarrow.parquet

import recommend_peers
from engines import Clientele

MONTHS = 36
COLUMNS = "(customer_id bigint, product_id int, quantity int, ordered_at timestamptz)"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--customers", type=int, default=100_000)
    options.add_argument("--lines", type=int, default=100)
    options.add_argument("--items", type=int, default=20_000)
    options.add_argument("--load", action="store_true")
    options.add_argument("--implicit", action="store_true")
    options.add_argument("--duckdb", action="store_true")
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    purchases = given.work / f"purchases-{given.customers}-{given.lines}-{given.items}.parquet"
    write_purchases(purchases, given)
    server = Clientele(given.binary, given.work, 1)
    try:
        result = {"customers": given.customers, "load_average": os.getloadavg()[0]} | run(server, purchases, given)
    finally:
        server.stop()
    for peer in (peer for peer in ("implicit", "duckdb") if getattr(given, peer)):
        result[peer] = recommend_peers.run(peer, purchases, given.work / f"{peer}.parquet")
    (given.work / "recommend.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def write_purchases(path, given):
    """Lines month after month, so that no customer's lines stand together."""
    if path.exists():
        return
    numbers = numpy.random.default_rng(1)
    popular = 1.0 / (numpy.arange(given.items) + 5.0)
    all_items = numpy.cumsum(popular) / popular.sum()
    groups = max(40, given.items // 100)
    favourites = numbers.integers(0, groups, (given.customers, 4))
    own = numpy.clip(numbers.lognormal(numpy.log(given.lines) - 1.1 ** 2 / 2, 1.1, given.customers), 1, 20_000)
    begins = numbers.integers(0, MONTHS, given.customers)
    ends = begins + 1 + (numbers.random(given.customers) * (MONTHS - begins)).astype(int)
    last = numpy.zeros(given.customers, dtype=numpy.int64)
    schema = pyarrow.schema([("customer_id", pyarrow.int64()), ("product_id", pyarrow.int32()),
                             ("quantity", pyarrow.int32()), ("ordered_at", pyarrow.timestamp("us", "UTC"))])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as file:
        for month in range(MONTHS):
            active = numpy.nonzero((begins <= month) & (month < ends))[0]
            count = (own[active] / (ends - begins)[active] + numbers.random(len(active))).astype(int)
            who = numpy.repeat(active, count)
            drawn = numpy.searchsorted(all_items, numbers.random(len(who)))
            kind = numbers.random(len(who))
            group = favourites[who, numbers.integers(0, 4, len(who))]
            item = numpy.where(kind < .55, (drawn // groups * groups + group) % given.items, drawn)
            item = numpy.where((kind >= .70) & (kind < .85), (last[who] * 7 + 13) % given.items, item)
            item = numpy.where(kind >= .85, last[who], item)
            last[who] = item
            instant = 1_600_000_000_000_000 + month * 2_592_000_000_000 + numpy.sort(numbers.integers(0, 30, len(who))) * 86_400_000_000
            file.write_table(pyarrow.table([who * 7919 + 12345, item.astype(numpy.int32),
                                            numpy.ones(len(who), numpy.int32), instant], schema=schema))


def cpu(server):
    """Processor seconds of the server so far."""
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(server):
    line = next(one for one in open(f"/proc/{server.process.pid}/status") if one.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def timed(server, sql):
    used, started = cpu(server), time.perf_counter()
    server.link.execute(sql)
    return {"seconds": round(time.perf_counter() - started, 2), "cpu_seconds": round(cpu(server) - used, 2)}


def run(server, purchases, given):
    result, work = {}, given.work
    server.link.execute("DROP TABLE IF EXISTS purchases CASCADE")
    server.link.execute("DROP SERVER IF EXISTS lake CASCADE")
    if given.load:
        server.link.execute(f"CREATE TABLE purchases {COLUMNS}")
        result["load"] = timed(server, f"COPY purchases FROM '{purchases}' (FORMAT parquet)")
    else:
        server.link.execute("CREATE SERVER lake FOREIGN DATA WRAPPER parquet_fdw")
        server.link.execute(f"CREATE FOREIGN TABLE purchases {COLUMNS} SERVER lake OPTIONS (filename '{purchases}')")
    query = "SELECT customer_id, product_id, quantity, ordered_at FROM purchases"
    with_ = "WITH (k = 10, method = 'cosine')"
    result["learn"] = timed(server, f"CREATE MATERIALIZED VIEW next_best USING recommender {with_} AS {query}")
    result["recommend"] = timed(server, f"COPY (SELECT * FROM next_best) TO '{work}/next_best.parquet' (FORMAT parquet)")
    result["filtered"] = timed(server, f"COPY (SELECT * FROM recommend.products('next_best', candidates => (SELECT DISTINCT product_id "
                                       f"FROM purchases WHERE product_id % 10 = 0))) TO '{work}/filtered.parquet' (FORMAT parquet)")
    result["peak_mib"] = peak(server)
    customers = [row[0] for row in server.query("SELECT DISTINCT customer_id FROM purchases LIMIT 500")]
    times = []
    for customer in random.Random(1).choices(customers, k=1000):
        started = time.perf_counter()
        server.link.execute("SELECT * FROM next_best WHERE customer_id = %s", (customer,)).fetchall()
        times.append((time.perf_counter() - started) * 1000)
    result["one_customer_ms"] = {"p50": round(statistics.median(times), 2), "p99": round(sorted(times)[989], 2)}
    if given.load:
        result["after_a_purchase_ms"] = after_a_purchase(server, customers[0])
    scores = "SELECT count(*), sum(clv) FROM score.customers((SELECT customer_id, ordered_at, quantity FROM purchases), unit => '1 week')"
    result["score"] = timed(server, scores)
    return result


def after_a_purchase(server, customer):
    started = time.perf_counter()
    server.link.execute("INSERT INTO purchases VALUES (%s, 1, 1, now())", (customer,))
    server.link.execute("SELECT * FROM next_best WHERE customer_id = %s", (customer,)).fetchall()
    return round((time.perf_counter() - started) * 1000, 1)


if __name__ == "__main__":
    main()
