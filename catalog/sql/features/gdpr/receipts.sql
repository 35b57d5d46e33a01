-- view gdpr.receipts 14320
-- proof of erasures: each is signed and has the hash of the one before; all that is shown of one is in its document; gdpr.verify_receipt(id) checks
-- receipt_id int8: number of the receipt
-- requested_at timestamptz: when the erasure was asked for
-- completed_at timestamptz: when nothing was left
-- document jsonb: what was counted and which files were replaced
-- previous_hash text: SHA-256 of the receipt before; of nothing for the first
-- hash text: SHA-256 of previous_hash and document
-- signature text: Ed25519 signature of the hash
-- public_key text: the key that it is verified with
SELECT (document->>'receipt')::int8 AS receipt_id, (document->>'erased_at')::timestamptz AS requested_at,
       (document->>'completed_at')::timestamptz AS completed_at, document, previous_hash, hash, signature, public_key
  FROM gdpr.signed_receipts
