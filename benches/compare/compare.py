"""Clientele, PostgreSQL and DuckDB side by side: the same data, one run, medians and ratios.

Each measurement alternates between the engines, so that noise of the machine meets both. A wrong answer voids its
time. `results.json` has every single run; `README.md` and the charts beside it are made from it.
"""
import argparse, datetime, decimal, json, os, pathlib, random, re, statistics, subprocess, time

from engines import Clientele, DuckDB, Postgres
from report import write_report

HERE = pathlib.Path(__file__).parent
ROWS = 1_000_000
PARTS = ("copy", "insert", "lookup", "timeline", "analytic")
TYPED = ("id bigint PRIMARY KEY, email text, name text, born date, visits int, spent numeric(12,2), "
         "active boolean, seen_at timestamptz")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--scale", type=int, default=20, help="times 50 000 people; 20: a million")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default=",".join(PARTS))
    options.add_argument("--queries", default="", help="only analytic queries whose name matches this pattern")
    given = options.parse_args()
    clientele = Clientele(given.binary, given.work, given.scale)
    postgres = Postgres(given.work)
    duck = DuckDB()
    result = {"machine": machine(), "versions": [one.version for one in (clientele, postgres, duck)],
              "scale": given.scale, "rounds": given.rounds, "ready_seconds": clientele.ready_seconds,
              "flush_probe_ms": flush_probe(given.work), "before": load()}
    try:
        for part in given.only.split(","):
            print(f"== {part}", flush=True)
            result[part] = globals()[part](clientele, postgres, duck, given)
    finally:
        clientele.stop()
        postgres.stop()
    result["after"] = load()
    given.out.mkdir(parents=True, exist_ok=True)
    before = given.out / "results.json"
    if before.exists() and set(given.only.split(",")) < set(PARTS):
        # Parts that were not asked for stay as an earlier run left them.
        earlier = json.loads(before.read_text())
        result |= {part: earlier[part] for part in PARTS if part in earlier and part not in result}
        result["again"] = given.only
    write_report(result, given.out)


# ---- the machine

def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return {"processor": model[1] if model else "?", "processors": os.cpu_count(), "memory_gib": round(memory / 2**20, 1),
            "kernel": os.uname().release, "date": datetime.date.today().isoformat()}


def load():
    first = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return {"load": os.getloadavg()[0], "steal_ticks": int(first[7])}


