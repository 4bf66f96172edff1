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
//! `ARCHITECTURE.md` has the table of who may import what; a test holds the code to it. The modules below stand
//! in the order in which they are best read.

// The words that all others use.
pub mod model;

// From a tree to sightings, in the order of a sweep.
pub mod walk;

pub mod detect;

pub mod parse;

pub mod formats;

pub mod containers;

pub mod archives;

pub mod fields;

pub mod identity;

pub mod host;

pub mod stores;

pub mod pipeline;

// From sightings and an export to findings.
pub mod inventory;

pub mod policy;

pub mod reconcile;

// From findings to people and programs.
pub mod history;

pub mod report;

pub mod cli;
