//! The one place that knows all stages: windows, threads, cancellation.

pub mod content;
pub mod decorate;
pub mod place;
pub mod sweep;

pub use place::{examine, examine_with};
pub use sweep::{Progress, Request, SweepError, Swept, sweep};
