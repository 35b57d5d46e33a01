//! The way to the committer. Who finds it idle commits on the spot: for one client alone, the
//! changes of threads are a good part of the time that a commit takes. What comes meanwhile waits
//! for the committer's thread, which takes it as one group.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Committer, GROUP_MAX, Reply, Request};
use crate::error::Result;
use crate::storage::prepare::Prepared;
use crate::storage::store::stopped;

/// The committer, and those who wait for it. A panic in the midst of a commit poisons it: nobody
/// may go on from such a state.
#[derive(Debug)]
pub(in crate::storage) struct Queue {
    committer: Arc<Mutex<Committer>>,
    requests: Sender<Request>,
    load: Arc<Load>,
}

#[derive(Debug, Default)]
struct Load {
    /// Requests that the thread has not done.
    waiting: AtomicUsize,
    /// The thread's last group had more than one commit. The next ones will come together, too:
    /// the first of them is not to take a synchronisation for itself.
    crowded: AtomicBool,
}

impl Queue {
    /// Starts the thread. It ends when the queue is dropped.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(in crate::storage) fn start(
        committer: Committer,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, receiver) = channel();
        let committer = Arc::new(Mutex::new(committer));
        let queue = Self { committer, requests, load: Arc::default() };
        let (committer, load) = (Arc::clone(&queue.committer), Arc::clone(&queue.load));
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || run(&committer, &receiver, &load))?;
        Ok((queue, thread))
    }

    /// Lets the thread do something.
    ///
    /// # Errors
    /// The store is closed.
    pub(in crate::storage) fn send(&self, request: Request) -> Result<()> {
        self.load.waiting.fetch_add(1, Ordering::Relaxed);
        self.requests.send(request).map_err(|_| stopped())
    }

    /// Commits: here when nobody else is committing, else in the thread's next group.
    ///
    /// # Errors
    /// The store is closed.
    pub(in crate::storage) fn commit(&self, prepared: Box<Prepared>, reply: Reply) -> Result<()> {
        let Some(mut committer) = self.idle() else {
            return self.send(Request::Commit(prepared, reply));
        };
        tokio::task::block_in_place(|| committer.commit_all(vec![(prepared, reply)]));
        Ok(())
    }

    /// The committer, when nobody waits for it and this thread may be blocked.
    fn idle(&self) -> Option<MutexGuard<'_, Committer>> {
        let flavor = Handle::try_current().ok()?.runtime_flavor();
        let free = self.load.waiting.load(Ordering::Relaxed) == 0
            && !self.load.crowded.load(Ordering::Relaxed);
        (free && flavor == RuntimeFlavor::MultiThread).then(|| self.committer.try_lock().ok())?
    }
}

/// Serves until nobody is left to ask.
fn run(committer: &Mutex<Committer>, requests: &Receiver<Request>, load: &Load) {
    let mut next = None;
    while let Some(request) = next.take().or_else(|| requests.recv().ok()) {
        let Ok(mut committer) = committer.lock() else { return };
        let mut done = 1;
        match request {
            Request::Commit(prepared, reply) => {
                let mut group = vec![(prepared, reply)];
                while group.len() < GROUP_MAX && next.is_none() {
                    match requests.try_recv() {
                        Ok(Request::Commit(prepared, reply)) => group.push((prepared, reply)),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                done = group.len();
                load.crowded.store(done > 1, Ordering::Relaxed);
                committer.commit_all(group);
            }
            other => committer.serve(other),
        }
        load.waiting.fetch_sub(done, Ordering::Relaxed);
    }
}
