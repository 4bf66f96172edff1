//! `shared` and `shared_across_environments`.

use super::context::{Draft, KeyContext, Row, World};
use super::names::folded;
use super::ownership::owner_of;
use super::places::{HostRef, Place};
use super::trust::{Trust, is_host_key};
use crate::model::{EntryPlace, Flag};
use std::collections::{BTreeMap, BTreeSet};

/// The environment of each host: by the asset list, else the one on which the rows that place things there agree.
pub(super) fn environments(world: &World<'_>) -> BTreeMap<usize, String> {
    let mut all: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for row in &world.rows {
        let Some(environment) = environment(row) else {
            continue;
        };
        for place in &row.places {
            let (Place::Exact { host, .. } | Place::Glob { host, .. } | Place::Host(host)) = place
            else {
                continue;
            };
            if let HostRef::Swept(number) = host {
                all.entry(*number).or_default().insert(environment.clone());
            }
        }
    }
    let mut out: BTreeMap<usize, String> = all
        .into_iter()
        .filter(|(_, set)| set.len() == 1)
        .filter_map(|(h, s)| Some((h, s.into_iter().next()?)))
        .collect();
    let listed = world.listed.environments.iter();
    out.extend(listed.map(|(host, word)| (*host, word.clone())));
    out
}

/// The environment whose keys may reach the others.
const PRODUCTION: &str = "production";

/// The environment of a row.
fn environment(row: &Row<'_>) -> Option<String> {
    environment_word(row.entry.environment.as_deref()?)
}

/// One word for the usual spellings of an environment.
pub(super) fn environment_word(text: &str) -> Option<String> {
    let text = folded(text);
    let word = match text.as_str() {
        "prod" | "prd" | "production" | "live" => PRODUCTION,
        "dev" | "devel" | "development" => "development",
        "stage" | "stg" | "staging" => "staging",
        "test" | "tst" | "testing" => "test",
        "preprod" | "pre-prod" | "pre-production" => "pre-production",
        "" => return None,
        other => other,
    };
    Some(word.to_owned())
}

/// Judges where one private key is, and whose it is said to be.
pub(super) fn judge(
    cx: &KeyContext<'_, '_>,
    environments: &BTreeMap<usize, String>,
    trust: &Trust,
    out: &mut Vec<Draft>,
) {
    let private: Vec<usize> = cx.private().map(|(number, _)| number).collect();
    if private.is_empty() {
        public_host_keys(cx, out);
        return;
    }
    let hosts: BTreeSet<usize> = private.iter().map(|&n| cx.world.host(n)).collect();
    let rows: Vec<(usize, &Row<'_>)> = cx
        .links
        .iter()
        .filter_map(|l| Some((l.row, cx.row(l)?)))
        .collect();
    let mut reasons = Vec::new();
    let stated = rows.iter().filter_map(|(_, r)| r.entry.allowed_hosts).max();
    let names = host_names(cx.world, &hosts);
    let named: BTreeSet<String> = rows.iter().flat_map(|(_, r)| named_hosts(r)).collect();
    let allowed = stated
        .map_or(named.len(), |n| usize::try_from(n).unwrap_or(usize::MAX))
        .max(1);
    let on_machines: BTreeSet<usize> = cx
        .private()
        .filter(|(_, s)| is_host_key(s))
        .map(|(number, _)| cx.world.host(number))
        .collect();
    if on_machines.len() > 1
        && on_machines.len() > stated.map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX))
    {
        reasons.push(format!(
            "{} machines have the same SSH host key: {names}",
            on_machines.len()
        ));
    } else if !rows.is_empty() && hosts.len() > allowed {
        reasons.push(format!(
            "the private key is on {} hosts ({names}), where at most {allowed} may have it",
            hosts.len()
        ));
    }
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for owner in rows.iter().filter_map(|(_, r)| owner_of(r)) {
        owners.entry(folded(owner)).or_insert(owner);
    }
    if owners.len() > 1 {
        let list: Vec<&str> = owners.values().copied().collect();
        reasons.push(format!(
            "one private key is registered under {} owners: {}",
            owners.len(),
            list.join(", ")
        ));
    }
    if !reasons.is_empty() {
        let severity = cx.world.policy.severity(Flag::Shared);
        out.push(Draft::new(Flag::Shared, severity, reasons.join("; ")));
    }
    let mut differ: BTreeSet<String> = rows.iter().filter_map(|(_, r)| environment(r)).collect();
    differ.extend(hosts.iter().filter_map(|h| environments.get(h).cloned()));
    if differ.len() > 1 {
        let list: Vec<&str> = differ.iter().map(String::as_str).collect();
        let why = format!(
            "one private key is in environments that differ ({}), on {names}",
            list.join(", ")
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
        return;
    }
    // A key of one environment opens hosts of another: who has the one gets into the other. Production's own keys
    // may reach the rest.
    let home = differ.first().filter(|home| *home != PRODUCTION);
    let reached: BTreeSet<usize> = trust
        .opened(cx.index)
        .into_iter()
        .filter(|h| environments.get(h).is_some_and(|e| Some(e) != home))
        .collect();
    if let Some(home) = home.filter(|_| !reached.is_empty()) {
        let others: BTreeSet<&str> = reached
            .iter()
            .filter_map(|h| environments.get(h).map(String::as_str))
            .collect();
        let others: Vec<&str> = others.into_iter().collect();
        let why = format!(
            "a private key of {home}, on {names}, opens accounts in {} (on {})",
            others.join(", "),
            host_names(cx.world, &reached)
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
    }
}

/// Host keys whose private halves could not be read, on several machines.
fn public_host_keys(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let numbers = cx.key.judged.iter().copied();
    let hosts: BTreeSet<usize> = numbers
        .filter(|&n| cx.world.sightings.get(n).is_some_and(is_host_key))
        .map(|n| cx.world.host(n))
        .collect();
    let stated = cx
        .links
        .iter()
        .filter_map(|l| cx.row(l)?.entry.allowed_hosts);
    let allowed = stated
        .max()
        .map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX));
    if hosts.len() > allowed.max(1) {
        let why = format!(
            "{} machines have the same SSH host key, by its public half: {}",
            hosts.len(),
            host_names(cx.world, &hosts)
        );
        let severity = cx.world.policy.severity(Flag::Shared);
        out.push(Draft::new(Flag::Shared, severity, why));
    }
}

fn named_hosts(row: &Row<'_>) -> impl Iterator<Item = String> {
    row.entry.places.iter().filter_map(|place| match place {
        EntryPlace::Exact { host, .. } | EntryPlace::Glob { host, .. } => {
            host.as_deref().map(str::to_lowercase)
        }
        EntryPlace::Host(host) => Some(host.to_lowercase()),
        EntryPlace::Elsewhere(_) => None,
    })
}

fn host_names(world: &World<'_>, hosts: &BTreeSet<usize>) -> String {
    let shown: Vec<&str> = hosts
        .iter()
        .take(5)
        .filter_map(|&h| Some(world.hosts.get(h)?.name.as_str()))
        .collect();
    match hosts.len().saturating_sub(5) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
