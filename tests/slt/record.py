#!/usr/bin/env python3
"""Writes sqllogictest files whose expectations come from a real PostgreSQL server.

    record.py 'host=… dbname=postgres user=…' statements.sql > cases.slt

One statement per line; lines that begin with `--` are kept as comments. Each file runs in a database of its own.
Needs psycopg (3)."""
import re
import sys
import uuid

import psycopg


def shown(value):
    if value is None:
        return "NULL"
    text = value.decode()
    return text if text else "(empty)"


def main(dsn, path):
    name = f"record_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"create database {name}")
        try:
            with psycopg.connect(dsn, dbname=name, autocommit=True) as connection:
                for line in open(path, encoding="utf-8"):
                    record(connection, line.strip())
        finally:
            admin.execute(f"drop database {name} with (force)")


def record(connection, sql):
    if not sql or sql.startswith("--"):
        print(sql.replace("--", "#", 1) if sql else "")
        return
    result = connection.pgconn.exec_(sql.encode())
    if result.status == psycopg.pq.ExecStatus.TUPLES_OK:
        if result.ntuples == 0 and result.nfields == 0:
            print(f"statement ok\n{sql}\n")
            return
        print(f"query {'T' * result.nfields}\n{sql}\n----")
        for row in range(result.ntuples):
            print(" ".join(shown(result.get_value(row, column)) for column in range(result.nfields)))
        print()
    elif result.status == psycopg.pq.ExecStatus.COMMAND_OK:
        print(f"statement ok\n{sql}\n")
    else:
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode()
        message = result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY).decode()
        print(f"statement error {state}: {re.escape(message).replace(chr(92) + ' ', ' ')}\n{sql}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
