//! `access_orphan`: a grant whose private key is neither seen nor registered.

use super::super::context::{Draft, KeyContext};
use super::graph::{Edge, Trust};
use crate::model::{AccessState, Flag, Severity, SshAccess, Via};

/// Grants that the reason names.
const NAMED: usize = 3;

/// The finding on a key that no row names; none if its private key was seen, if it grants nothing, or if too few
/// hosts were swept to tell.
pub(in super::super) fn judge(cx: &KeyContext<'_, '_>, trust: &Trust) -> Option<Draft> {
    let counts = |edge: &&Edge| {
        edge.access.via != Via::Certificate && edge.access.state != AccessState::Disabled
    };
    let edges: Vec<&SshAccess> = trust
        .of(cx.index)
        .filter(counts)
        .map(|edge| &edge.access)
        .collect();
    let stored = trust.stored(cx.index);
    let held = edges.iter().any(|access| !access.held_at.is_empty());
    let private = cx.world.at(&cx.key.all).any(|s| s.kind.is_private());
    if !trust.judged || held || private || !cx.links.is_empty() || edges.len() + stored == 0 {
        return None;
    }
    let by_contract = edges.iter().map(|a| degree(a)).max().unwrap_or_default();
    let mut worst = edges.clone();
    worst.sort_by_key(|access| std::cmp::Reverse(degree(access)));
    let mut told: Vec<String> = worst.iter().take(NAMED).map(|a| sentence(a)).collect();
    if let Some(more) = edges.len().checked_sub(NAMED).filter(|&n| n > 0) {
        told.push(format!("{more} more"));
    }
    if stored > 0 {
        let noun = if stored == 1 { "a grant" } else { "grants" };
        told.push(format!("{noun} in archives or history"));
    }
    let hosts = cx.world.hosts.iter().count();
    let whole = if cx.world.estate {
        ", which are all of the estate"
    } else {
        ""
    };
    let on = if hosts == 1 {
        format!("the one host swept{}", whole.replace("are", "is"))
    } else {
        format!("any of the {hosts} hosts swept{whole}")
    };
    let register = if cx.world.rows.is_empty() {
        ""
    } else {
        ", and no row names it"
    };
    let why = format!(
        "{}; its private key was not seen on {on}{register}",
        told.join(", ")
    );
    let severity = cx.world.policy.graded(Flag::AccessOrphan, by_contract);
    Some(Draft::new(Flag::AccessOrphan, severity, why))
}

/// High for all of root, low for one command, info for what opens nothing (contract, section 3).
fn degree(access: &SshAccess) -> Severity {
    match access.state {
        AccessState::Open if access.uid == Some(0) => Severity::High,
        AccessState::Open => Severity::Medium,
        AccessState::Command => Severity::Low,
        _ => Severity::Info,
    }
}

/// `opens root on db01 (/root/.ssh/authorized_keys)`.
fn sentence(access: &SshAccess) -> String {
    let account = access.account.as_deref().unwrap_or("an unknown account");
    let verb = match (access.via, access.state) {
        (_, AccessState::NotRead) => "is listed in a file that sshd does not read, for",
        (_, AccessState::Refused) => "is refused by sshd for",
        (_, AccessState::Expired) => "no longer opens",
        (Via::Authority, _) => "signs certificates that open",
        (_, AccessState::Command) => "runs one command as",
        _ => "opens",
    };
    let from = access.from.as_deref();
    let from = from.map(|f| format!(", from {f}")).unwrap_or_default();
    let shell = if access.no_shell {
        ", whose shell lets nobody in"
    } else {
        ""
    };
    format!(
        "{verb} {account} on {} ({}{from}{shell})",
        access.host, access.path
    )
}
