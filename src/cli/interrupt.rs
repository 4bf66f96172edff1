//! Why a sweep is to end early: Ctrl-C, a termination signal, or the time limit.

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Stops a sweep; shared with the threads that do it.
#[derive(Clone)]
pub struct Stop {
    /// Set when the sweep is to end.
    pub flag: Arc<AtomicBool>,
    by_signal: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

/// Why a sweep ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A signal.
    Signal,
    /// The time limit.
    TimeLimit,
}

/// Makes a write past the limit on the size of files (`ulimit -f`) an error that can be told; its signal would end the
/// program in the middle of an output.
pub fn survive_size_limit() {
    // Where it cannot be taken over, all is as it was before.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

impl Stop {
    /// Takes over the first signal of each kind; the second ends the program at once.
    pub fn install(limit: Option<Duration>) -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let by_signal = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the check sees the flag of an earlier signal only.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&by_signal),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&by_signal)))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .context("signals cannot be taken over")?;
        }
        let deadline = limit.map(|limit| Instant::now() + limit);
        if let Some(limit) = limit {
            let flag = Arc::clone(&flag);
            // It ends with the program; setting the flag late harms nobody.
            std::thread::spawn(move || {
                std::thread::sleep(limit);
                flag.store(true, Ordering::Relaxed);
            });
        }
        Ok(Self {
            flag,
            by_signal,
            deadline,
        })
    }

    /// Why the flag is set, if it is.
    pub fn cause(&self) -> Option<Cause> {
        if self.by_signal.load(Ordering::Relaxed) {
            Some(Cause::Signal)
        } else if self.flag.load(Ordering::Relaxed)
            && self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
        {
            Some(Cause::TimeLimit)
        } else {
            None
        }
    }
}
