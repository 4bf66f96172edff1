//! `keymuster` calls the roll of every cryptographic key on a machine and holds it against the register.
//!
//! Data flows one way, and the stages are the folders of this crate:
//!
//! ```text
//! walk ─ Source, bytes → detect ─ Candidate → parse ─ Artifact | nested Candidate | Gap
//!   → identity (+ host) ─ Sighting → (gather by key, sort)
//!   → reconcile (+ Inventory, Policy) ─ Finding → report
//! ```
//!
//! Stages do not import one another: every hand-over type is in [`model`], and `pipeline` connects them.
//! `ARCHITECTURE.md` has the table of who may import what; a test holds the code to it.

pub mod cli;
pub mod containers;
pub mod detect;
pub mod formats;
pub mod history;
pub mod host;
pub mod identity;
pub mod inventory;
pub mod model;
pub mod parse;
pub mod pipeline;
pub mod policy;
pub mod reconcile;
pub mod report;
pub mod walk;
