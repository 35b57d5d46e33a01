-- view identity.candidates 14034
-- the review queue: pairs that may be one person, and what was decided; CALL identity.accept(id), identity.reject(id)
-- candidate_id int8: number of the pair
-- customer_id int8: the customer of the one record
-- other_customer_id int8: the customer of the other record
-- weight float8: match weight (log2 of the odds)
-- probability float8: probability that both are one person
-- comparison jsonb: level, label and weight of each comparison
-- state text: review, accepted or rejected
-- decided_by text: the role that decided
-- decided_at timestamptz: when
-- model_id int8: the model that found it
-- found_at timestamptz: when
SELECT p.candidate_id, p.customer_id, p.other_customer_id, p.weight, p.probability, p.comparison,
       coalesce(d.decision, 'review') AS state, d.decided_by, d.decided_at, p.model_id, p.found_at
  FROM identity.candidate_pairs AS p LEFT JOIN identity.candidate_decisions AS d USING (candidate_id)
