//! What a report says of the policy and of the inventories.

use super::context::{Draft, World};
use super::finding::{self, Subject};
use crate::model::report::IncludedSummary;
use crate::model::{Finding, Flag, Inventory, InventorySummary, PolicySummary, RowFault};
use crate::policy::Policy;

/// A policy by name and digest, with what holds for its exceptions.
pub(super) fn policy(policy: &Policy, flags: Vec<Finding>) -> PolicySummary {
    let included = policy.included.iter();
    PolicySummary {
        name: policy.name.clone(),
        sha256: policy.sha256.clone(),
        included: included
            .map(|(name, sha256)| IncludedSummary {
                name: name.clone(),
                sha256: sha256.clone(),
            })
            .collect(),
        flags,
    }
}

/// The date of the last export, if all have one: what is newer can be in none of them.
pub(super) fn exported(inventories: &[Inventory]) -> Option<jiff::Timestamp> {
    let dates: Option<Vec<_>> = inventories.iter().map(|i| i.as_of).collect();
    dates?.into_iter().max()
}

/// An inventory without its rows, with what holds for it as a whole.
pub(super) fn inventory(inventory: &Inventory, world: &World<'_>) -> InventorySummary {
    let mut flags = Vec::new();
    if !inventory.has_owner_column && !inventory.entries.is_empty() {
        let why = format!(
            "{} has no column for owners: nobody answers for its rows",
            inventory.name
        );
        let draft = Draft::new(Flag::Unowned, world.policy.severity(Flag::Unowned), why);
        flags.push(finding::finish(
            draft,
            &Subject::Source(&inventory.name),
            None,
        ));
    }
    let fault = |f: &RowFault| match &f.column {
        Some(column) => format!("{}: {column}: {}", f.source, f.reason),
        None => format!("{}: {}", f.source, f.reason),
    };
    InventorySummary {
        name: inventory.name.clone(),
        as_of: inventory.as_of,
        rows: inventory.rows,
        usable: inventory.rows.saturating_sub(inventory.unusable),
        faults: inventory
            .doubts
            .iter()
            .map(|doubt| format!("{}: {}", inventory.name, doubt.reason))
            .chain(inventory.faults.iter().map(fault))
            .collect(),
        flags,
    }
}
