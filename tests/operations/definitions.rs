//! Sessions that change views which stand on one another wait for one another, as PostgreSQL's do.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::client::{Client, ServerError, value};
use crate::server::Server;

const LEFT: &str = "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b', 'both')";

pub(super) fn wait() -> Result<()> {
    let server = Server::start()?;
    let mut first = Client::connect(server.port, "postgres")?;
    first.simple(
        "CREATE TABLE t (n int); CREATE VIEW a AS SELECT n FROM t; \
         CREATE VIEW b AS SELECT n FROM t; \
         CREATE VIEW both AS SELECT a.n FROM a JOIN b ON a.n = b.n",
    )?;
    first.simple("BEGIN")?;
    first.simple("DROP VIEW a CASCADE")?;
    let mut timed = Client::connect(server.port, "postgres")?;
    timed.simple("SET lock_timeout = '200ms'")?;
    let Err(error) = timed.simple("ALTER VIEW both RENAME TO all_of_it") else {
        bail!("a view that is being dropped was renamed");
    };
    let state = error.downcast_ref::<ServerError>().map(|error| error.sqlstate.clone());
    ensure!(state.as_deref() == Some("55P03"), "{error}");
    let (port, (done, is_done)) = (server.port, mpsc::channel());
    let second = std::thread::spawn(move || -> Result<()> {
        let mut client = Client::connect(port, "postgres")?;
        let dropped = client.simple("DROP VIEW b CASCADE").map(drop);
        let _ = done.send(());
        dropped
    });
    ensure!(is_done.recv_timeout(Duration::from_millis(500)).is_err(), "the second did not wait");
    first.simple("COMMIT")?;
    match second.join() {
        Ok(dropped) => dropped?,
        Err(_) => bail!("the second panicked"),
    }
    let left = value(&mut first, LEFT)?;
    ensure!(left == "0", "{left} views are left");
    Ok(())
}
