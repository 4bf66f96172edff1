//! How much memory the archives of one chain take together.
//!
//! A chain of archives is a chain of calls on one thread: each decoder's window and each stream that is kept in memory
//! stays while what is in it is searched. So the sum is bounded, not each by itself.

use super::fault::Failure;
use std::cell::Cell;

/// As many bytes may one chain take: the largest window of the usual tools, and a little more.
const MAX: usize = 80 << 20;
/// The largest window of one decoder.
const WINDOW_MAX: usize = 64 << 20;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Memory that counts as taken until this is dropped.
#[derive(Debug)]
pub(super) struct Held(usize);

impl Held {
    /// How many bytes the chain of this thread may still take.
    pub(super) fn left() -> usize {
        MAX.saturating_sub(TAKEN.get())
    }

    /// Takes so many bytes, which the caller knows to be left or has read already.
    pub(super) fn take(bytes: usize) -> Self {
        TAKEN.set(TAKEN.get() + bytes);
        Self(bytes)
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

    /// Takes a window of unknown size, as much as is granted; gives how many bytes that are.
    pub(super) fn largest_window() -> (Self, usize) {
        let bytes = WINDOW_MAX.min(Self::left());
        (Self::take(bytes), bytes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        TAKEN.set(TAKEN.get() - self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
