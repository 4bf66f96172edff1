//! What a summary says of the hosts that should have been swept.

use super::escape::escape;
use super::words::share;
use crate::model::{HostReport, HostStatus, Report};

/// How many hosts a line names.
const NAMED: usize = 5;

/// The lines on hosts.
pub(super) struct HostLines {
    /// Whether none is lacking.
    pub(super) complete: bool,
    /// How many have reported.
    pub(super) share: String,
    /// Which have not, which nobody expected, and which were called otherwise.
    pub(super) more: Vec<String>,
}

/// What there is to say; none without a list of hosts and an age.
pub(super) fn lines(report: &Report, verbose: bool) -> Option<HostLines> {
    if report.hosts.is_empty() {
        return None;
    }
    let of = |status: HostStatus| -> Vec<&HostReport> {
        let hosts = report.hosts.iter();
        hosts.filter(|host| host.status == status).collect()
    };
    let (none, old) = (of(HostStatus::NotReported), of(HostStatus::TooOld));
    let reported = of(HostStatus::Reported).len() as u64;
    let all = reported + none.len() as u64 + old.len() as u64;
    let shown = if verbose { usize::MAX } else { NAMED };
    let mut more = Vec::new();
    more.extend(named("no sweep of", &none, shown));
    more.extend(named("the last sweep is too old of", &old, shown));
    let unlisted = of(HostStatus::Unlisted);
    more.extend(named("swept and not on the list", &unlisted, shown));
    let renamed = report.hosts.iter().filter(|host| !host.formerly.is_empty());
    more.extend(renamed.map(|host| {
        format!(
            "{} was called {} before: the machine id is the same",
            escape(host.swept_as.as_deref().unwrap_or(&host.name)),
            escape(&host.formerly.join(", "))
        )
    }));
    Some(HostLines {
        complete: reported == all,
        share: format!("{} in scope have reported", share(reported, all)),
        more,
    })
}

/// `no sweep of: db02, db03`, with the day of the last sweep where it is too old; none without hosts.
fn named(words: &str, hosts: &[&HostReport], shown: usize) -> Option<String> {
    let name = |host: &&HostReport| {
        let day = host
            .last_sweep
            .filter(|_| host.status == HostStatus::TooOld);
        let day = day.map(|at| format!(" ({})", at.strftime("%Y-%m-%d")));
        format!("{}{}", escape(&host.name), day.unwrap_or_default())
    };
    let mut names: Vec<String> = hosts.iter().take(shown).map(name).collect();
    if hosts.len() > names.len() {
        names.push(format!("{} more", hosts.len() - names.len()));
    }
    (!hosts.is_empty()).then(|| format!("{words}: {}", names.join(", ")))
}
