//! People whose every value is theirs alone, so that it can be searched for.

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::Client;

/// Tables, a view that keeps rows, a segment.
const SCHEMA: &str = "CREATE DOMAIN crm_id AS customer_key; \
    CREATE TABLE contacts (contact_id crm_id PRIMARY KEY, email email, mobile phone, \
      name given_name, family family_name, street street_address, note free_text); \
    CREATE TABLE orders (order_id text PRIMARY KEY, email email, card loyalty_card, \
      total numeric(12,2), ordered_at timestamptz); \
    CREATE TABLE order_lines (order_id text REFERENCES orders, product text); \
    CREATE TABLE events (device device_id, contact_id crm_id, properties jsonb, at timestamptz); \
    CREATE INDEX ON contacts (email)";

/// A person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Number.
    pub(super) id: usize,
    tag: String,
}

/// People with numbers from `first` on.
pub(super) fn people(first: usize, count: usize) -> Vec<Person> {
    let mut random = ChaCha8Rng::seed_from_u64(first as u64 + 17);
    let mut tag = || -> String {
        (0..10).map(|_| char::from(b'a' + random.random_range(0..26_u8))).collect()
    };
    (first..first + count).map(|id| Person { id, tag: tag() }).collect()
}

impl Person {
    pub(super) fn email(&self) -> String {
        format!("{}@residue.example", self.tag)
    }

    /// The key in another source.
    pub(super) fn key(&self) -> String {
        format!("CRM{}", self.tag)
    }

    /// As another source writes it.
    fn other_email(&self) -> String {
        format!("{}@Residue.Example", self.tag.to_uppercase())
    }

    fn phone(&self) -> String {
        format!("+336{:08}", 10_000_000 + self.id * 7919 % 89_999_999)
    }

    /// Texts of which one is in every value of the person, and that must be nowhere once the person
    /// is erased: ten letters, and a telephone number.
    pub(super) fn marks(&self) -> [String; 2] {
        [self.tag.clone(), self.phone()]
    }
}

/// Makes the tables.
pub(super) fn prepare(client: &mut Client) -> Result<()> {
    client.simple(SCHEMA)?;
    Ok(())
}

/// The files of an import, as statements.
pub(super) fn import(people: &[Person]) -> Vec<String> {
    let rows =
        |row: &dyn Fn(&Person) -> String| people.iter().map(row).collect::<Vec<_>>().join(", ");
    let contacts = rows(&|one| {
        let tag = &one.tag;
        format!(
            "('CRM{tag}', 'old{tag}@residue.example', '{}', 'Name{tag}', 'Family{tag}', \
             'street of {tag}', 'note of {tag}')",
            one.phone()
        )
    });
    let orders = rows(&|one| {
        let (tag, email) = (&one.tag, one.other_email());
        format!(
            "('O-{tag}-1', '{email}', 'CARD{tag}', {}.5, '2026-03-01'), \
             ('O-{tag}-2', NULL, 'CARD{tag}', 7, '2026-04-01')",
            one.id
        )
    });
    let lines = rows(&|one| {
        let tag = &one.tag;
        format!("('O-{tag}-1', 'shoes'), ('O-{tag}-1', 'hat'), ('O-{tag}-2', 'belt')")
    });
    let events = rows(&|one| {
        let (tag, email) = (&one.tag, one.email());
        format!(
            "('dev-{tag}', 'CRM{tag}', '{{\"page\": \"page-{tag}\", \"mail\": \"{email}\"}}', '2026-05-01'), \
             ('dev-{tag}', NULL, '{{}}', '2026-05-02')"
        )
    });
    vec![
        format!("INSERT INTO contacts VALUES {contacts}"),
        format!("INSERT INTO orders VALUES {orders}"),
        format!("INSERT INTO order_lines VALUES {lines}"),
        format!("INSERT INTO events VALUES {events}"),
    ]
}

/// Plants people: rows in files and in memory, old versions of rows, rows that were deleted.
pub(super) fn plant(client: &mut Client, people: &[Person]) -> Result<()> {
    for statement in import(people) {
        client.simple(&statement)?;
    }
    client.simple("CALL clientele.flush()")?;
    for one in people {
        client.simple(&format!(
            "UPDATE contacts SET email = '{}' WHERE contact_id = 'CRM{}'",
            one.email(),
            one.tag
        ))?;
    }
    let pins = people.iter().step_by(5);
    for one in pins {
        client.simple(&format!(
            "CALL customers.pin(identity.resolve('email:{}'), 'given_name', 'Pinned{}')",
            one.email(),
            one.tag
        ))?;
    }
    Ok(())
}

/// Counts and sums over the rows of some people, to see that they stay.
pub(super) fn control(client: &mut Client, people: &[Person]) -> Result<Vec<Vec<Option<String>>>> {
    let tags: Vec<String> = people.iter().map(|one| format!("'CRM{}'", one.tag)).collect();
    let cards: Vec<String> = people.iter().map(|one| format!("'CARD{}'", one.tag)).collect();
    let query = format!(
        "SELECT c.contact_id, c.email, c.mobile, c.name, c.note, c.customer_id, count(*), sum(o.total) \
           FROM contacts c JOIN orders o ON o.customer_id = c.customer_id \
          WHERE c.contact_id IN ({}) AND o.card IN ({}) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1",
        tags.join(", "),
        cards.join(", ")
    );
    Ok(client.simple(&query)?.rows)
}
