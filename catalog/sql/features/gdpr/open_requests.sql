-- view gdpr.open_requests 14317
-- requests that wait for an answer, the most urgent first: CALL gdpr.receive(...) adds one
-- request_id int8: number of the request
-- kind text: what is asked for
-- subject text: keyed hash of the identifier or customer that was named
-- received_at timestamptz: when it came
-- due_at timestamptz: until when it has to be answered
-- state text: received; erased or residue: an erasure whose physical part is not done
-- overdue bool: whether that is over
SELECT request_id, kind, subject, received_at, due_at, state, due_at < now() AS overdue
  FROM gdpr.requests WHERE state NOT IN ('completed', 'refused') ORDER BY due_at
