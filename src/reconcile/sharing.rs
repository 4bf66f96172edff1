//! `shared` and `shared_across_environments`.

use super::context::{Draft, KeyContext, Row, World};
use super::names::folded;
use super::ownership::owner_of;
use super::places::{HostRef, Place};
use super::trust::{Trust, is_host_key};
use crate::model::{EntryPlace, Flag};
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The environment of each host: by the asset list, else the one on which the rows that place things there agree.
pub(super) fn environments(world: &World<'_>) -> BTreeMap<usize, String> {
    // None where the rows do not agree.
    let mut all: HashMap<usize, Option<u32>> = HashMap::default();
    for row in &world.rows {
        let Some(environment) = row.environment else {
            continue;
        };
        for place in &row.places {
            let (Place::Exact { host, .. } | Place::Glob { host, .. } | Place::Host(host)) = place
            else {
                continue;
            };
            if let HostRef::Swept(number) = host {
                let known = all.entry(*number).or_insert(Some(environment));
                *known = known.filter(|known| *known == environment);
            }
        }
    }
    let word = |number| world.environments.get(number).to_owned();
    let mut out: BTreeMap<usize, String> = all
        .into_iter()
        .filter_map(|(host, number)| Some((host, word(number?))))
        .collect();
    let listed = world.listed.environments.iter();
    out.extend(listed.map(|(host, word)| (*host, word.clone())));
    out
}

/// The environment whose keys may reach the others.
const PRODUCTION: &str = "production";

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
    if cx.private().next().is_none() {
        public_host_keys(cx, out);
        return;
    }
    let hosts = distinct(cx.private().map(|(number, _)| cx.world.host(number)));
    let rows: Vec<&Row<'_>> = cx.links.iter().filter_map(|l| cx.row(l)).collect();
    let mut reasons = Vec::new();
    let stated = rows.iter().filter_map(|r| r.entry.allowed_hosts).max();
    let names = || host_names(cx.world, &hosts);
    let named = || -> BTreeSet<String> { rows.iter().flat_map(|r| named_hosts(r)).collect() };
    let allowed = || {
        stated
            .map_or_else(
                || named().len(),
                |n| usize::try_from(n).unwrap_or(usize::MAX),
            )
            .max(1)
    };
    let on_machines = cx.private().filter(|(_, s)| is_host_key(s));
    let on_machines = distinct(on_machines.map(|(number, _)| cx.world.host(number)));
    if on_machines.len() > 1
        && on_machines.len() > stated.map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX))
    {
        reasons.push(format!(
            "{} machines have the same SSH host key: {}",
            on_machines.len(),
            names()
        ));
    } else if !rows.is_empty() && hosts.len() > 1 && hosts.len() > allowed() {
        reasons.push(format!(
            "the private key is on {} hosts ({}), where at most {} may have it",
            hosts.len(),
            names(),
            allowed()
        ));
    }
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for owner in rows
        .iter()
        .filter(|_| rows.len() > 1)
        .filter_map(|r| owner_of(r))
    {
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
    let of_rows = rows.iter().filter_map(|r| r.environment);
    let of_rows = of_rows.map(|number| cx.world.environments.get(number));
    let of_hosts = hosts.iter().filter_map(|h| environments.get(h));
    let differ = distinct(of_rows.chain(of_hosts.map(String::as_str)));
    if differ.len() > 1 {
        let why = format!(
            "one private key is in environments that differ ({}), on {}",
            differ.join(", "),
            names()
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
        return;
    }
    // A key of one environment opens hosts of another: who has the one gets into the other. Production's own keys
    // may reach the rest.
    let Some(home) = differ.first().filter(|home| **home != PRODUCTION) else {
        return;
    };
    let reached: Vec<usize> = trust
        .opened(cx.index)
        .into_iter()
        .filter(|h| environments.get(h).is_some_and(|e| e != home))
        .collect();
    if !reached.is_empty() {
        let others: BTreeSet<&str> = reached
            .iter()
            .filter_map(|h| environments.get(h).map(String::as_str))
            .collect();
        let others: Vec<&str> = others.into_iter().collect();
        let why = format!(
            "a private key of {home}, on {}, opens accounts in {} (on {})",
            names(),
            others.join(", "),
            host_names(cx.world, &reached)
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
    }
}

/// Host keys whose private halves could not be read, on several machines.
fn public_host_keys(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let numbers = cx.key.judged.iter();
    let hosts = numbers
        .filter(|&n| cx.world.sightings.get(n).is_some_and(|s| is_host_key(s)))
        .map(|n| cx.world.host(n));
    let hosts = distinct(hosts);
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

/// In order, each once.
fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn host_names(world: &World<'_>, hosts: &[usize]) -> String {
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
