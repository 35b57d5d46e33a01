//! Profiles, rules and grants on them are the same after a stop and after a crash.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::client::Client;
use crate::server::Server;

const SETUP: &str = "
    CREATE ROLE golden_reader;
    CREATE SCHEMA crm;
    CREATE TABLE crm.contacts (mail email, town city, name family_name, at timestamptz);
    INSERT INTO crm.contacts SELECT 'p' || n % 200 || '@example.com',
        (ARRAY['Lyon', 'Paris', 'Nice'])[1 + n % 3], 'Lee' || n % 2, now() - n * interval '1 hour'
        FROM generate_series(1, 1000) AS n;
    GRANT USAGE ON SCHEMA customers TO golden_reader;
    GRANT SELECT ON customers.profiles TO golden_reader;
    GRANT SELECT (customer_id, attribute) ON customers.attributes TO golden_reader;
    CALL customers.set_survivorship('city', 'most_frequent')";

/// After the rows are committed: until then they are nobody's.
const PIN: &str =
    "CALL customers.pin(identity.resolve('email:p7@example.com'), 'city', 'Metz', 'as she asked')";

/// A customer that nobody else is, by all that there is to see.
const SHOWN: &str =
    "SELECT string_agg(row_to_json(p)::text, ';' ORDER BY customer_id) FROM customers.profiles p";

pub(super) fn is_kept() -> Result<()> {
    let directory = tempfile::TempDir::new()?;
    let data = directory.path().join("data");
    let mut server = Server::on(&data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple(SETUP)?;
    client.simple(PIN)?;
    let before = shown(&mut client)?;
    ensure!(before.contains("Metz"), "a pinned value is shown");
    client.simple("ALTER TABLE crm.contacts ADD COLUMN phone phone")?;
    server.kill();
    let with_phone = after_start(&data)?;
    ensure!(with_phone.matches(';').count() == 199, "200 customers");
    let again = after_start(&data)?;
    ensure!(again == with_phone, "profiles are not what they were");
    Ok(())
}

fn shown(client: &mut Client) -> Result<String> {
    let rows = client.simple(SHOWN)?.rows;
    Ok(rows.into_iter().flatten().flatten().collect())
}

/// Starts, looks as the role that was granted to, and stops.
fn after_start(data: &Path) -> Result<String> {
    let server = Server::on(data)?;
    let mut client = Client::connect(server.port, "postgres")?;
    client.simple("SET ROLE golden_reader")?;
    let seen = shown(&mut client)?;
    client.simple("SELECT count(attribute) FROM customers.attributes")?;
    for refused in ["SELECT value FROM customers.attributes", "SELECT * FROM crm.contacts"] {
        let error = client.simple(refused).err().map(|error| error.to_string());
        ensure!(error.is_some_and(|error| error.starts_with("42501")), "{refused}");
    }
    client.simple("RESET ROLE")?;
    let pinned = "SELECT city FROM customers.profiles WHERE email = 'p7@example.com'";
    let rows = client.simple(pinned)?.rows;
    ensure!(rows.concat() == [Some("Metz".to_owned())], "{rows:?}");
    server.terminate()?;
    Ok(seen)
}
