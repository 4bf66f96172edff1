//! The one file that knows all stages: threads, windows, cancellation.

pub mod content;
