//! `unknown`, `unknown_certificate`, `ambiguous` and `unowned`.

use super::context::{Draft, KeyContext, Row, World};
use super::dates::day;
use super::evidence;
use super::exposure::is_trust_anchor;
use super::join::{Join, Link, Method, WeakLink};
use super::openpgp;
use super::overview::Fact;
use super::renewal::{Replaced, lie_together};
use super::tokens::methods_of;
use super::trust::{self, Trust};
use crate::model::{CertificateStatus, Flag, KeyId, Kind, Severity, Sighting};
use crate::policy::Standing;
use std::collections::BTreeSet;

/// Whether the inventory knows a key, and whether someone answers for it.
pub(super) fn judge(
    cx: &KeyContext<'_, '_>,
    join: &Join,
    (weak, pointing): (&[WeakLink], &[u32]),
    replaced: &Replaced,
    trust: &Trust,
    unowned_sources: &[bool],
    out: &mut Vec<Draft>,
) {
    if cx.links.is_empty() {
        unmatched(cx, join, (weak, pointing), replaced, trust, out);
        return;
    }
    unknown_certificates(cx, replaced, out);
    for link in cx.links.iter().filter(|link| !link.by_primary) {
        if cx.overview.row_is(link.row(), Fact::Owned) {
            continue;
        }
        let Some(row) = cx.row(link) else { continue };
        if unowned_sources.get(row.inventory as usize) == Some(&true) {
            continue; // told once for the source
        }
        if let Some(why) = no_owner(cx.world, row) {
            let severity = cx.world.policy.severity(Flag::Unowned);
            out.push(Draft::new(Flag::Unowned, severity, why).row(link.row()));
        }
    }
}

/// Whether a row names an owner of whom nothing is known that speaks against it.
pub(super) fn is_owned(world: &World<'_>, row: &Row<'_>) -> bool {
    let standing = |owner| world.owners.map(|list| list.standing(owner));
    owner_of(row).is_some_and(|owner| matches!(standing(owner), None | Some(Standing::Present)))
}

/// Why a row has no owner; none when it has one.
fn no_owner(world: &World<'_>, row: &Row<'_>) -> Option<String> {
    let Some(owner) = owner_of(row) else {
        return Some(format!("{} names no owner", row.title()));
    };
    match world.owners.map(|list| list.standing(owner)) {
        Some(Standing::Gone(word)) => Some(format!(
            "{} names {owner} as owner, whom the owners list marks as {word}",
            row.title()
        )),
        Some(Standing::Unknown) => Some(format!(
            "{} names {owner} as owner, whom the owners list does not know",
            row.title()
        )),
        Some(Standing::Present) | None => None,
    }
}

/// The owner that a row names.
pub(super) fn owner_of<'a>(row: &Row<'a>) -> Option<&'a str> {
    let owner = row.entry.owner.as_deref()?;
    // Nearly all begin and end with a letter.
    if let [first, .., last] = owner.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return Some(owner);
    }
    Some(owner.trim()).filter(|owner| !owner.is_empty())
}

fn unmatched(
    cx: &KeyContext<'_, '_>,
    join: &Join,
    (weak, pointing): (&[WeakLink], &[u32]),
    replaced: &Replaced,
    trust: &Trust,
    out: &mut Vec<Draft>,
) {
    if replaced.renewals.contains_key(&cx.index) {
        return; // told as `renewed_unrecorded` instead
    }
    let private = cx.private().next();
    let ambiguous = |why: String, row: usize| {
        let by_contract = if private.is_some() {
            Severity::Medium
        } else {
            Severity::Low
        };
        Draft::new(
            Flag::Ambiguous,
            cx.world.policy.graded(Flag::Ambiguous, by_contract),
            why,
        )
        .row(row)
    };
    let before = out.len();
    for link in weak {
        if let Some(row) = cx.world.rows.get(link.other()) {
            let of_row = join.rows.get(link.other());
            let contradictory = of_row.is_some_and(|r| r.contradictory);
            out.push(ambiguous(
                weak_reason(row, link.method, contradictory),
                link.other(),
            ));
        }
    }
    if out.len() == before {
        out.extend(probable(cx, join).map(|(why, row)| ambiguous(why, row)));
    }
    if out.len() > before {
        return;
    }
    // An orphan is unknown in a way that says more.
    if let Some(orphan) = trust::orphan(cx, trust) {
        out.push(orphan);
        return;
    }
    let mut why = "no row of the inventory names it".to_owned();
    if let Some(row) = pointing
        .first()
        .and_then(|&r| cx.world.rows.get(r as usize))
    {
        why.push_str(&format!(
            "; {} points at its place and names another key",
            row.title()
        ));
    }
    if let Some(owners) = host_owners(cx) {
        why.push_str(&format!("; {owners}"));
    }
    let mut by_contract = unknown_severity(cx);
    if let Some((first, export)) = evidence::newer_than_inventory(cx) {
        by_contract = Severity::Low;
        why.push_str(&newer_note(first, export));
    }
    if let Some(row) = heir(cx, join, replaced) {
        by_contract = Severity::Low;
        why.push_str(&format!(
            "; it came before the key that {} names or should name",
            row.title()
        ));
    }
    let what = describe(cx);
    let severity = cx.world.policy.graded(Flag::Unknown, by_contract);
    out.push(Draft::new(
        Flag::Unknown,
        severity,
        format!("{what}: {why}"),
    ));
}

