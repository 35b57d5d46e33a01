-- view membership.segments 14210
-- the segments: views of schema segments with a column customer_id or account_id
-- segment text: its name
-- kind text: view (computed whenever it is read) or materialized view
-- refresh text: when it is refreshed: manual, on commit, an interval or a cron expression (UTC)
-- state text: live (a view), fresh, refreshing, failed, or unpopulated
-- member_count int8: members at the last good refresh
-- last_refreshed_at timestamptz: when the last good refresh began
-- next_refresh_at timestamptz: when it is due
-- last_duration interval: what the last good refresh cost, without rows that the segments of a run read together
-- last_mode text: full or incremental
-- last_reason text: why so
-- last_error text: why the last refresh failed; the members are those of the last good one
-- dependencies text[]: the relations that its definition names
-- definition_version int4: number of its definition, see membership.definitions
-- definition text: the query
-- owner text: the role with whose rights it is computed
SELECT s.segment, s.kind, s.refresh, s.state, r.member_count,
       coalesce(s.last_refreshed_at, r.started_at) AS last_refreshed_at, s.next_refresh_at,
       coalesce(s.last_duration, r.finished_at - r.started_at) AS last_duration, coalesce(s.last_mode, r.mode) AS last_mode,
       coalesce(s.last_reason, r.reason) AS last_reason, s.last_error, s.dependencies,
       d.version AS definition_version, s.definition, s.owner
  FROM membership.states() AS s
  LEFT JOIN (SELECT DISTINCT ON (segment) segment, version
               FROM membership.definitions ORDER BY segment, version DESC) AS d
    ON d.segment = s.segment
  LEFT JOIN (SELECT DISTINCT ON (segment) segment, member_count, started_at, finished_at, mode, reason
               FROM membership.runs WHERE error IS NULL ORDER BY segment, run DESC) AS r
    ON r.segment = s.segment AND s.kind = 'materialized view'
