//! `LISTEN`, `NOTIFY`, `UNLISTEN` (manual: sql-notify): what a transaction says is heard by the
//! sessions of its database once it has committed, by each between its own transactions.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Session;
use super::shared::SessionShared;
use crate::api::Notice;
use crate::error::{Error, Result};

/// Payloads are shorter than this, as in PostgreSQL; bytes.
const PAYLOAD_MAX: usize = 8000;
/// How long a channel's name may be; bytes.
const CHANNEL_MAX: usize = 63;
/// How many notifications may wait for a session that does not read them.
const WAITING_MAX: usize = 100_000;

/// One of the three statements.
#[derive(Debug, Clone)]
pub enum Notification {
    /// `LISTEN channel`.
    Listen(String),
    /// `UNLISTEN channel`; `None`: `*`.
    Unlisten(Option<String>),
    /// `NOTIFY channel, 'payload'`.
    Notify(String, String),
}

/// The channels of a session, and what waits to be told.
#[derive(Default)]
pub struct Channels {
    heard: Mutex<BTreeSet<String>>,
    /// What the present transaction does when it commits.
    pending: Mutex<Vec<Notification>>,
    inbox: Mutex<Vec<Notice>>,
    arrived: Notify,
}

impl Channels {
    /// Names of the channels that are listened to.
    pub fn names(&self) -> Vec<String> {
        self.heard.lock().iter().cloned().collect()
    }

    /// Notes what is done at commit.
    ///
    /// # Errors
    /// 22023 for a channel's name or a payload that is too long, or no name.
    pub fn add(&self, one: Notification) -> Result<()> {
        if let Notification::Notify(channel, payload) = &one {
            match channel.len() {
                0 => return Err(Error::new("22023", "channel name cannot be empty")),
                1..=CHANNEL_MAX => {}
                _ => return Err(Error::new("22023", "channel name too long")),
            }
            if payload.len() >= PAYLOAD_MAX {
                return Err(Error::new("22023", "payload string too long"));
            }
        }
        let mut pending = self.pending.lock();
        let said = |other: &Notification| match (other, &one) {
            (Notification::Notify(a, b), Notification::Notify(c, d)) => a == c && b == d,
            _ => false,
        };
        // The same said twice in one transaction is heard once.
        if !pending.iter().any(said) {
            pending.push(one);
        }
        Ok(())
    }

    fn deliver(&self, notice: Notice) {
        let mut inbox = self.inbox.lock();
        if inbox.len() < WAITING_MAX {
            inbox.push(notice);
        }
        drop(inbox);
        self.arrived.notify_one();
    }
}

impl Session {
    /// Notifications that have arrived; the wire asks between transactions.
    pub fn take_notifications(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.shared.channels.inbox.lock())
    }

    /// Waits until a notification arrives. May be dropped at any time.
    pub async fn notified(&self) {
        self.shared.channels.arrived.notified().await;
    }

    /// The transaction has ended: what it said is told, or forgotten.
    pub(super) fn end_notifications(&self, committed: bool) {
        let pending = std::mem::take(&mut *self.shared.channels.pending.lock());
        if !committed || pending.is_empty() {
            return;
        }
        let sessions = self.engine.sessions();
        let same_database =
            |one: &&std::sync::Arc<SessionShared>| one.database == self.shared.database;
        for one in pending {
            match one {
                Notification::Listen(channel) => {
                    self.shared.channels.heard.lock().insert(channel);
                }
                Notification::Unlisten(Some(channel)) => {
                    self.shared.channels.heard.lock().remove(&channel);
                }
                Notification::Unlisten(None) => self.shared.channels.heard.lock().clear(),
                Notification::Notify(channel, payload) => {
                    let hears = |one: &&std::sync::Arc<SessionShared>| {
                        one.channels.heard.lock().contains(&channel)
                    };
                    for listener in sessions.iter().filter(same_database).filter(hears) {
                        listener.channels.deliver(Notice::Notification {
                            pid: self.shared.pid,
                            channel: channel.clone(),
                            payload: payload.clone(),
                        });
                    }
                }
            }
        }
    }
}