/// Who answers for the hosts of a key, by the asset list: whom to ask.
fn host_owners(cx: &KeyContext<'_, '_>) -> Option<String> {
    let hosts: BTreeSet<usize> = cx.key.judged.iter().map(|n| cx.world.host(n)).collect();
    let one = |host: &usize| {
        let owner = cx.world.listed.owners.get(host)?;
        Some(format!(
            "{owner} answers for {}",
            cx.world.hosts.get(*host)?.name
        ))
    };
    let mut told: Vec<String> = hosts.iter().filter_map(one).collect();
    let more = told.len().saturating_sub(3);
    told.truncate(3);
    if more > 0 {
        told.push(format!("{more} more hosts have owners"));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// The row of what replaced all certificates of a key: an older generation that a row has outlived is no stranger.
fn heir<'w, 'a>(cx: &KeyContext<'w, 'a>, join: &Join, replaced: &Replaced) -> Option<&'w Row<'a>> {
    let mut rows = cx.certificates().map(|(_, certificate)| {
        let old = certificate.status != CertificateStatus::Current;
        let successor = cx
            .world
            .certificates
            .get(certificate.successor().filter(|_| old)?)?;
        let key = successor.key();
        if !lie_together(cx.world, certificate, successor) {
            return None;
        }
        let linked = join.links.get(key).first().map(Link::row);
        let renewed = || replaced.renewals.get(&key)?.first().map(|r| r.row);
        linked.or_else(renewed)
    });
    let first = rows.next()??;
    rows.all(|row| row.is_some())
        .then(|| cx.world.rows.get(first))?
}

/// Why no row can be expected.
fn newer_note(first: jiff::Timestamp, export: jiff::Timestamp) -> String {
    format!(
        "; newer than the inventory: first made on {}, exported on {}",
        day(first),
        day(export)
    )
}

/// Why a row only may mean a key.
pub(super) fn weak_reason(row: &Row<'_>, method: Method, contradictory: bool) -> String {
    if contradictory {
        return format!(
            "the identifiers of {} name different keys, this one by {}",
            row.title(),
            method.as_str()
        );
    }
    let by = match method {
        Method::Path => "its place".to_owned(),
        Method::SerialAlone => "its serial number".to_owned(),
        Method::Subject => "its subject".to_owned(),
        Method::Name => "its name".to_owned(),
        other => other.as_str().to_owned(),
    };
    format!("{} matches by {by} only, which proves nothing", row.title())
}

/// The row of the key that an opaque one probably is.
fn probable(cx: &KeyContext<'_, '_>, join: &Join) -> Option<(String, usize)> {
    if !matches!(cx.key.id, KeyId::Opaque(_)) {
        return None;
    }
    let probable: BTreeSet<&KeyId> = cx
        .judged()
        .filter_map(|s| s.probable_key.as_deref())
        .collect();
    probable.into_iter().find_map(|id| {
        let key = cx.world.key_number(id)?;
        let link = join.links.get(key).first()?;
        let row = cx.world.rows.get(link.row())?;
        Some((
            format!("encrypted, and probably the key that {} names", row.title()),
            link.row(),
        ))
    })
}

fn unknown_severity(cx: &KeyContext<'_, '_>) -> Severity {
    let any = |test: &dyn Fn(&Sighting) -> bool| cx.judged().any(test);
    if any(&|s| s.kind.is_private() || trust::is_grant(s)) {
        Severity::High
    } else if any(&is_leaf) || any(&is_trust_anchor) {
        Severity::Medium
    } else {
        Severity::Low
    }
}

fn is_leaf(s: &Sighting) -> bool {
    match s.kind {
        Kind::Certificate => s.certificate.as_ref().is_none_or(|c| !c.is_ca),
        Kind::SshCertificate => true,
        _ => false,
    }
}

/// `private key (RSA 2048) in web01:/etc/a.key and 2 more places`.
fn describe(cx: &KeyContext<'_, '_>) -> String {
    let rank = |s: &&Sighting| {
        (
            !s.kind.is_private(),
            s.kind != Kind::AuthorizedKey,
            !is_leaf(s),
        )
    };
    let Some(best) = cx.judged().min_by_key(rank) else {
        return "key".to_owned();
    };
    let kind = match best.kind {
        Kind::AuthorizedKey if trust::is_disabled(best) => "grant that lets nobody in".to_owned(),
        Kind::AuthorizedKey => "grant".to_owned(),
        kind => kind.as_str().replace('_', " "),
    };
    let algorithm = best.algorithm.as_deref().map(|a| match best.bits {
        Some(bits) => format!(" ({a} {bits})"),
        None => format!(" ({a})"),
    });
    let judged = cx.judged();
    let places: BTreeSet<(Option<&str>, &str)> = judged
        .map(|s| (s.host.as_deref(), s.location.path.as_str()))
        .collect();
    let more = match places.len() {
        0 | 1 => String::new(),
        2 => " and 1 more place".to_owned(),
        n => format!(" and {} more places", n - 1),
    };
    let title = best.pgp.as_deref().map(|pgp| {
        let title = openpgp::title(best, pgp);
        format!(", {title},")
    });
    format!(
        "{kind}{}{} in {}{more}",
        algorithm.unwrap_or_default(),
        title.unwrap_or_default(),
        World::place(best)
    )
}

/// Current certificates of a known key that no row means: each row that matches means other certificates.
fn unknown_certificates(cx: &KeyContext<'_, '_>, replaced: &Replaced, out: &mut Vec<Draft>) {
    let renewed = |c: usize| {
        let renewals = replaced.renewals.get(&cx.index).into_iter().flatten();
        renewals.into_iter().any(|r| r.certificate == Some(c))
    };
    for (number, certificate) in cx.certificates() {
        if certificate.status != CertificateStatus::Current || renewed(number) {
            continue;
        }
        let known = cx.links.iter().any(|link| {
            let by_key = || {
                let row = cx.row(link);
                link.named.is_empty()
                    && row.is_some_and(|r| r.covers(Kind::Certificate) && !names_another(r, cx))
            };
            link.named.contains(number) || by_key()
        });
        if known {
            continue;
        }
        let Some(facts) = cx.world.facts(certificate) else {
            continue;
        };
        let end = facts.not_after.map(day).unwrap_or_default();
        let mut why = format!(
            "the key is registered, but {} (valid until {end}) is in no row",
            certificate.title(facts)
        );
        let mut by_contract = Severity::Medium;
        if let (Some(start), Some(export)) = (facts.not_before, cx.world.exported)
            && start > export
        {
            by_contract = Severity::Low;
            why.push_str(&newer_note(start, export));
        }
        let severity = cx
            .world
            .policy
            .graded(Flag::UnknownCertificate, by_contract);
        out.push(
            Draft::new(Flag::UnknownCertificate, severity, why).certificate(certificate.sha256),
        );
    }
}

/// Whether a row that matched by key also names a certificate, which then is another one.
fn names_another(row: &Row<'_>, cx: &KeyContext<'_, '_>) -> bool {
    // 64 digits that are the key's own digest do not name a certificate.
    row.entry.identifiers.iter().map(methods_of).any(|methods| {
        let named = |m: &Method| m.names_certificate() && m.is_strong();
        methods.iter().all(named) && !cx.key.certificates.is_empty()
    })
}
