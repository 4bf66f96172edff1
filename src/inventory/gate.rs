//! What about an export as a whole says that it must not be judged by: a broken export would call every key unknown.

use super::InventoryError;
use crate::model::{Doubt, Inventory};

/// How many rows interfaces give at once unless asked; a list of exactly so many may be the first page.
const PAGE_SIZES: [u64; 5] = [100, 500, 1_000, 5_000, 10_000];

/// The doubts on an export.
pub(super) fn doubts(
    inventory: &Inventory,
    page_token: Option<&str>,
    suspicions: Vec<String>,
) -> Vec<Doubt> {
    let (rows, unusable) = (inventory.rows, inventory.unusable);
    let mut out = Vec::new();
    let mut stops = |reason: String| {
        out.push(Doubt {
            stops: true,
            reason,
        });
    };
    if let Some(token) = page_token {
        stops(format!(
            "a page token is left in it ({token}), so rows are lacking"
        ));
    }
    if rows <= unusable {
        stops("no usable row".to_owned());
    } else if is_too_much(rows, unusable) {
        stops(format!(
            "{unusable} of {rows} rows cannot be used, more than a fifth"
        ));
    }
    suspicions.into_iter().for_each(&mut stops);
    let entries = &inventory.entries;
    if !entries.is_empty() && entries.iter().all(|e| e.identifiers.is_empty()) {
        out.push(Doubt {
            stops: false,
            reason: "no row has an identifier of a certificate or key, so that none can be matched strongly".to_owned(),
        });
    }
    if PAGE_SIZES.contains(&rows) && page_token.is_none() {
        out.push(Doubt {
            stops: false,
            reason: format!("it has exactly {rows} rows, which may be one page of several"),
        });
    }
    out
}

const fn is_too_much(rows: u64, unusable: u64) -> bool {
    unusable.saturating_mul(5) > rows
}

/// The error that an export's doubts amount to.
pub fn stop(inventory: &Inventory) -> Option<InventoryError> {
    let name = inventory.name.clone();
    let doubt = inventory.doubts.iter().find(|d| d.stops)?;
    let (rows, unusable) = (inventory.rows, inventory.unusable);
    Some(if doubt.reason.starts_with("a page token") {
        let token = doubt.reason.split(['(', ')']).nth(1).unwrap_or_default();
        InventoryError::PageToken {
            name,
            token: token.to_owned(),
        }
    } else if rows == 0 {
        InventoryError::NoRows { name }
    } else if is_too_much(rows, unusable) {
        let first = inventory
            .faults
            .iter()
            .find(|f| f.row_lost)
            .or_else(|| inventory.faults.iter().find(|f| f.source != name))
            .map_or_else(String::new, |f| format!("{}: {}", f.source, f.reason));
        InventoryError::TooManyUnusable {
            name,
            rows,
            unusable,
            first,
        }
    } else {
        InventoryError::Doubtful {
            name,
            reason: doubt.reason.clone(),
        }
    })
}
