"""Segments on the demo's events: full and incremental refreshes, entry on commit, overlap, bytes.

`segments.py --binary target/release/clientele --work DIR [--scale 1] [--segments 100]`: scale 1 is the demo's 50 000 people with a
million events. Prints JSON and writes DIR/segments.json. A refresh after commits is one run over all segments; its time is
that from the commit to the moment at which the last segment shows it.
"""
import argparse, json, os, pathlib, random, statistics, threading, time

from engines import Clientele

EVENTS = "web.events"


def definitions(count):
    """Segments of five kinds, each with limits of its own."""
    kinds = [
        "SELECT customer_id FROM {t} WHERE event = 'product_view' GROUP BY 1 HAVING count(*) > {a}",
        "SELECT customer_id FROM {t} GROUP BY 1 HAVING count(DISTINCT event) > {b} AND count(*) > {a}",
        "SELECT DISTINCT customer_id FROM {t} WHERE event = 'add_to_cart' EXCEPT "
        "SELECT customer_id FROM {t} WHERE event = 'purchase' AND occurred_at > timestamptz '2026-01-01' - interval '{a} days'",
        "SELECT customer_id FROM {t} GROUP BY 1 HAVING max(occurred_at) < now() - interval '{a} days'",
        "SELECT customer_id FROM {t} WHERE occurred_at > now() - interval '{a} days' GROUP BY 1 HAVING count(*) >= 2",
    ]
    return [kinds[i % 5].format(t=EVENTS, a=1 + i // 5, b=i // 5 % 3) for i in range(count)]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--work", type=pathlib.Path, required=True)
    options.add_argument("--scale", type=int, default=1)
    options.add_argument("--segments", type=int, default=100)
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    server = Clientele(given.binary, given.work, given.scale)
    try:
        result = measure(server, given)
    finally:
        server.stop()
    (given.work / "segments.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def measure(server, given):
    link = server.link
    link.autocommit = True
    result = {"scale": given.scale, "segments": given.segments, "load": os.getloadavg()[0],
              "events": server.query(f"SELECT count(*) FROM {EVENTS}")[0][0]}
    begun = time.perf_counter()
    for number, definition in enumerate(definitions(given.segments)):
        link.execute(f"CREATE MATERIALIZED VIEW segments.b{number} AS {definition}")
    result["full_s"] = time.perf_counter() - begun
    for number in range(given.segments):
        link.execute(f"ALTER MATERIALIZED VIEW segments.b{number} SET (refresh = 'on commit')")
    took = after(server, given.segments, 1)
    for count in (1, 100, 10_000):
        took = result.setdefault("incremental_s", {})[count] = after(server, given.segments, count, took)
    result["modes"] = server.query("SELECT last_mode, count(*) FROM membership.segments GROUP BY 1 ORDER BY 1")
    server.query("SELECT count(*) FROM segments.overlap_matrix()")
    result["overlap_matrix_ms"] = median(lambda: server.query("SELECT count(*) FROM segments.overlap_matrix()")) * 1000
    link.execute("CALL clientele.flush()")
    result["sets_ms"] = sets(server)
    rows, size = server.query("SELECT count(*), pg_relation_size('membership.intervals') FROM membership.intervals")[0]
    result["intervals"], result["bytes_per_interval"] = rows, size / rows
    members, size = server.query(
        "SELECT (SELECT sum(member_count) FROM membership.segments)::bigint, (SELECT sum(pg_relation_size(oid)) FROM pg_class "
        "WHERE relnamespace = 'segments'::regnamespace)::bigint")[0]
    result["members"], result["bytes_per_member"] = members, size / members
    for number in range(1, given.segments):
        link.execute(f"DROP MATERIALIZED VIEW segments.b{number}")
    result["entry"] = entry(server)
    return result


def add(link, count):
    devices = [row[0] for row in link.execute(f"SELECT DISTINCT device FROM {EVENTS} LIMIT 20000").fetchall()]
    with link.cursor().copy(f"COPY {EVENTS} (device, event, occurred_at) FROM STDIN") as rows:
        for _ in range(count):
            rows.write_row((random.choice(devices), "product_view", "2026-11-20 10:00:00+00"))


def settled(server, segments, since):
    begun = time.perf_counter()
    asked = f"SELECT count(*) FROM membership.states() WHERE last_refreshed_at >= '{since}'"
    while server.query(asked)[0][0] < segments:
        time.sleep(0.02)
    return time.perf_counter() - begun


def after(server, segments, count, rest=0):
    """Seconds until all segments show new events. After a run the server rests for as long as it took: that is waited for before."""
    time.sleep(2 + rest)
    since = server.query("SELECT clock_timestamp()")[0][0]
    add(server.link, count)
    return settled(server, segments, since)


SETS = {
    "intersect": "SELECT count(*) FROM (SELECT customer_id FROM {0} INTERSECT SELECT customer_id FROM {1}) AS s",
    "union": "SELECT count(*) FROM (SELECT customer_id FROM {0} UNION SELECT customer_id FROM {1}) AS s",
    "nested": "SELECT count(*) FROM ((SELECT customer_id FROM {0} UNION SELECT customer_id FROM {1}) EXCEPT "
              "(SELECT customer_id FROM {2} INTERSECT SELECT customer_id FROM {3})) AS s",
    "not_in": "SELECT count(*) FROM {0} WHERE customer_id NOT IN (SELECT customer_id FROM {1})",
    "join": "SELECT count(*) FROM {0} AS a JOIN {1} AS b USING (customer_id) JOIN {2} AS c USING (customer_id)",
}


def sets(server):
    """Set operations as bitmaps, and by rows: a condition that operations on bitmaps do not know stands in the way."""
    names = [f"segments.b{number}" for number in range(4)]
    rows = [f"(SELECT customer_id FROM {name} WHERE coalesce(customer_id, 0) >= 0)" for name in names]
    found = {}
    for name, query in SETS.items():
        bitmaps, plain = query.format(*names), query.format(*(f"{one} AS r{place}" for place, one in enumerate(rows)))
        if name in ("not_in", "join"):
            plain = query.replace("{0} AS a", "{0}").replace("{1} AS b", "{1}").replace("{2} AS c", "{2}").format(
                *(f"{one} AS r{place}" for place, one in enumerate(rows)))
        assert server.query(bitmaps) == server.query(plain), name
        found[name] = [median(lambda: server.query(one)) * 1000 for one in (bitmaps, plain)]
    return found


def median(work, rounds=11):
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def entry(server, seconds=20, rate=5000):
    """From the commit of an event until its customer is in the segment, while others arrive."""
    link = server.link
    link.execute("CREATE MATERIALIZED VIEW segments.probe WITH (refresh = 'on commit') AS "
                 f"SELECT customer_id FROM {EVENTS} WHERE event = 'probe' GROUP BY 1")
    stop, sent = threading.Event(), [0]

    def stream():
        with server.connect() as other:
            other.autocommit = True
            begun = time.perf_counter()
            while not stop.is_set():
                add_plain(other, rate // 20)
                sent[0] += rate // 20
                time.sleep(max(0, begun + sent[0] / rate - time.perf_counter()))

    thread = threading.Thread(target=stream)
    thread.start()
    times, begun, number = [], time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        number += 1
        link.execute(f"INSERT INTO {EVENTS} (device, event, occurred_at) VALUES ('probe-{number}', 'probe', now())")
        committed = time.perf_counter()
        while server.query("SELECT count(*) FROM segments.probe")[0][0] < number:
            time.sleep(0.005)
        times.append(time.perf_counter() - committed)
    stop.set()
    thread.join()
    times.sort()
    return {"entries": len(times), "events_per_s": sent[0] / (time.perf_counter() - begun), "median_s": statistics.median(times),
            "p99_s": times[int(len(times) * .99)], "max_s": times[-1]}


def add_plain(link, count):
    with link.cursor().copy(f"COPY {EVENTS} (device, event, occurred_at) FROM STDIN") as rows:
        for _ in range(count):
            rows.write_row((f"stream-{random.randrange(20000)}", "product_view", "2026-11-20 10:00:00+00"))


if __name__ == "__main__":
    main()
