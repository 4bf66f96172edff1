//! `shared` and `shared_across_environments`.

use super::context::{Draft, KeyContext, Row, World};
use super::join::Link;
use super::names::folded;
use super::ownership::owner_of;
use super::places::Place;
use super::trust::{Trust, is_host_key};
use crate::model::{EntryPlace, Flag};
use std::collections::BTreeMap;

/// The environment of each host, by number: by the asset list, else the one on which the rows that place things there agree.
pub(super) struct Environments<'w>(Vec<Option<&'w str>>);

/// What rows say of the environment of each host: nothing, or the one on which they agree, if they do.
pub(super) struct ByRows(Vec<Option<Option<u32>>>);

impl ByRows {
    pub(super) fn new(world: &World<'_>) -> Self {
        Self(vec![None; world.hosts.iter().count()])
    }

    pub(super) fn add_row(&mut self, row: &Row<'_>) {
        let Some(environment) = row.environment else {
            return;
        };
        for number in row.places.iter().filter_map(Place::swept_host) {
            if let Some(slot) = self.0.get_mut(number) {
                let known = slot.unwrap_or(Some(environment));
                *slot = Some(known.filter(|known| *known == environment));
            }
        }
    }
}

impl<'w> Environments<'w> {
    /// When all rows were added.
    pub(super) fn of_hosts(world: &'w World<'_>, by_rows: ByRows) -> Self {
        let word = |number: Option<Option<u32>>| Some(world.environments.get(number??));
        let mut all: Vec<Option<&str>> = by_rows.0.into_iter().map(word).collect();
        for (host, word) in &world.listed.environments {
            if let Some(slot) = all.get_mut(*host) {
                *slot = Some(word);
            }
        }
        Self(all)
    }

    /// That of a host.
    pub(super) fn of(&self, host: usize) -> Option<&'w str> {
        self.0.get(host).copied().flatten()
    }
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
    environments: &Environments<'_>,
    trust: &Trust,
    out: &mut Vec<Draft>,
) {
    let on = || cx.private().map(|(number, _)| cx.world.host(number));
    let Some(first) = on().next() else {
        if cx.key.judged.len() > 1 {
            public_host_keys(cx, out);
        }
        return;
    };
    let many = if on().all(|host| host == first) {
        Vec::new()
    } else {
        distinct(on())
    };
    let hosts = match many.as_slice() {
        [] => std::slice::from_ref(&first),
        many => many,
    };
    let reasons = [on_many_hosts(cx, hosts), of_many_owners(cx)];
    if reasons.iter().any(Option::is_some) {
        let severity = cx.world.policy.severity(Flag::Shared);
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        out.push(Draft::new(Flag::Shared, severity, reasons.join("; ")));
    }
    let of_rows = || {
        let rows = cx.links.iter().map(Link::row);
        let rows = rows.filter_map(|row| cx.overview.row(row)?.environment);
        rows.map(|number| cx.world.environments.get(number))
    };
    let words = || of_rows().chain(hosts.iter().filter_map(|&h| environments.of(h)));
    let Some(home) = words().next() else {
        return;
    };
    if words().any(|word| word != home) {
        let why = format!(
            "one private key is in environments that differ ({}), on {}",
            distinct(words()).join(", "),
            host_names(cx.world, hosts)
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
        return;
    }
    // A key of one environment opens hosts of another: who has the one gets into the other. Production's own keys
    // may reach the rest.
    if home == PRODUCTION {
        return;
    }
    let reached: Vec<usize> = trust
        .opened(cx.index)
        .into_iter()
        .filter(|&h| environments.of(h).is_some_and(|e| e != home))
        .collect();
    if !reached.is_empty() {
        let others = reached.iter().filter_map(|&h| environments.of(h));
        let why = format!(
            "a private key of {home}, on {}, opens accounts in {} (on {})",
            host_names(cx.world, hosts),
            distinct(others).join(", "),
            host_names(cx.world, &reached)
        );
        let severity = cx.world.policy.severity(Flag::SharedAcrossEnvironments);
        out.push(Draft::new(Flag::SharedAcrossEnvironments, severity, why));
    }
}

/// A private key on more hosts than its rows say, or one host key of several machines.
fn on_many_hosts(cx: &KeyContext<'_, '_>, hosts: &[usize]) -> Option<String> {
    if hosts.len() < 2 {
        return None;
    }
    let rows = || cx.links.iter().filter_map(|l| cx.row(l));
    let stated = rows().filter_map(|r| r.entry.allowed_hosts).max();
    let stated = stated.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let on_machines = cx.private().filter(|(_, s)| is_host_key(s));
    let on_machines = distinct(on_machines.map(|(number, _)| cx.world.host(number)));
    if on_machines.len() > 1 && on_machines.len() > stated.unwrap_or(1) {
        return Some(format!(
            "{} machines have the same SSH host key: {}",
            on_machines.len(),
            host_names(cx.world, hosts)
        ));
    }
    rows().next()?;
    let named = || distinct(rows().flat_map(named_hosts)).len();
    let allowed = stated.unwrap_or_else(named).max(1);
    (hosts.len() > allowed).then(|| {
        format!(
            "the private key is on {} hosts ({}), where at most {allowed} may have it",
            hosts.len(),
            host_names(cx.world, hosts)
        )
    })
}

/// A private key that is registered under several owners.
fn of_many_owners(cx: &KeyContext<'_, '_>) -> Option<String> {
    if cx.links.len() < 2 {
        return None;
    }
    let rows = || cx.links.iter().filter_map(|l| cx.row(l));
    let mut all = rows().filter_map(owner_of);
    let first = all.next();
    if all.all(|owner| Some(owner) == first) {
        return None;
    }
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for owner in rows().filter_map(owner_of) {
        owners.entry(folded(owner)).or_insert(owner);
    }
    let list: Vec<&str> = owners.into_values().collect();
    (list.len() > 1).then(|| {
        format!(
            "one private key is registered under {} owners: {}",
            list.len(),
            list.join(", ")
        )
    })
}

/// Host keys whose private halves could not be read, on several machines.
fn public_host_keys(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let mut on = cx.key.judged.iter().map(|n| cx.world.host(n));
    let first = on.next();
    if on.all(|host| Some(host) == first) {
        return;
    }
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

fn named_hosts<'a>(row: &Row<'a>) -> impl Iterator<Item = String> + use<'a> {
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
