//! SSH access as people read it.

use super::escape::escape;
use super::words::count;
use crate::model::{AccessState, KeyId, Report, SshAccess, Via};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// The lines of the summary; none where nothing was granted. `brief` makes them one, as a screen has few.
pub(super) fn lines(report: &Report, brief: bool) -> Vec<String> {
    let open: Vec<&SshAccess> = report
        .access
        .iter()
        .filter(|access| access.state.lets_in())
        .collect();
    if report.access.is_empty() {
        return Vec::new();
    }
    let keys: BTreeSet<&KeyId> = open.iter().map(|a| &a.key_id).collect();
    let hosts: BTreeSet<&str> = open.iter().map(|a| a.host.as_str()).collect();
    let accounts: BTreeSet<(&str, Option<&str>)> = open
        .iter()
        .map(|a| (a.host.as_str(), a.account.as_deref()))
        .collect();
    let lost: Vec<&&SshAccess> = open.iter().filter(|a| a.orphan == Some(true)).collect();
    let lost_keys: BTreeSet<&KeyId> = lost.iter().map(|a| &a.key_id).collect();
    let root: Vec<&&SshAccess> = open.iter().filter(|a| a.uid == Some(0)).collect();
    if brief {
        let all = format!(
            "{} to {} · {} to root · {} that nobody known holds",
            count(number(keys.len()), "key", "keys"),
            count(number(accounts.len()), "account", "accounts"),
            root.len(),
            lost_keys.len(),
        );
        return vec![all];
    }
    let mut first = format!(
        "{} to {} on {}",
        count(number(keys.len()), "key", "keys"),
        count(number(accounts.len()), "account", "accounts"),
        count(number(hosts.len()), "host", "hosts"),
    );
    let idle = report.access.len() - open.len();
    if idle > 0 {
        first.push_str(&format!(
            " · {} nobody in",
            count(number(idle), "grant lets", "grants let")
        ));
    }
    let mut lines = vec![first];
    if !root.is_empty() {
        let hosts: BTreeSet<&str> = root.iter().map(|a| a.host.as_str()).collect();
        let limited = root.iter().filter(|a| a.state == AccessState::Command);
        let limited = match limited.count() {
            0 => String::new(),
            n => format!(", {n} of them for one command"),
        };
        lines.push(format!(
            "root: {} on {}{limited}",
            count(number(root.len()), "access", "accesses"),
            shown(&hosts)
        ));
    }
    if !lost.is_empty() {
        lines.push(format!(
            "nobody known holds {}, which {} {}",
            count(number(lost_keys.len()), "key", "keys"),
            if lost_keys.len() == 1 { "has" } else { "have" },
            count(number(lost.len()), "access", "accesses"),
        ));
    }
    lines
}

/// `db01:carol, one command, from 10.0.0.0/8, by grant in /home/carol/.ssh/authorized_keys, line 4`.
pub(super) fn sentence(access: &SshAccess) -> String {
    let account = access.account.as_deref().unwrap_or("(account unknown)");
    let mut text = format!("{}:{account}", access.host);
    if access.uid == Some(0) && account != "root" {
        text.push_str(" (number 0)");
    }
    let state = match access.state {
        AccessState::Open => None,
        AccessState::Command => Some("one command only".to_owned()),
        AccessState::Expired => Some("not in its time".to_owned()),
        AccessState::NotRead => Some("in a file that sshd does not read".to_owned()),
        AccessState::Disabled => Some("closed: it lets nobody in".to_owned()),
        AccessState::Refused => {
            let by = access.refused.as_deref().unwrap_or("sshd");
            Some(format!("refused by {by}"))
        }
    };
    let mut parts: Vec<String> = state.into_iter().collect();
    if access.no_shell {
        parts.push("its shell lets nobody in".to_owned());
    }
    if let Some(from) = &access.from {
        parts.push(format!("from {from}"));
    }
    if access.state != AccessState::Disabled && !access.limits.is_empty() {
        parts.push(access.limits.join(" "));
    }
    if let Some(until) = access.until {
        parts.push(format!("until {}", until.strftime("%Y-%m-%d")));
    }
    let via = match access.via {
        Via::Grant => "by a grant".to_owned(),
        Via::Authority => format!("to whom it certifies as {}", access.principals.join(", ")),
        Via::Certificate => {
            let name = access.certificate.as_deref().unwrap_or("without name");
            format!("by certificate {name}, authority")
        }
    };
    let line = access.line.map(|l| format!(", line {l}"));
    parts.push(format!(
        "{via} in {}{}",
        access.path,
        line.unwrap_or_default()
    ));
    for part in parts {
        text.push_str(", ");
        text.push_str(&part);
    }
    text
}

/// Writes each access on a line.
pub(super) fn write_list(report: &Report, title: &str, out: &mut impl Write) -> io::Result<()> {
    if report.access.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for one in &report.access {
        let held = one
            .held_at
            .first()
            .map(|place| format!("; held at {place}"));
        let text = format!("{}{}", sentence(one), held.unwrap_or_default());
        writeln!(out, "  {}  {}", one.key_id, escape(&text))?;
    }
    Ok(())
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The first of some hosts.
fn shown(hosts: &BTreeSet<&str>) -> String {
    let first: Vec<&str> = hosts.iter().copied().take(4).collect();
    match hosts.len().saturating_sub(4) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
