"""Compares a published Delta table, as delta-rs reads it, with what the server says.

usage: delta_checks.py DIRECTORY FILE    FILE: rows in order as JSON, one object a line
Exits with 3 when the package `deltalake` is not installed."""

import datetime
import decimal
import json
import sys

try:
    import deltalake
    import pyarrow
except ImportError:
    sys.exit(3)


def text(value):
    """A value of Arrow as PostgreSQL's to_json shows it."""
    if isinstance(value, datetime.datetime):
        shown = value.isoformat()
        return shown
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list):
        return [text(one) for one in value]
    return value


def main():
    table = deltalake.DeltaTable(sys.argv[1])
    found = pyarrow.table(table.to_pyarrow_table()).to_pylist()
    found = [{name: text(value) for name, value in row.items()} for row in found]
    found.sort(key=lambda row: row["id"])
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = [json.loads(line, parse_float=decimal.Decimal) for line in file if line.strip()]
    if len(found) != len(expected):
        sys.exit(f"{len(found)} rows instead of {len(expected)}")
    for row, wanted in zip(found, expected):
        if set(row) != set(wanted):
            sys.exit(f"columns {sorted(row)} instead of {sorted(wanted)}")
        for name, value in wanted.items():
            value = str(value) if isinstance(value, decimal.Decimal) else value
            same = row[name] == value or str(row[name]) == str(value)
            if not same:
                sys.exit(f"row {row['id']}: {name} is {row[name]!r} instead of {value!r}")
    print(f"{len(found)} rows, version {table.version()}")


main()
