//! The one place that knows all stages: windows, threads, cancellation.

mod budget;
pub mod content;
pub mod decorate;
mod images;
mod inside;
mod lines;
mod live;
mod members;
pub mod passwords;
pub mod place;
mod repositories;
pub mod seen;
mod shared_primes;
pub mod sweep;
mod trust;
mod window;

pub use passwords::{PasswordBook, PasswordRule};
pub use place::{examine, examine_with};
pub use sweep::{Progress, Request, SweepError, Swept, sweep};
