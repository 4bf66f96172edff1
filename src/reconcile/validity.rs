//! `expired`, `expiring`, `not_yet_valid` and `residual_private`.

use super::context::{Cert, Draft, KeyContext, Row, World};
use super::dates::{self, day_and_distance};
use super::openpgp;
use super::overview::Fact;
use crate::model::{
    Certificate, CertificateStatus, Flag, Kind, Moment, Severity, SharedText, Sighting,
};
use std::collections::BTreeMap;
use std::fmt;

/// What a key's certificates, SSH certificates, grants and rows say of its time.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    for (_, certificate) in cx.certificates() {
        let Some(facts) = cx.world.facts(certificate) else {
            continue;
        };
        let title = certificate.title(facts);
        let past = certificate.status != CertificateStatus::Current;
        let span = Span {
            from: facts.not_before,
            until: facts.not_after,
            past,
        };
        for draft in span.judge(cx.world, &title) {
            out.push(draft.certificate(certificate.sha256));
        }
    }
    if cx.overview.is_dated(cx.index) {
        ssh(cx, out);
        pgp(cx, out);
    }
    residual(cx, out);
    // The row's own date decides only where no certificate was seen.
    if ends_were_seen(cx) {
        return;
    }
    for link in cx.own_links(Fact::Ends) {
        if let Some(row) = cx.row(link) {
            out.extend(by_row(cx.world, row).map(|draft| draft.row(link.row())));
        }
    }
}

fn ends_were_seen(cx: &KeyContext<'_, '_>) -> bool {
    let tells = |s: &Sighting| {
        let ssh = s.ssh.as_ref();
        ssh.is_some_and(|ssh| ssh.rare().valid_before.is_some())
            || s.pgp.as_ref().is_some_and(|pgp| pgp.expires.is_some())
    };
    !cx.key.certificates.is_empty() || (cx.overview.is_dated(cx.index) && cx.judged().any(tells))
}

/// `expired` or `expiring` by a row's own date.
pub(super) fn by_row(world: &World<'_>, row: &Row<'_>) -> Option<Draft> {
    let expires = row.entry.expires.filter(|_| row.is_live())?;
    let text = || day_and_distance(expires.at, world.now);
    if dates::passed(expires, world.now) {
        let severity = world.policy.severity(Flag::Expired);
        return Some(Draft::new(
            Flag::Expired,
            severity,
            format!("{} expired {}", row.title(), text()),
        ));
    }
    if !is_near(world, expires.at) {
        return None;
    }
    let from = row
        .entry
        .not_before
        .or(row.entry.created)
        .map(|m: Moment| m.at);
    let early = dates::more_remains_than(
        world.policy.expiring_early_percent,
        from,
        expires.at,
        world.now,
    );
    let by_contract = if early {
        Severity::Info
    } else {
        Severity::Medium
    };
    let severity = world.policy.graded(Flag::Expiring, by_contract);
    Some(Draft::new(
        Flag::Expiring,
        severity,
        format!("{} expires {}", row.title(), text()),
    ))
}

fn is_near(world: &World<'_>, end: jiff::Timestamp) -> bool {
    end <= dates::plus_days(world.now, world.policy.expiring_days)
}

/// A time of validity, and whether what it belongs to was replaced or is history.
struct Span {
    from: Option<jiff::Timestamp>,
    until: Option<jiff::Timestamp>,
    past: bool,
}

impl Span {
    fn judge(&self, world: &World<'_>, title: &dyn fmt::Display) -> Vec<Draft> {
        let now = world.now;
        let degree = |flag, severity| {
            world
                .policy
                .graded(flag, if self.past { Severity::Info } else { severity })
        };
        let mut out = Vec::new();
        if let Some(from) = self.from.filter(|&from| from > now) {
            let why = format!(
                "{title} is not valid before {}",
                day_and_distance(from, now)
            );
            out.push(Draft::new(
                Flag::NotYetValid,
                world.policy.severity(Flag::NotYetValid),
                why,
            ));
        }
        let Some(until) = self.until else { return out };
        if now > until {
            let note = if self.past {
                "; it was replaced or is only history"
            } else {
                ""
            };
            let why = format!("{title} expired {}{note}", day_and_distance(until, now));
            out.push(Draft::new(
                Flag::Expired,
                degree(Flag::Expired, Severity::High),
                why,
            ));
        } else if is_near(world, until) {
            let early = dates::more_remains_than(
                world.policy.expiring_early_percent,
                self.from,
                until,
                now,
            );
            let severity = if early {
                Severity::Info
            } else {
                Severity::Medium
            };
            let why = format!("{title} expires {}", day_and_distance(until, now));
            out.push(Draft::new(
                Flag::Expiring,
                degree(Flag::Expiring, severity),
                why,
            ));
        }
        out
    }
}

