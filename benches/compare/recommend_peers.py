"""The same recommendations by others: `implicit` (where it is installed), and plain SQL in DuckDB. Each has a process of its own."""
import importlib.util, multiprocessing, os, time

NEIGHBOURS, BEST, AT_ONCE = 50, 10, 100_000


def run(name, purchases, out):
    """Seconds, processor seconds and peak of one of them; None where it is not installed."""
    if importlib.util.find_spec(name) is None:
        return None
    started = time.perf_counter()
    process = multiprocessing.get_context("spawn").Process(target={"implicit": by_implicit, "duckdb": by_duckdb}[name], args=(str(purchases), str(out)))
    process.start()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        return {"failed": status}
    return {"seconds": round(time.perf_counter() - started, 1), "cpu_seconds": round(used.ru_utime + used.ru_stime, 1), "peak_mib": used.ru_maxrss // 1024}


def by_implicit(purchases, out):
    """Cosine of item and item, from Parquet to Parquet."""
    import implicit.nearest_neighbours, numpy, pyarrow, pyarrow.parquet, scipy.sparse

    table = pyarrow.parquet.read_table(purchases, columns=["customer_id", "product_id"])
    customers, items = (table.column(name).combine_chunks().dictionary_encode() for name in ("customer_id", "product_id"))
    del table
    rows, columns = customers.indices.to_numpy(), items.indices.to_numpy()
    bought = scipy.sparse.csr_matrix((numpy.ones(len(rows), numpy.float32), (rows, columns)), shape=(len(customers.dictionary), len(items.dictionary)))
    del rows, columns
    bought.sum_duplicates()
    bought.data[:] = 1
    model = implicit.nearest_neighbours.CosineRecommender(K=NEIGHBOURS, num_threads=os.cpu_count())
    model.fit(bought, show_progress=False)
    schema = pyarrow.schema([("customer_id", customers.dictionary.type), ("product_id", items.dictionary.type), ("score", pyarrow.float32())])
    with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as file:
        for first in range(0, bought.shape[0], AT_ONCE):
            some = numpy.arange(first, min(first + AT_ONCE, bought.shape[0]))
            found, scores = model.recommend(some, bought[some], N=BEST, filter_already_liked_items=True)
            best = pyarrow.array(numpy.maximum(found, 0).ravel())
            who = customers.dictionary.take(pyarrow.array(numpy.repeat(some, BEST)))
            file.write_table(pyarrow.table([who, items.dictionary.take(best), scores.astype(numpy.float32).ravel()], schema=schema))


def by_duckdb(purchases, out):
    """Item-kNN in plain SQL: pairs, fifty neighbours, sums."""
    import duckdb

    table = duckdb.connect()
    table.execute("SET enable_progress_bar = false")
    table.execute(f"CREATE TABLE p AS SELECT DISTINCT customer_id, product_id FROM '{purchases}'")
    table.execute("CREATE TABLE n AS SELECT product_id, count(*) AS n FROM p GROUP BY 1")
    table.execute(f"""CREATE TABLE near AS SELECT a, b, c / sqrt(x.n * y.n) AS w FROM (
        SELECT l.product_id AS a, r.product_id AS b, count(*) AS c FROM p l JOIN p r ON l.customer_id = r.customer_id AND l.product_id <> r.product_id GROUP BY 1, 2)
        JOIN n x ON x.product_id = a JOIN n y ON y.product_id = b QUALIFY row_number() OVER (PARTITION BY a ORDER BY w DESC, b) <= {NEIGHBOURS}""")
    table.execute(f"""COPY (SELECT customer_id, b AS product_id, sum(w) AS score FROM p JOIN near ON a = product_id
        ANTI JOIN p AS bought ON bought.customer_id = p.customer_id AND bought.product_id = b GROUP BY 1, 2
        QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY score DESC, b) <= {BEST}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)""")
