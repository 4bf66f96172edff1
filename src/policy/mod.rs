//! Thresholds, severities and owners.

pub mod owners;
/// x
#[derive(Default)]
pub struct Policy;