/// SSH certificates and grants with an end.
fn ssh(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let dated = || {
        cx.judged()
            .filter(|s| matches!(s.kind, Kind::SshCertificate | Kind::AuthorizedKey))
            .filter_map(|s| {
                let ssh = s.ssh.as_deref()?;
                (ssh.rare().valid_after.is_some() || ssh.rare().valid_before.is_some())
                    .then_some((s, ssh))
            })
    };
    if dated().next().is_none() {
        return;
    }
    // A newer certificate of the same type for the same principals on the host replaces one.
    let group = |s: &Sighting| {
        let ssh = s.ssh.as_deref()?;
        let mut principals = ssh.rare().principals.clone();
        principals.sort();
        let certificate = s.kind == Kind::SshCertificate;
        certificate.then(|| {
            (
                s.host.clone(),
                ssh.rare().certificate_type.clone(),
                principals,
            )
        })
    };
    let mut latest = BTreeMap::new();
    for (s, ssh) in dated() {
        if let Some(group) = group(s) {
            let end = latest.entry(group).or_insert(ssh.rare().valid_before);
            *end = (*end).max(ssh.rare().valid_before);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (s, ssh) in dated() {
        let best = group(s).and_then(|g| latest.get(&g).copied().flatten());
        let past = matches!((best, ssh.rare().valid_before), (Some(best), Some(own)) if own < best);
        let what = if s.kind == Kind::AuthorizedKey {
            "grant"
        } else {
            "SSH certificate"
        };
        let name = ssh
            .rare()
            .certificate_key_id
            .as_deref()
            .or(ssh.comment.as_deref())
            .unwrap_or("unnamed");
        let place = World::place(s).to_string();
        let span = Span {
            from: ssh.rare().valid_after,
            until: ssh.rare().valid_before,
            past,
        };
        for draft in span.judge(cx.world, &format!("{what} {name} in {place}")) {
            if seen.insert((draft.flag, place.clone())) {
                out.push(draft.place(place.clone()));
            }
        }
    }
}

/// OpenPGP keys. A revoked one is done with; an older copy of one whose end was moved, and a subkey that another one
/// has replaced, are past.
fn pgp(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let facts = || cx.judged().filter_map(|s| Some((s, s.pgp.as_deref()?)));
    if facts().next().is_none() || facts().any(|(_, pgp)| pgp.revoked) {
        return;
    }
    let latest = facts().filter_map(|(_, pgp)| pgp.expires).max();
    let mut seen = std::collections::BTreeSet::new();
    for (s, pgp) in facts() {
        let span = Span {
            from: pgp.created,
            until: pgp.expires,
            past: pgp.expires < latest || cx.world.families.is_replaced(cx.index, pgp),
        };
        let place = World::place(s).to_string();
        let title = format!("{} in {place}", openpgp::title(s, pgp));
        for draft in span.judge(cx.world, &title) {
            // Once for each end, however many copies say so.
            if seen.insert((draft.flag, pgp.expires)) {
                out.push(draft.place(place.clone()));
            }
        }
    }
}

/// A private signature or authentication key whose last known certificate has expired.
fn residual(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let now = cx.world.now;
    let Some((_, private)) = cx.private().find(|(_, s)| s.kind != Kind::SymmetricKey) else {
        return;
    };
    let all = cx.world.certificates_of(cx.index);
    let last = all
        .filter_map(|c| Some((cx.world.facts(c)?.not_after?, c)))
        .max_by_key(|(end, c)| (*end, c.status == CertificateStatus::Current, c.sha256));
    let Some((end, certificate)) = last.filter(|(end, _)| *end < now) else {
        return;
    };
    let Some(facts) = cx.world.facts(certificate) else {
        return;
    };
    let recorded_later = cx
        .links
        .iter()
        .filter_map(|l| cx.row(l)?.entry.expires)
        .any(|expires| !dates::passed(expires, now));
    if recorded_later || only_decrypts(facts) || only_agrees(private) {
        return;
    }
    let by_contract = match certificate.status {
        CertificateStatus::Current => Severity::Medium,
        _ => Severity::Info,
    };
    let why = format!(
        "the private key remains in {} although its last known {} expired {}",
        World::place(private),
        certificate.title(facts),
        day_and_distance(end, now)
    );
    let severity = cx.world.policy.graded(Flag::ResidualPrivate, by_contract);
    out.push(Draft::new(Flag::ResidualPrivate, severity, why).certificate(certificate.sha256));
}

/// Whether a certificate's key usage leaves nothing but decryption and key agreement.
pub(super) fn only_decrypts(facts: &Certificate) -> bool {
    const CLOSED: [&str; 5] = [
        "keyencipherment",
        "dataencipherment",
        "keyagreement",
        "encipheronly",
        "decipheronly",
    ];
    const PROVES: [&str; 4] = ["serverauth", "clientauth", "codesigning", "timestamping"];
    let lower = |words: &[SharedText]| -> Vec<String> {
        words
            .iter()
            .map(|w| {
                w.chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect::<String>()
                    .to_ascii_lowercase()
            })
            .collect()
    };
    let usage = lower(&facts.key_usage);
    let extended = lower(&facts.extended_key_usage);
    !usage.is_empty()
        && usage.iter().all(|u| CLOSED.contains(&u.as_str()))
        && !extended
            .iter()
            .any(|u| PROVES.iter().any(|p| u.contains(p)))
}

/// Whether an algorithm cannot sign.
pub(super) fn only_agrees(sighting: &Sighting) -> bool {
    let algorithm = sighting.algorithm.as_deref().unwrap_or_default();
    ["X25519", "X448", "ML-KEM", "DH"]
        .iter()
        .any(|a| algorithm.starts_with(a))
}

impl World<'_> {
    /// All certificates of a key, over every class.
    pub(super) fn certificates_of(&self, key: usize) -> impl Iterator<Item = &Cert> {
        let before = |c: &Cert| c.key() < key;
        let start = match self.keys.get(key) {
            // They follow one another: those before the first that was judged are few.
            Some(of_key) => match of_key.certificates.iter().next() {
                Some(first) => {
                    let until = self.certificates.get(..first).unwrap_or_default().iter();
                    first - until.rev().take_while(|c| c.key() == key).count()
                }
                None if of_key.all.len() == of_key.judged.len() => self.certificates.len(),
                None => self.certificates.partition_point(before),
            },
            None => self.certificates.len(),
        };
        let rest = self.certificates.get(start..).unwrap_or_default();
        rest.iter().take_while(move |c| c.key() == key)
    }
}
