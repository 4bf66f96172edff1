//! Thresholds, severities and owners.

pub mod owners;