def flush_probe(work):
    """p50 in ms of an 8 kB overwrite and fdatasync: what one durable commit costs at least."""
    path, times = work / "flush-probe", []
    with open(path, "w+b") as file:
        file.write(bytes(8 << 20))
        os.fsync(file.fileno())
        for turn in range(300):
            file.seek(turn % 1000 * 8192)
            began = time.perf_counter()
            file.write(b"x" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return 1000 * statistics.median(times)


def alternate(rounds, engines, work):
    """Runs `work(engine)` in turns; seconds of wall and CPU by engine's name. The first turn warms up."""
    runs = {engine.name: {"wall": [], "cpu": []} for engine in engines}
    for turn in range(rounds + 1):
        order = engines if turn % 2 else engines[::-1]
        for engine in order:
            cpu, began = engine.cpu(), time.perf_counter()
            work(engine)
            wall, cpu = time.perf_counter() - began, engine.cpu() - cpu
            if turn:
                runs[engine.name]["wall"].append(wall)
                runs[engine.name]["cpu"].append(cpu)
    return runs


# ---- the parts

def typed_csv(work):
    path = work / "typed.csv"
    if not path.exists():
        dice, names = random.Random(7), ["Anna", "Ben", "Chloé", "David", "Emma", "Łukasz", "Zoë"]
        with open(path, "w") as out:
            for row in range(ROWS):
                second = dice.randrange(730 * 86_400)
                seen = datetime.datetime(2024, 11, 1) + datetime.timedelta(seconds=second)
                out.write(f"{row},person{dice.randrange(ROWS)}@example.com,{dice.choice(names)} {row % 9973},"
                          f"{1940 + row % 66}-{1 + row % 12:02}-{1 + row % 28:02},{dice.randrange(1000)},"
                          f"{dice.randrange(10**7) / 100:.2f},{'t' if row % 3 else 'f'},{seen:%Y-%m-%d %H:%M:%S}+00\n")
    return path


def copy_into(engine, path, table):
    if isinstance(engine, DuckDB):
        engine.link.execute(f"COPY {table} FROM '{path}' (FORMAT csv, HEADER false)")
        return
    with engine.link.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy, open(path, "rb") as file:
        while piece := file.read(1 << 18):
            copy.write(piece)


def fresh(engine, table):
    engine.link.execute(f"DROP TABLE IF EXISTS {table}")
    engine.link.execute(f"CREATE TABLE {table} ({TYPED})")


def copy(clientele, postgres, duck, given):
    """COPY of a million rows of eight types into an empty table with a primary key."""
    path = typed_csv(given.work)
    runs = {}
    for turn in range(given.rounds + 1):
        for engine in (clientele, postgres) if turn % 2 else (postgres, clientele):
            fresh(engine, "typed")
            cpu, began = engine.cpu(), time.perf_counter()
            copy_into(engine, path, "typed")
            wall, cpu = time.perf_counter() - began, engine.cpu() - cpu
            if turn:
                mine = runs.setdefault(engine.name, {"wall": [], "cpu": []})
                mine["wall"].append(wall)
                mine["cpu"].append(cpu)
            assert engine.query("SELECT count(*) FROM typed") == [(ROWS,)]
    return {"rows": ROWS, "runs": runs}


def pgbench(engine, script, clients, seconds, postgres, work, logs=False):
    file = work / "script.sql"
    file.write_text(script)
    for old in work.glob("pgbench_log.*"):
        old.unlink()
    command = [f"{postgres.bin}/pgbench", "-n", "-M", "prepared", "-f", str(file), "-c", str(clients), "-j", "2", "-T", str(seconds)]
    done = subprocess.run(command + (["-l"] if logs else []), env=engine.environment(), cwd=work, check=True,
                          capture_output=True, text=True)
    rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])
    times = [int(line.split()[2]) for log in work.glob("pgbench_log.*") for line in log.read_text().splitlines()]
    return rate, times


def insert(clientele, postgres, duck, given):
    """Durable single-row INSERTs: prepared, autocommit, synchronous_commit on; rows a second."""
    script = ("\\set n random(1, 1000000000)\nINSERT INTO inserted (email, name, visits, spent, seen_at) "
              "VALUES (:n::text, 'Anna', :n, 12.50, '2026-10-01 12:00:00+00');\n")
    for engine in (clientele, postgres):
        engine.link.execute("DROP TABLE IF EXISTS inserted")
        engine.link.execute("CREATE TABLE inserted (email text, name text, visits int, spent numeric(12,2), seen_at timestamptz)")
    runs = {}
    for clients in (1, 8, 32):
        mine = runs[str(clients)] = {clientele.name: [], postgres.name: []}
        for turn in range(given.rounds):
            for engine in (clientele, postgres) if turn % 2 else (postgres, clientele):
                mine[engine.name].append(pgbench(engine, script, clients, 3, postgres, given.work)[0])
        print(clients, {name: round(statistics.median(rates)) for name, rates in mine.items()}, flush=True)
    return runs


