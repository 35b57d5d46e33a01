//! What features keep of people, beside the rows of tables: consent, requests, pinned values,
//! restrictions, objections, holds, decisions about who is who, membership, models, copies, reads.

use std::path::Path;

use anyhow::{Result, ensure};

use super::people::Person;
use crate::client::Client;

/// Made once the people are there.
const OBJECTS: &str = "CREATE MATERIALIZED VIEW segments.buyers AS SELECT customer_id FROM orders GROUP BY 1; \
    CREATE MATERIALIZED VIEW mails AS SELECT email, max(note) AS note, count(*) AS n FROM contacts GROUP BY 1; \
    CREATE MATERIALIZED VIEW next_best USING recommender AS SELECT customer_id, product, 1 AS quantity, ordered_at \
      FROM orders JOIN order_lines USING (order_id); \
    CREATE TABLE copied AS SELECT email, card, customer_id FROM orders; \
    CREATE TABLE former AS SELECT * FROM contacts; \
    CREATE TABLE renamed (card loyalty_card, email email); \
    CREATE INDEX ON orders (card); CREATE INDEX ON events ((properties->>'mail')); \
    COMMENT ON TABLE contacts IS 'those whom we know'; \
    CALL consent.declare_purpose('newsletter', columns => ARRAY['contacts.email'], reason => 'decision 7')";

/// Plants them.
pub(super) fn plant(client: &mut Client, people: &[Person], outside: &Path) -> Result<()> {
    client.simple(OBJECTS)?;
    let all = people.iter().map(|one| format!("('{}')", one.email())).collect::<Vec<_>>();
    client.simple(&format!(
        "CALL consent.record_all($$ SELECT 'email:' || v.email AS subject, 'newsletter' AS purpose, \
           'answer to ' || v.email AS evidence, 'form of ' || v.email AS source FROM (VALUES {0}) AS v (email) $$); \
         INSERT INTO renamed SELECT card, email FROM orders WHERE card IS NOT NULL; ANALYZE",
        all.join(", ")
    ))?;
    for (number, one) in people.iter().enumerate() {
        let (email, [tag, phone]) = (one.email(), one.marks());
        let call = match number % 6 {
            0 => format!("CALL gdpr.receive('erasure', 'phone:{phone}')"),
            1 => format!("CALL gdpr.rectify('email:{email}', 'given_name', 'Right{tag}')"),
            2 => format!("CALL gdpr.object('email:{email}', 'newsletter', reason => 'letter')"),
            3 => format!("CALL gdpr.access('email:{email}')"),
            4 => format!(
                "CALL gdpr.hold('copied', ARRAY['card'], 'none', subject => 'email:{email}')"
            ),
            _ => format!(
                "CALL identity.split('email:{email}', 'loyalty_card:CARD{tag}', reason => 'card of {tag}')"
            ),
        };
        // A card identifies: that hold is refused.
        let done = client.simple(&call);
        ensure!(done.is_ok() != (number % 6 == 4), "{call}: {:?}", done.as_ref().err());
        if let (3, Ok(answer)) = (number % 6, done) {
            let document = answer.rows.iter().flatten().flatten().nth(1);
            let terms = "\"retention\":[{\"purpose\":";
            ensure!(document.is_some_and(|one| one.contains(terms)), "access says no terms");
        }
        if number % 6 == 5 {
            // As it was: both are one customer.
            client.simple(&format!(
                "CALL identity.unlink('email:{email}', 'loyalty_card:CARD{tag}')"
            ))?;
        }
    }
    let last = people.last().map(Person::email).unwrap_or_default();
    client.simple(&format!("CALL gdpr.restrict('email:{last}', 'accuracy is contested')"))?;
    client
        .simple("SELECT count(*) FROM next_best; CALL identity.train(); CALL identity.match()")?;
    for table in ["contacts", "orders", "former", "renamed"] {
        client.simple(&format!("CALL clientele.publish_delta('public.{table}')"))?;
    }
    client.simple(&format!(
        "CALL clientele.publish_delta('public.orders', '{0}/orders'); \
         CALL clientele.publish_delta('public.former', '{0}/former'); \
         ALTER TABLE renamed RENAME TO cards; DROP TABLE former",
        outside.display()
    ))?;
    read(client, people)
}

/// Somebody whom a column was opened to looks for people.
fn read(client: &mut Client, people: &[Person]) -> Result<()> {
    client.simple(
        "CREATE ROLE residue_reader; GRANT SELECT ON contacts TO residue_reader; \
         GRANT SELECT (email) ON contacts TO residue_reader; SET ROLE residue_reader",
    )?;
    for one in people.iter().take(5) {
        let email = one.email();
        client.simple(&format!("SELECT * FROM contacts WHERE email = '{email}'"))?;
        client.simple(&format!("PREPARE p AS SELECT email FROM contacts WHERE email = '{email}'; EXECUTE p; DEALLOCATE p"))?;
        // It fails, and says so in the log.
        ensure!(client.simple(&format!("SELECT '{email}'::int")).is_err());
    }
    client.simple("RESET ROLE")?;
    Ok(())
}
