//! One host by several names: a machine that was renamed keeps its machine id.

use crate::model::{HostList, Sha256Hex, Sweep};
use std::collections::BTreeMap;

/// Machines that were cloned with one id are swept side by side, a renamed one never: between the last sweep under its old
/// name and the first under its new one lies at least half a day.
const APART: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);

/// The names of each machine that was renamed: machine id to its names in order of time, the latest last.
pub(super) fn find(sweeps: &[Sweep], list: Option<&HostList>) -> BTreeMap<Sha256Hex, Vec<String>> {
    type Times = (jiff::Timestamp, jiff::Timestamp);
    let mut machines: BTreeMap<Sha256Hex, BTreeMap<String, Times>> = BTreeMap::new();
    for header in sweeps.iter().map(|sweep| &sweep.header) {
        let Some(id) = header.machine_id else {
            continue;
        };
        let started = header.started;
        let names = machines.entry(id).or_default();
        let times = names
            .entry(header.host.to_lowercase())
            .or_insert((started, started));
        *times = (times.0.min(started), times.1.max(started));
    }
    let mut out = BTreeMap::new();
    for (id, names) in machines {
        let mut names: Vec<(String, Times)> = names.into_iter().collect();
        names.sort_by_key(|(name, (first, _))| (*first, name.clone()));
        let one_after_another = names.windows(2).all(|pair| match pair {
            [(_, (_, last)), (_, (first, _))] => first.duration_since(*last) >= APART,
            _ => true,
        });
        let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
        if names.len() > 1 && one_after_another && !are_several(&names, list) {
            out.insert(id, names);
        }
    }
    out
}

/// Whether the list has these names as different hosts.
fn are_several(names: &[String], list: Option<&HostList>) -> bool {
    let row = |name: &String| {
        let hosts = &list?.hosts;
        hosts.iter().position(|host| {
            let mut known = std::iter::once(&host.name).chain(&host.aliases);
            known.any(|n| n.to_lowercase() == *name)
        })
    };
    let rows: std::collections::BTreeSet<usize> = names.iter().filter_map(row).collect();
    rows.len() > 1
}
