//! The hosts that should have been swept, held against those that were.

use super::sharing::environment_word;
use super::sweeps::Hosts;
use crate::model::{HostList, HostReport, HostStatus, ListedHost};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an asset list says of the hosts that were swept.
#[derive(Default)]
pub(super) struct Listed {
    /// One for each host, listed or swept; empty without a list and without an age.
    pub(super) reports: Vec<HostReport>,
    /// The environment of a swept host, by number.
    pub(super) environments: BTreeMap<usize, String>,
    /// Who answers for a swept host, by number.
    pub(super) owners: BTreeMap<usize, String>,
}

/// Matches by machine id, then by name and aliases; a host's other names are made known to `hosts`, so that rows may use them.
pub(super) fn judge(list: Option<&HostList>, aged: bool, hosts: &mut Hosts) -> Listed {
    let mut out = Listed::default();
    if list.is_none() && !aged {
        return out;
    }
    let listed = list.map_or(&[][..], |list| &list.hosts);
    let found: Vec<Option<usize>> = listed.iter().map(|host| swept(host, hosts)).collect();
    for (host, number) in listed.iter().zip(&found) {
        if let Some(number) = *number {
            for name in std::iter::once(&host.name).chain(&host.aliases) {
                hosts.also_called(number, name);
            }
            let environment = host.environment.as_deref().and_then(environment_word);
            out.environments
                .extend(environment.map(|word| (number, word)));
            out.owners
                .extend(host.owner.clone().map(|owner| (number, owner)));
        }
        let status = match number {
            _ if !host.in_scope => HostStatus::OutOfScope,
            None => HostStatus::NotReported,
            Some(number) => age_of(*number, hosts),
        };
        let report = HostReport {
            environment: host.environment.clone(),
            owner: host.owner.clone(),
            source: Some(host.source.clone()),
            ..report(host.name.clone(), status, *number, hosts)
        };
        out.reports.push(report);
    }
    let unlisted = (0..hosts.iter().count()).filter(|number| !found.contains(&Some(*number)));
    for number in unlisted {
        let Some(host) = hosts.get(number) else {
            continue;
        };
        let status = if list.is_some() {
            HostStatus::Unlisted
        } else {
            age_of(number, hosts)
        };
        out.reports
            .push(report(host.name.clone(), status, Some(number), hosts));
    }
    out
}

fn swept(listed: &ListedHost, hosts: &Hosts) -> Option<usize> {
    let by_machine = || {
        let id = listed.machine_id?;
        hosts.iter().position(|host| host.machine_ids.contains(&id))
    };
    by_machine().or_else(|| {
        let mut names = std::iter::once(&listed.name).chain(&listed.aliases);
        names.find_map(|name| hosts.meant(name))
    })
}

fn age_of(number: usize, hosts: &Hosts) -> HostStatus {
    match hosts.get(number) {
        Some(host) if host.is_too_old => HostStatus::TooOld,
        _ => HostStatus::Reported,
    }
}

fn report(name: String, status: HostStatus, number: Option<usize>, hosts: &Hosts) -> HostReport {
    let host = number.and_then(|number| hosts.get(number));
    HostReport {
        name,
        status,
        swept_as: host.map(|host| host.name.clone()),
        formerly: host.map(|host| host.formerly.clone()).unwrap_or_default(),
        last_sweep: host.map(|host| host.last_sweep),
        environment: None,
        owner: None,
        source: None,
    }
}

/// The numbers of hosts, for the summary.
pub(super) fn metrics(reports: &[HostReport]) -> Option<Value> {
    if reports.is_empty() {
        return None;
    }
    let count = |status| reports.iter().filter(|host| host.status == status).count();
    let (reported, too_old, none) = (
        count(HostStatus::Reported),
        count(HostStatus::TooOld),
        count(HostStatus::NotReported),
    );
    Some(json!({
        "in_scope": reported + too_old + none,
        "reported": reported,
        "too_old": too_old,
        "not_reported": none,
        "out_of_scope": count(HostStatus::OutOfScope),
        "unlisted": count(HostStatus::Unlisted),
    }))
}
