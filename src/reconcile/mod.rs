//! Pure judgement: sightings, entries, policy and a time become findings.
use crate::model::*;
use crate::policy::{Policy, owners::Owners};
/// x
pub struct Input<'a> {
    /// x
    pub sweeps: Vec<Sweep>,
    /// x
    pub inventories: &'a [Inventory],
    /// x
    pub policy: &'a Policy,
    /// x
    pub owners: Option<&'a Owners>,
    /// x
    pub now: jiff::Timestamp,
    /// x
    pub tool: String,
}
/// x
pub fn reconcile(input: Input<'_>) -> Report {
    let mut others = vec![];
    let mut gaps = vec![];
    let mut sweeps = vec![];
    for mut s in input.sweeps {
        others.append(&mut s.sightings);
        gaps.append(&mut s.gaps);
        sweeps.push(SweepSummary {
            header: s.header,
            end: s.end,
        });
    }
    Report {
        schema: String::new(),
        tool: input.tool,
        generated: input.now,
        sweeps,
        inventories: vec![],
        summary: Summary::default(),
        keys: vec![],
        others,
        entries: vec![],
        gaps,
    }
}
