//! Who changes which relations: a transaction that drops or alters one, or a view that stands on
//! it, holds them until it ends, and others wait, as for PostgreSQL's ACCESS EXCLUSIVE lock.
//! Reading and writing rows waits for nobody.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clientele_catalog::definition::Oid;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::{Error, Result};

/// A session, by its process number.
type Owner = i32;

/// The locks of one database.
#[derive(Debug, Default)]
pub(crate) struct ObjectLocks {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<Oid, Owner>,
    /// Whom those wait for that wait.
    waits_for: HashMap<Owner, BTreeSet<Owner>>,
}

impl State {
    /// Takes all of them, or says who has some.
    fn take(&mut self, oids: &[Oid], owner: Owner) -> BTreeSet<Owner> {
        let others = oids.iter().filter_map(|oid| self.held.get(oid)).copied();
        let others: BTreeSet<Owner> = others.filter(|other| *other != owner).collect();
        if others.is_empty() {
            self.held.extend(oids.iter().map(|oid| (*oid, owner)));
        }
        others
    }

    /// Whether somebody waits, over others, for `owner`.
    fn is_waited_for(&self, owner: Owner, others: &BTreeSet<Owner>) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), others.clone());
        while let Some(other) = next.pop_first() {
            if other == owner {
                return true;
            }
            if seen.insert(other) {
                next.extend(self.waits_for.get(&other).into_iter().flatten());
            }
        }
        false
    }
}

/// What a transaction holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    locks: Arc<ObjectLocks>,
    owner: Owner,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locks.state.lock().held.retain(|_, owner| *owner != self.owner);
        self.locks.freed.notify_waiters();
    }
}

/// No longer waits, however the waiting ended.
struct Waiting<'a>(&'a ObjectLocks, Owner);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state.lock().waits_for.remove(&self.1);
    }
}

impl ObjectLocks {
    /// What a session's transaction will hold.
    pub(crate) fn of(self: &Arc<Self>, owner: Owner) -> Held {
        Held { locks: Arc::clone(self), owner }
    }
}

impl Held {
    /// Waits until nobody else holds any of them, and holds them. Returns whether it had to wait.
    ///
    /// # Errors
    /// 40P01 where those who have them wait for this session.
    pub(crate) async fn take(&self, oids: &[Oid]) -> Result<bool> {
        let (locks, owner) = (self.locks.as_ref(), self.owner);
        let mut waiting = None;
        loop {
            let freed = locks.freed.notified();
            tokio::pin!(freed);
            // From here on it hears of whoever ends.
            freed.as_mut().enable();
            {
                let mut state = locks.state.lock();
                let others = state.take(oids, owner);
                if others.is_empty() {
                    break;
                }
                if state.is_waited_for(owner, &others) {
                    return Err(Error::new("40P01", "deadlock detected"));
                }
                state.waits_for.insert(owner, others);
            }
            waiting.get_or_insert_with(|| Waiting(locks, owner));
            freed.await;
        }
        Ok(waiting.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_later_waits() {
        let locks = Arc::<ObjectLocks>::default();
        let first = locks.of(1);
        assert!(!first.take(&[10, 11]).await.unwrap());
        let second = locks.of(2);
        assert!(!second.take(&[12]).await.unwrap());
        let waits = tokio::spawn(async move { (second.take(&[11]).await, second) });
        tokio::task::yield_now().await;
        assert_eq!(first.take(&[12]).await.unwrap_err().sqlstate, "40P01");
        drop(first);
        let (waited, second) = waits.await.unwrap();
        assert!(waited.unwrap());
        drop(second);
        assert!(!locks.of(3).take(&[10, 11, 12]).await.unwrap());
    }
}
