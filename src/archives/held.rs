//! How much memory archives take.
//!
//! A chain of archives is a chain of calls on one thread: each decoder's window and each stream that is kept in memory
//! stays while what is in it is searched. So the sum of a chain is bounded, not each by itself; and of chains that take much, only a
//! few go on at a time, so that the sum of a sweep is bounded for any number of threads.

use super::fault::Failure;
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// As many bytes may one chain take: the largest window of the usual tools, and a little more.
const MAX: usize = 80 << 20;
/// The largest window of one decoder.
pub(super) const WINDOW_MAX: usize = 64 << 20;

/// What a chain may take, in bytes, and how many may take as much at a time. With 16 threads these are 32, 64 and 80 MiB.
const LEVELS: [(usize, usize); 3] = [(2 << 20, usize::MAX), (16 << 20, 4), (usize::MAX, 1)];

/// How many chains are on each level or above it.
static CHAINS: Mutex<[usize; LEVELS.len()]> = Mutex::new([0; LEVELS.len()]);
/// A chain left a level.
static LEFT: Condvar = Condvar::new();

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
    static CHAIN: RefCell<Arc<Chain>> = RefCell::default();
}

/// The archives that are open on one thread, and on the thread that decodes ahead for it.
#[derive(Debug, Default)]
pub(super) struct Chain {
    taken: AtomicUsize,
    level: Mutex<usize>,
}

impl Chain {
    /// The chain of this thread.
    pub(super) fn of_this_thread() -> Arc<Self> {
        CHAIN.with_borrow(Arc::clone)
    }

    /// Makes it that of this thread too, which was just begun.
    pub(super) fn join(self: Arc<Self>) {
        CHAIN.set(self);
    }

    /// Counts memory, and waits until there may be as much. A chain waits only for those on higher levels, which
    /// never wait for it: so each goes on in the end.
    fn grow(&self, bytes: usize) {
        let mut level = lock(&self.level);
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        while LEVELS.get(*level).is_some_and(|(most, _)| taken > *most) {
            *level += 1;
            let is_full = |chains: &mut [usize; LEVELS.len()]| {
                let (_, most) = LEVELS.get(*level).copied().unwrap_or_default();
                chains.get(*level).is_some_and(|chains| *chains >= most)
            };
            let chains = lock(&CHAINS);
            let mut chains = LEFT
                .wait_while(chains, is_full)
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(chains) = chains.get_mut(*level) {
                *chains += 1;
            }
        }
    }

    fn shrink(&self, bytes: usize) {
        let mut level = lock(&self.level);
        let taken = self.taken.fetch_sub(bytes, Ordering::Relaxed) - bytes;
        while let Some(below) = level.checked_sub(1)
            && LEVELS.get(below).is_some_and(|(most, _)| taken <= *most)
        {
            if let Some(chains) = lock(&CHAINS).get_mut(*level) {
                *chains -= 1;
            }
            LEFT.notify_all();
            *level = below;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that counts as taken until this is dropped, on the thread that took it.
#[derive(Debug)]
pub struct Held {
    bytes: usize,
    chain: Arc<Chain>,
}

impl Held {
    /// How many bytes this thread's part of the chain may still take.
    pub(super) fn left() -> usize {
        MAX.saturating_sub(TAKEN.get())
    }

    /// Takes so many bytes, which the caller knows to be left or has read already. Waits while too many others take much.
    pub fn take(bytes: usize) -> Self {
        let chain = Chain::of_this_thread();
        chain.grow(bytes);
        TAKEN.set(TAKEN.get() + bytes);
        Self { bytes, chain }
    }

    /// Takes a decoder's window.
    ///
    /// # Errors
    /// A limit if it is larger than what is granted, or than what is left.
    pub(super) fn window(bytes: u64) -> Result<Self, Failure> {
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= WINDOW_MAX.min(Self::left()) => Ok(Self::take(bytes)),
            _ => Err(Failure::limit(format!(
                "needs {} MiB of memory to be unpacked",
                bytes >> 20
            ))),
        }
    }

    /// The same for a decoder that says by the kind of its error what was wrong.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn for_decoder(bytes: u64) -> io::Result<Self> {
        Self::window(bytes).map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    /// Takes a window of unknown size, as much as is granted; gives how many bytes that are.
    pub(super) fn largest_window() -> (Self, usize) {
        let bytes = WINDOW_MAX.min(Self::left());
        (Self::take(bytes), bytes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        TAKEN.set(TAKEN.get().saturating_sub(self.bytes));
        self.chain.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread::{scope, sleep};
    use std::time::Duration;

    #[test]
    fn a_chain_takes_no_more_than_its_sum() {
        let first = Held::window(64 << 20).unwrap();
        assert_eq!(Held::left(), 16 << 20);
        assert!(Held::window((16 << 20) + 1).is_err());
        let second = Held::window(16 << 20).unwrap();
        assert_eq!(Held::largest_window().1, 0);
        drop((first, second));
        assert_eq!(Held::left(), MAX);
        assert!(Held::window((64 << 20) + 1).is_err());
    }

    #[test]
    fn of_large_chains_one_goes_on_at_a_time() {
        let (large, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _small = Held::take(1 << 20);
                        let _medium = Held::take(8 << 20);
                        let _large = Held::take(32 << 20);
                        let now = large.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        large.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
    }

    #[test]
    fn what_decodes_ahead_belongs_to_the_chain() {
        let held = Held::take(64 << 20);
        let chain = Chain::of_this_thread();
        // It would wait for ever if it were a chain of its own.
        let ahead = std::thread::spawn(move || {
            chain.join();
            drop(Held::take(64 << 20));
        });
        ahead.join().unwrap();
        let went_on = AtomicBool::new(false);
        scope(|scope| {
            scope.spawn(|| {
                let _other = Held::take(64 << 20);
                went_on.store(true, Ordering::SeqCst);
            });
            sleep(Duration::from_millis(50));
            assert!(!went_on.load(Ordering::SeqCst));
            drop(held);
        });
        assert!(went_on.into_inner());
    }
}