def lookup(clientele, postgres, duck, given):
    """A row by its primary key out of a million: microseconds, one connection; and rate with eight."""
    path = typed_csv(given.work)
    for engine in (clientele, postgres, duck):
        fresh(engine, "typed")
        copy_into(engine, path, "typed")
    clientele.link.execute("CALL clientele.flush()")
    postgres.link.execute("VACUUM ANALYZE typed")
    script = f"\\set id random(0, {ROWS - 1})\nSELECT email, name, spent, seen_at FROM typed WHERE id = :id;\n"
    runs = {"p50_us": {}, "p99_us": {}, "rate_8": {}}
    for turn in range(given.rounds):
        for engine in (clientele, postgres) if turn % 2 else (postgres, clientele):
            _, times = pgbench(engine, script, 1, 3, postgres, given.work, logs=True)
            times.sort()
            for key, at in (("p50_us", 0.5), ("p99_us", 0.99)):
                runs[key].setdefault(engine.name, []).append(times[int(at * len(times))])
            runs["rate_8"].setdefault(engine.name, []).append(pgbench(engine, script, 8, 3, postgres, given.work)[0])
    times = []
    for _ in range(500):
        began = time.perf_counter()
        duck.link.execute("SELECT email, name, spent, seen_at FROM typed WHERE id = ?", [random.randrange(ROWS)]).fetchall()
        times.append(1e6 * (time.perf_counter() - began))
    runs["p50_us"][duck.name] = [statistics.median(times)]
    return runs


def timeline(clientele, postgres, duck, given):
    """One customer out of all events, and everything known about one: milliseconds over the wire."""
    clientele.link.execute("CALL clientele.flush()")
    contacts = clientele.query("SELECT contact_id, email FROM crm.contacts WHERE email IS NOT NULL ORDER BY contact_id LIMIT 20000")
    chosen = random.Random(7).sample(contacts, 240)
    questions = {name: (HERE / "lookups" / f"{name}.sql").read_text() for name in ("timeline", "profile_360")}
    runs = {}
    with clientele.connect() as connection:
        connection.prepare_threshold = 0
        for name, sql in questions.items():
            times = runs[name] = []
            # The first half warms up: other customers, so that no answer is there already.
            for turn, (contact, email) in enumerate(chosen):
                began = time.perf_counter()
                connection.execute(sql, {"contact": contact, "email": email}, prepare=True).fetchall()
                if turn >= len(chosen) // 2:
                    times.append(1000 * (time.perf_counter() - began))
            print(name, f"p50 {statistics.median(times):.2f} ms", flush=True)
    return runs


def analytic(clientele, postgres, duck, given):
    """25 questions of a customer data engine on the same Parquet files."""
    duck.open_files(clientele)
    runs = {}
    for file in sorted((HERE / "queries").glob("*.sql")):
        if not re.search(given.queries, file.stem):
            continue
        sql, answers = file.read_text(), {}
        # DuckDB reads jsonb, which Parquet keeps as text, as JSON.
        asked = {clientele.name: sql, duck.name: sql.replace("properties ->>", "properties::json ->>")}

        def ask(engine):
            answers[engine.name] = engine.query(asked[engine.name])

        mine = alternate(given.rounds, [clientele, duck], ask)
        same = normal(answers[clientele.name]) == normal(answers[duck.name])
        walls = {name: 1000 * statistics.median(one["wall"]) for name, one in mine.items()}
        runs[file.stem] = {"rows": len(answers[clientele.name]), "same": same, "runs": mine}
        print(f"{file.stem:32} {walls[clientele.name]:8.1f} {walls[duck.name]:8.1f} ms "
              f"{walls[clientele.name] / walls[duck.name]:5.2f} {'' if same else 'DIFFERENT'}", flush=True)
        if not same:
            print(normal(answers[clientele.name])[:3], normal(answers[duck.name])[:3])
    return runs


def normal(rows):
    """Rows as they compare: numbers by value to nine digits, times in UTC, order left out."""
    def value(one):
        if isinstance(one, datetime.datetime) and one.tzinfo:
            return one.astimezone(datetime.timezone.utc).isoformat()
        if isinstance(one, bool) or one is None or isinstance(one, str):
            return str(one)
        if isinstance(one, (int, float, decimal.Decimal)):
            return f"{float(one):.9g}"
        return str(one)
    return sorted(tuple(value(one) for one in row) for row in rows)


if __name__ == "__main__":
    main()
