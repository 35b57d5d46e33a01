"""The three engines: started, loaded, asked. Clientele and PostgreSQL over the wire, DuckDB in this process."""
import glob, os, pathlib, resource, shutil, signal, socket, subprocess, time

import duckdb, psycopg

try:
    from chdb.session import Session
except ImportError:
    Session = None

TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tree_cpu(pid):
    """CPU seconds of a process and its living children."""
    total = 0.0
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            fields = pathlib.Path(folder, "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid or int(folder[6:]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICK
    return total


class Wire:
    """What speaks the PostgreSQL protocol."""

    def connect(self, database=None):
        return psycopg.connect(host="127.0.0.1", port=self.port, user=self.user, password=self.password,
                               dbname=database or self.database, autocommit=True, prepare_threshold=None)

    def environment(self):
        return dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(self.port), PGUSER=self.user,
                    PGPASSWORD=self.password, PGDATABASE=self.database)

    def cpu(self):
        return tree_cpu(self.process.pid)


class Clientele(Wire):
    name, user, password = "Clientele", "admin", "benchmark"

    def __init__(self, binary, work, scale):
        self.database, self.port = "demo", free_port()
        self.data = work / f"clientele-{scale}"
        log = open(work / "clientele.log", "w")
        environment = dict(os.environ, CLIENTELE_ADMIN_PASSWORD=self.password)
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [binary, "demo", "--scale", str(scale), "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}",
             "--http-listen", f"127.0.0.1:{free_port()}"], stdout=log, stderr=log, env=environment)
        while True:
            try:
                with self.connect():
                    break
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    raise SystemExit(f"clientele did not start: see {log.name}")
                time.sleep(0.2)
        self.ready_seconds = time.perf_counter() - started
        with self.connect() as connection:
            connection.execute("CALL clientele.flush()")
            self.version = connection.execute("SELECT version()").fetchone()[0]
        self.link = self.connect()

    def query(self, sql):
        return self.link.execute(sql).fetchall()

    def stop(self):
        self.link.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def files(self, schema, table):
        """The Parquet files of a table."""
        with self.connect() as connection:
            oid, database = connection.execute(
                "SELECT c.oid, (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
                (schema, table)).fetchone()
        return sorted(glob.glob(f"{self.data}/**/{database}/files/{oid}/*.parquet", recursive=True))

    def tables(self):
        return self.query("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN "
                          "('pg_catalog', 'information_schema') ORDER BY 1, 2")

    def columns(self, schema, table):
        return [row[0] for row in self.link.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "ORDER BY ordinal_position", (schema, table)).fetchall()]


class Postgres(Wire):
    name, user, password, database = "PostgreSQL", "postgres", "", "postgres"

    def __init__(self, work):
        self.port, self.data = free_port(), pathlib.Path("/var/tmp/clientele-bench-pg")
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        shutil.chown(self.data, "postgres", "postgres")
        self.run("initdb", "-D", str(self.data), "-A", "trust", "-E", "UTF8", "--locale=C")
        log = open(work / "postgres.log", "w")
        self.process = subprocess.Popen(
            self.command("postgres", "-D", str(self.data), "-p", str(self.port), "-k", "/tmp",
                         "-c", "shared_buffers=2GB", "-c", "max_wal_size=8GB", "-c", "max_connections=120"),
            stdout=log, stderr=log, cwd="/")
        while True:
            try:
                with self.connect() as connection:
                    self.version = connection.execute("SELECT version()").fetchone()[0]
                    break
            except psycopg.OperationalError:
                time.sleep(0.2)
        self.link = self.connect()

    def command(self, program, *arguments):
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return prefix + [f"{self.bin}/{program}", *arguments]

    def run(self, program, *arguments):
        subprocess.run(self.command(program, *arguments), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def query(self, sql):
        return self.link.execute(sql).fetchall()

    def stop(self):
        self.link.close()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        shutil.rmtree(self.data, ignore_errors=True)


class DuckDB:
    name = "DuckDB"

    def __init__(self, path=":memory:"):
        self.link = duckdb.connect(str(path))
        self.version = f"DuckDB {duckdb.__version__}"
        self.link.execute(f"SET threads = {os.cpu_count()}; SET memory_limit = '8GB'; SET TimeZone = 'UTC'")

    def open_files(self, clientele):
        """Clientele's own Parquet files as views of the same names."""
        for schema, table in clientele.tables():
            files = clientele.files(schema, table)
            if files:
                self.link.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
                stored = self.link.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()
                names = clientele.columns(schema, table)
                listed = ", ".join(f'"{one[0]}" AS "{name}"' for one, name in zip(stored, names))
                self.link.execute(f'CREATE VIEW "{schema}"."{table}" AS SELECT {listed} FROM read_parquet({files})')

    def query(self, sql):
        return self.link.execute(sql).fetchall()

    def cpu(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime


class ClickHouse:
    """ClickHouse in this process, by chdb; `here` says whether it is installed."""
    name, here = "ClickHouse", Session is not None

    def __init__(self):
        self.link = Session()
        self.version = f"ClickHouse {self.query('SELECT version()')[0][0]}"

    def open_files(self, clientele, *names):
        """Clientele's own Parquet files of these tables as views `schema_table`."""
        for schema, table in names:
            files = clientele.files(schema, table)
            with duckdb.connect() as link:
                stored = link.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()
            listed = ", ".join(f"`{one[0]}` AS `{name}`" for one, name in zip(stored, clientele.columns(schema, table)))
            folder, inside = os.path.dirname(files[0]), ",".join(os.path.basename(one) for one in files)
            self.link.query(f"CREATE VIEW {schema}_{table} AS SELECT {listed} FROM file('{folder}/{{{inside}}}', Parquet)")

    def query(self, sql):
        return [tuple(line.split("\t")) for line in self.link.query(sql, "TSV").data().splitlines()]
