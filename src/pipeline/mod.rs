//! The one place that knows all stages: windows, threads, cancellation.

pub mod content;
pub mod decorate;
mod live;
pub mod passwords;
pub mod place;
pub mod sweep;

pub use passwords::{PasswordBook, PasswordRule};
pub use place::{examine, examine_with};
pub use sweep::{Progress, Request, SweepError, Swept, sweep};
