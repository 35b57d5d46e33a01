#!/usr/bin/env bash
# A dbt project whose models are segments (dbt/): run, test, snapshot, docs. DBT: path of the dbt executable.
export DBT_SEND_ANONYMOUS_USAGE_STATS=false DBT=${DBT:-dbt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$(dirname "$0")/dbt/." "$work" && cd "$work" || exit 1
sql() { psql -X -At -q -c "$1" 2>&1; }
pass=0 fail=0
is() {
  if [ "$2" = "$3" ]; then
    echo "PASS dbt.$1"; pass=$((pass + 1))
  else
    echo "FAIL dbt.$1: got [$2] want [$3]" | tr '\n' ' '; echo; fail=$((fail + 1))
  fi
}
run() {
  local name=$1 output; shift
  output=$(timeout 120 "$DBT" --no-use-colors --quiet "$@" --profiles-dir . 2>&1)
  is "$name" "$? $(grep -iE 'error|fail' <<<"$output" | head -3)" "0 "
}
sql "drop schema if exists shop cascade; create schema shop;
     create table shop.orders (order_id text primary key, email email, total numeric(12,2), ordered_at timestamptz);
     insert into shop.orders values ('1', 'ann@example.com', 150, now() - interval '1 year'),
       ('2', 'bob@example.com', 20, now()), ('3', 'cid@example.com', 200, now())" >/dev/null
run debug debug
run run run
is segments "$(sql "select string_agg(segment || '=' || member_count, ' ' order by segment) from membership.segments where kind = 'materialized view'")" 'vip=2'
is over_segments "$(sql 'select count(*) from segments.lapsed_vip')" 1
is comment "$(sql "select obj_description('segments.vip'::regclass)")" 'customers who spent more than 100'
run test test
sql "insert into shop.orders values ('4', 'bob@example.com', 300, now())" >/dev/null
run run_again run
is grown "$(sql 'select count(*) from segments.vip')" 3
run snapshot snapshot
sql "update shop.orders set total = 21 where order_id = '2'" >/dev/null
run snapshot_again snapshot
is history "$(sql 'select count(*), count(dbt_valid_to) from dbt.orders_history')" '5|1'
run docs docs generate
is catalog "$(python3 -c "import json; print(json.load(open('target/catalog.json'))['nodes']['model.brand.vip']['metadata']['type'])" 2>&1)" 'MATERIALIZED VIEW'
run full_refresh run --full-refresh
is no_leftovers "$(sql "select count(*) from pg_class where relname like '%__dbt_%'")" 0
echo "$pass passed, $fail failed"
[ "$fail" = 0 ]
