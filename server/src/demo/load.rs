//! Makes the database, table by table.

use std::sync::Arc;

use anyhow::{Context, Result};
use clientele_engine::{Engine, Error};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::{self, Sender};

use super::online_retail;
use super::tables::{Chunk, TABLES};
use super::world::World;
use crate::command::import::client::{Client, write};
use crate::command::tell;

/// The database.
pub const DATABASE: &str = "demo";
/// Its name until it is whole.
const UNFINISHED: &str = "demo_loading";
/// Pieces of data that wait for the table.
const CHUNKS_WAITING: usize = 2;

/// Schemas and tables with their comments, in the order in which they refer to one another.
pub(crate) const DEFINITIONS: &[&str] = &[
    include_str!("sql/crm.sql"),
    include_str!("sql/shop.sql"),
    include_str!("sql/loyalty.sql"),
    include_str!("sql/mail.sql"),
    include_str!("sql/consents.sql"),
    include_str!("sql/web.sql"),
    include_str!("sql/demo_truth.sql"),
    include_str!("sql/online_retail.sql"),
];

/// What is said about the data once they are there.
const DECIDED: &str = include_str!("sql/decided.sql");

/// What the data are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// How many times 50 000 people.
    pub scale: u64,
    /// Another seed gives other people.
    pub seed: u64,
}

/// Makes the database unless there is one; says whether it did.
///
/// # Errors
/// What the engine refuses, a full disk above all.
pub async fn prepare(engine: &Arc<Engine>, recipe: Recipe) -> Result<bool> {
    if exists(engine, DATABASE)? {
        return Ok(false);
    }
    let mut postgres = Client::connect(engine, "postgres")?;
    if exists(engine, UNFINISHED)? {
        tell("an earlier start was interrupted: the demo is made anew");
        postgres.script(&format!("DROP DATABASE {UNFINISHED}")).await?;
    }
    postgres.script(&format!("CREATE DATABASE {UNFINISHED}")).await?;
    fill(engine, recipe).await?;
    let Recipe { scale, seed } = recipe;
    let comment = format!(
        "Data to try, computed with scale {scale} and seed {seed}; and Online Retail, CC BY 4.0"
    );
    postgres.script(&format!("COMMENT ON DATABASE {UNFINISHED} IS '{comment}'")).await?;
    postgres.script(&format!("ALTER DATABASE {UNFINISHED} RENAME TO {DATABASE}")).await?;
    Ok(true)
}

fn exists(engine: &Arc<Engine>, database: &str) -> Result<bool> {
    match Client::connect(engine, database) {
        Ok(_) => Ok(true),
        Err(error) => match error.downcast_ref::<Error>() {
            Some(known) if known.sqlstate == "3D000" => Ok(false),
            _ => Err(error),
        },
    }
}

async fn fill(engine: &Arc<Engine>, recipe: Recipe) -> Result<()> {
    let mut client = Client::connect(engine, UNFINISHED)?;
    for definition in DEFINITIONS {
        client.script(definition).await?;
    }
    let world = Arc::new(World::new(recipe.seed, recipe.scale));
    let rows: u64 = TABLES.iter().map(|table| table.rows_expected(&world)).sum();
    let bar = progress(rows + online_retail::ROWS);
    for table in TABLES {
        let world = Arc::clone(&world);
        let send = move |to: &Sender<Chunk>| {
            // A closed channel: the table has refused something and tells what.
            table.chunks(&world).all(|chunk| to.blocking_send(chunk).is_ok());
            Ok(())
        };
        copy(&mut client, table.name, send, &bar).await?;
    }
    let send = |to: &Sender<Chunk>| {
        for chunk in online_retail::chunks()? {
            if to.blocking_send(chunk?).is_err() {
                break;
            }
        }
        Ok(())
    };
    copy(&mut client, online_retail::TABLE, send, &bar).await?;
    client.script(DECIDED).await?;
    let made = bar.position();
    bar.finish_and_clear();
    tell(&format!("made database {DATABASE}: {made} rows"));
    Ok(())
}

/// Fills a table, in a transaction of its own, with what a function sends.
async fn copy(
    client: &mut Client,
    table: &'static str,
    send: impl FnOnce(&Sender<Chunk>) -> Result<()> + Send + 'static,
    bar: &ProgressBar,
) -> Result<()> {
    bar.set_message(table);
    let mut copy = client.copy(&format!("COPY {table} FROM STDIN")).await?;
    let (sender, mut chunks) = mpsc::channel(CHUNKS_WAITING);
    let sending = tokio::task::spawn_blocking(move || send(&sender));
    while let Some(Chunk { bytes, rows }) = chunks.recv().await {
        write(copy.as_mut(), bytes.into()).await.with_context(|| format!("cannot fill {table}"))?;
        bar.inc(rows);
    }
    sending.await.context("the data could not be computed")??;
    let tag = client.finish(copy).await.with_context(|| format!("cannot fill {table}"))?;
    tracing::debug!(table, tag, "filled");
    Ok(())
}

fn progress(rows: u64) -> ProgressBar {
    const TEMPLATE: &str = "making demo {bar:40} {human_pos}/{human_len} rows {eta:>4} {msg}";
    // The template is a constant; a bar without it still counts.
    let style =
        ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(rows).with_style(style)
}
