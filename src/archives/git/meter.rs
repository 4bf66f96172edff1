//! What reading a repository may cost.

use super::super::Failure;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is left for one repository, shared by its threads.
pub struct Meter<'a> {
    left: AtomicU64,
    most: u64,
    end: Option<Instant>,
    seconds: u64,
    stop: &'a AtomicBool,
    /// Nothing more may be read.
    spent: AtomicBool,
}

impl<'a> Meter<'a> {
    /// So many bytes may be unpacked within so many seconds; the flag ends it too.
    pub fn new(most: u64, seconds: u64, stop: &'a AtomicBool) -> Self {
        Self {
            left: AtomicU64::new(most),
            most,
            end: Instant::now().checked_add(Duration::from_secs(seconds)),
            seconds,
            stop,
            spent: AtomicBool::new(false),
        }
    }

    /// Takes bytes before they are made.
    ///
    /// # Errors
    /// The limit that is reached, to whoever reaches it first; [`Failure::Stop`] to all others.
    pub fn take(&self, bytes: u64) -> Result<(), Failure> {
        if self.spent.load(Ordering::Relaxed) || self.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stop);
        }
        // Even what holds nothing costs a little.
        let bytes = bytes.max(16);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            });
        if taken.is_err() {
            return self.spend(format!("unpacks to more than {} MiB", self.most >> 20));
        }
        if self.end.is_some_and(|end| Instant::now() > end) {
            return self.spend(format!("took more than {} seconds", self.seconds));
        }
        Ok(())
    }

    fn spend(&self, detail: String) -> Result<(), Failure> {
        Err(if self.spent.swap(true, Ordering::Relaxed) {
            Failure::Stop
        } else {
            Failure::limit(detail)
        })
    }

    /// Whether nothing more may be read.
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }
}
