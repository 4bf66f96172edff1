//! Progress on standard error while a sweep runs; none when that is not a terminal.

use crate::report::escape::escape;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a sweep has done so far.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Keys, certificates and other artifacts found.
    pub found: u64,
    /// The directory that is being read.
    pub directory: String,
}

/// Runs `work` and shows what `snapshot` says of it meanwhile.
pub fn show<T>(
    quiet: bool,
    host: &str,
    snapshot: impl Fn() -> Snapshot + Sync,
    work: impl FnOnce() -> T,
) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    let host = escape(host).into_owned();
    let done = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let started = Instant::now();
            while !done.load(Ordering::Relaxed) {
                bar.set_message(message(&host, &snapshot(), started.elapsed()));
                bar.tick();
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        outcome
    });
    bar.finish_and_clear();
    outcome
}

fn message(host: &str, now: &Snapshot, elapsed: Duration) -> String {
    let milliseconds = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = HumanBytes(now.bytes.saturating_mul(1000) / milliseconds);
    format!(
        "{host}: {} files, {}, {rate}/s, {} found  {}",
        HumanCount(now.files),
        HumanBytes(now.bytes),
        HumanCount(now.found),
        escape(&now.directory)
    )
}
