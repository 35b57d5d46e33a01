"""Functions of one pass against DuckDB's SQL (and the functions of ClickHouse, where chdb is installed) for the same question, over the same
Parquet files, in one run.

`behaviour.py --binary target/release/clientele --work DIR [--scale 1] [--rounds 5]`: prints a table; writes DIR/behaviour.json.
An answer that differs voids its time.
"""
import argparse, json, pathlib, statistics, time

from engines import ClickHouse, Clientele, DuckDB

WINDOWS = pathlib.Path(__file__).with_name("queries")
FUNNEL = """SELECT step, count(*) AS devices FROM (SELECT funnel('7 days', occurred_at, event = 'visit', event = 'product_view',
  event = 'add_to_cart', event = 'purchase') AS step FROM web.events GROUP BY device) AS reached WHERE step > 0 GROUP BY 1 ORDER BY 1"""
SESSIONS = """SELECT extract(year FROM began_at) AS year, count(*) AS sessions, sum(steps) AS steps, max(steps) AS longest
FROM (SELECT device, session, count(*) AS steps, min(occurred_at) AS began_at FROM
  (SELECT device, occurred_at, sessionize(occurred_at, '30 minutes') OVER (PARTITION BY device ORDER BY occurred_at) AS session
   FROM web.events) AS numbered GROUP BY 1, 2) AS sessions GROUP BY 1 ORDER BY 1"""
COUNT = """SELECT sum(sessions) FROM (SELECT session_count(occurred_at, '30 minutes') AS sessions FROM web.events GROUP BY device) AS s"""
COUNT_SQL = """SELECT count(*) FROM (SELECT occurred_at, lag(occurred_at) OVER (PARTITION BY device ORDER BY occurred_at) AS before
FROM web.events) AS s WHERE before IS NULL OR occurred_at - before > interval '30 minutes'"""
MOST = """SELECT most, count(*) FROM (SELECT count_within(sent_at, '7 days') AS most FROM mail.sends GROUP BY email) AS s GROUP BY 1 ORDER BY 1"""
MOST_SQL = """SELECT most, count(*) FROM (SELECT email, max(letters) AS most FROM (SELECT email, count(*) OVER (PARTITION BY email
ORDER BY sent_at RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) AS letters FROM mail.sends) AS p GROUP BY 1) AS s GROUP BY 1 ORDER BY 1"""
TWICE = "SELECT count(*) FROM (SELECT email FROM shop.orders GROUP BY email HAVING recurs_within(ordered_at, '30 days')) AS s"
TWICE_SQL = """SELECT count(DISTINCT coalesce(email, '')) FROM (SELECT email, ordered_at - lag(ordered_at) OVER (PARTITION BY email
ORDER BY ordered_at) AS after FROM shop.orders) AS s WHERE after <= interval '30 days'"""
CONSENT = """SELECT purpose, granted, count(*) AS customers FROM (SELECT email, purpose, latest_by(granted, decided_at) AS granted
FROM consents.decisions GROUP BY 1, 2) AS latest GROUP BY 1, 2 ORDER BY 1, 2"""
FUNNEL_CLICKHOUSE = """SELECT step, count() FROM (SELECT windowFunnel(604800000000)(toUInt64(toUnixTimestamp64Micro(occurred_at)), event = 'visit',
  event = 'product_view', event = 'add_to_cart', event = 'purchase') AS step FROM web_events GROUP BY device) WHERE step > 0 GROUP BY step ORDER BY step"""
QUESTIONS = {
    "funnel": (FUNNEL, (WINDOWS / "10_funnel.sql").read_text().replace(") AS step FROM third_step GROUP BY device)",
               ") AS step FROM third_step GROUP BY device HAVING step > 0)"), FUNNEL_CLICKHOUSE),
    "sessions": (SESSIONS, (WINDOWS / "12_sessions.sql").read_text()),
    "session count": (COUNT, COUNT_SQL),
    "trailing pressure": (MOST, MOST_SQL),
    "two orders in 30 days": (TWICE, TWICE_SQL),
    "consent": (CONSENT, (WINDOWS / "21_consent_as_of.sql").read_text()),
}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--scale", type=int, default=1)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    engines = [Clientele(given.binary, given.work, given.scale), DuckDB()]
    server = engines[0]
    try:
        engines[1].open_files(server)
        if ClickHouse.here:
            engines.append(ClickHouse())
            engines[2].open_files(server, ("web", "events"))
        result = {name: question(engines, asked, given.rounds) for name, asked in QUESTIONS.items()}
    finally:
        server.stop()
    (given.work / "behaviour.json").write_text(json.dumps(result, indent=1))
    print(f"{'question':24}" + "".join(f"{engine.name:>14}" for engine in engines) + f"{'ratio':>8}  same answer")
    for name, one in result.items():
        times = "".join(f"{one[engine.name]:14.1f}" if engine.name in one else " " * 14 for engine in engines)
        print(f"{name:24}{times}{one['Clientele'] / one['DuckDB']:8.2f}  {one['same']}")


def question(engines, asked, rounds):
    """The medians of all engines that are asked, in milliseconds; whether all answers are the first one's."""
    pairs = list(zip(engines, asked))
    answers = [normal(engine.query(sql)) for engine, sql in pairs]
    times = {engine.name: [] for engine, _ in pairs}
    for _ in range(rounds):
        for engine, sql in pairs:
            started = time.perf_counter()
            engine.query(sql)
            times[engine.name].append((time.perf_counter() - started) * 1000)
    same = all(answer == answers[0] for answer in answers)
    return {"same": same, **{name: statistics.median(all) for name, all in times.items()}, "runs": times}


def normal(rows):
    return sorted(tuple(str(int(one)) if isinstance(one, (int, float)) or str(one).isdigit() else str(one) for one in row)
                  for row in rows)


if __name__ == "__main__":
    main()
