//! Where row and artifact disagree: fields, another key at the row's file, an unrecorded renewal.

use super::certificate_status::{Age, same_names};
use super::context::{Cert, Draft, KeyContext, Row, World};
use super::dates;
use super::join::{Join, Link};
use super::names::Name;
use super::strength::security_bits;
use super::tokens::serials_agree;
use super::weak::AtPlace;
use crate::model::{Certificate, CertificateStatus, Flag, Identifier, Moment, Severity, Sighting};
use std::collections::{BTreeMap, HashMap};

/// Rows whose thing was replaced, and rows at whose file lies something else; made once for all keys.
pub(super) struct Replaced {
    /// Per key: the lapsed rows that it renews.
    pub(super) renewals: BTreeMap<usize, Vec<Renewal>>,
    /// Per key: the rows at whose file it lies instead of what they name, with the sighting there.
    pub(super) strangers: BTreeMap<usize, Vec<(usize, usize)>>,
    /// Rows that were renewed.
    pub(super) renewed_rows: Vec<bool>,
    /// Rows at whose file lies another key.
    pub(super) displaced_rows: Vec<bool>,
}

/// A lapsed row, and what took its place.
pub(super) struct Renewal {
    pub(super) row: usize,
    pub(super) certificate: Option<usize>,
    severity: Severity,
    why: String,
}

impl Replaced {
    /// Looks at every row that has lapsed, or that was expected and is seen nowhere.
    pub(super) fn find(world: &World<'_>, join: &Join, at_place: &AtPlace) -> Self {
        let mut out = Self {
            renewals: BTreeMap::new(),
            strangers: BTreeMap::new(),
            renewed_rows: vec![false; world.rows.len()],
            displaced_rows: vec![false; world.rows.len()],
        };
        let by_names = by_names(world);
        for (number, row) in world.rows.iter().enumerate() {
            let Some(found) = join.rows.get(number) else {
                continue;
            };
            if !row.is_live() || row.identifiers.is_empty() || !found.weak.is_empty() {
                continue;
            }
            let own = own_certificate(world, join, number);
            let at_file = at_place.candidates(world, row);
            if let Some(lapsed) = lapse(world, row, own) {
                let successor = successor(world, join, number, lapsed, &at_file, own, &by_names);
                if let Some((key, certificate)) = successor {
                    if let Some(slot) = out.renewed_rows.get_mut(number) {
                        *slot = true;
                    }
                    let renewal = describe(world, number, key, certificate, own, lapsed);
                    out.renewals.entry(key).or_default().extend(renewal);
                    continue;
                }
            } else if !found.is_seen()
                && let Some((key, sighting)) = stranger(world, join, &at_file) {
                    if let Some(slot) = out.displaced_rows.get_mut(number) {
                        *slot = true;
                    }
                    out.strangers
                        .entry(key)
                        .or_default()
                        .push((number, sighting));
                }
        }
        out
    }
}

/// The newest certificate that the row names and that was seen.
fn own_certificate<'w>(world: &'w World<'_>, join: &Join, row: usize) -> Option<&'w Cert> {
    let keys = &join.rows.get(row)?.keys;
    let links = keys
        .iter()
        .filter_map(|&k| join.links.get(k))
        .flatten()
        .filter(|l| l.row == row);
    links
        .flat_map(|l| &l.named)
        .filter_map(|&c| world.certificates.get(c))
        .max_by_key(|c| world.facts(c).map(Age::of))
}

/// When the row's thing came to its end, if it has: by its certificate, else by its own date.
fn lapse(world: &World<'_>, row: &Row<'_>, own: Option<&Cert>) -> Option<Moment> {
    let seen = own
        .and_then(|c| world.facts(c)?.not_after)
        .map(|at| Moment { at, has_time: true });
    seen.or(row.entry.expires)
        .filter(|&end| dates::passed(end, world.now))
}

type ByNames = HashMap<(String, String), Vec<usize>>;

/// Leaf certificates by subject and issuer, the newest first.
fn by_names(world: &World<'_>) -> ByNames {
    let mut out: ByNames = HashMap::new();
    for (number, certificate) in world.certificates.iter().enumerate() {
        if !certificate.subject.is_empty() && !certificate.judged.is_empty() {
            let key = (certificate.subject.clone(), certificate.issuer.clone());
            out.entry(key).or_default().push(number);
        }
    }
    for list in out.values_mut() {
        let age = |c: &usize| {
            world
                .certificates
                .get(*c)
                .and_then(|c| world.facts(c))
                .map(Age::of)
        };
        list.sort_by_key(|c| std::cmp::Reverse((age(c), *c)));
        list.truncate(8);
    }
    out
}

/// What took the place of a lapsed row: at its file, or of its names and issuer; in no row itself.
fn successor(
    world: &World<'_>,
    join: &Join,
    row: usize,
    lapsed: Moment,
    at_file: &[(usize, usize)],
    own: Option<&Cert>,
    by_names: &ByNames,
) -> Option<(usize, Option<usize>)> {
    let newer = |c: &usize| {
        let facts = world.certificates.get(*c).and_then(|c| world.facts(c));
        facts
            .and_then(|f| f.not_after)
            .is_some_and(|end| end > lapsed.at)
    };
    let unrecorded = |c: &usize| {
        let Some(certificate) = world.certificates.get(*c) else {
            return false;
        };
        let links = join
            .links
            .get(certificate.key)
            .map_or(&[][..], Vec::as_slice);
        links.iter().all(|l| l.row == row && !l.named.contains(c))
    };
    let age = |c: &usize| {
        world
            .certificates
            .get(*c)
            .and_then(|c| world.facts(c))
            .map(Age::of)
    };
    let mut best: Option<usize> = None;
    for &(key, _) in at_file {
        let certificates = world.keys.get(key).map_or(&[][..], |k| &k.certificates);
        let fresh = certificates
            .iter()
            .copied()
            .filter(|c| newer(c) && unrecorded(c));
        best = best.into_iter().chain(fresh).max_by_key(|c| (age(c), *c));
    }
    let entry = world.rows.get(row)?;
    if best.is_none() {
        let subject = own
            .map(|c| c.subject.clone())
            .or_else(|| entry.subject.as_ref().map(Name::key));
        let issuer = own
            .map(|c| c.issuer.clone())
            .or_else(|| entry.issuer.as_ref().map(Name::key));
        let names = own
            .map(|c| c.names.clone())
            .unwrap_or_else(|| lower(&entry.entry.sans));
        if let (Some(subject), Some(issuer)) = (subject, issuer) {
            let list = by_names.get(&(subject, issuer)).into_iter().flatten();
            let same = |c: &&usize| {
                let seen = world
                    .certificates
                    .get(**c)
                    .map(|c| c.names.as_slice())
                    .unwrap_or_default();
                names.is_empty() || same_names(&names, seen)
            };
            best = list
                .filter(same)
                .copied()
                .find(|c| newer(c) && unrecorded(c));
        }
    }
    if let Some(c) = best {
        return Some((world.certificates.get(c)?.key, Some(c)));
    }
    // A key without certificates: whatever else lies at the file of a row that lapsed and is not there.
    let seen_itself = join.rows.get(row).is_some_and(|r| !r.keys.is_empty());
    at_file
        .iter()
        .find(|(key, _)| {
            let bare = world
                .keys
                .get(*key)
                .is_some_and(|k| k.certificates.is_empty());
            !seen_itself && bare && join.links.get(*key).is_some_and(Vec::is_empty)
        })
        .map(|&(key, _)| (key, None))
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|n| n.to_lowercase()).collect()
}

fn describe(
    world: &World<'_>,
    number: usize,
    key: usize,
    certificate: Option<usize>,
    own: Option<&Cert>,
    lapsed: Moment,
) -> Option<Renewal> {
    let row = world.rows.get(number)?;
    let new = certificate.and_then(|c| world.certificates.get(c));
    let issuer = own
        .map(|c| c.issuer.clone())
        .or_else(|| row.issuer.as_ref().map(Name::key));
    let other_issuer = match (&issuer, new) {
        (Some(old), Some(new)) => *old != new.issuer,
        _ => false,
    };
    let strength = |s: &Sighting| security_bits(s.algorithm.as_deref()?, s.bits);
    let after = world.at(&world.keys.get(key)?.judged).find_map(strength);
    let before = own
        .and_then(|c| world.at(&c.sightings).find_map(strength))
        .or_else(|| security_bits(row.entry.algorithm.as_deref()?, row.entry.bits));
    let weaker = matches!((before, after), (Some(before), Some(after)) if after < before);
    let mut why = format!("{} lapsed on {}, and ", row.title(), dates::day(lapsed.at));
    match new.and_then(|c| Some((c, world.facts(c)?))) {
        Some((c, facts)) => {
            let end = facts.not_after.map(dates::day).unwrap_or_default();
            why.push_str(&format!(
                "the newer {} valid until {end} took its place",
                c.title(facts)
            ));
        }
        None => why.push_str("another key took its place"),
    }
    why.push_str(" without being recorded");
    if other_issuer {
        why.push_str("; its issuer differs");
    }
    if weaker {
        why.push_str("; its key is weaker");
    }
    let by_contract = if other_issuer || weaker {
        Severity::Medium
    } else {
        Severity::Info
    };
    let severity = world.policy.graded(Flag::RenewedUnrecorded, by_contract);
    Some(Renewal {
        row: number,
        certificate,
        severity,
        why,
    })
}

/// The key that lies at a row's file instead of what the row names. What other rows account for is none
/// when the file holds several.
fn stranger(world: &World<'_>, join: &Join, at_file: &[(usize, usize)]) -> Option<(usize, usize)> {
    if let [only] = at_file {
        return Some(*only);
    }
    let unregistered = |(key, _): &&(usize, usize)| join.links.get(*key).is_some_and(Vec::is_empty);
    let private =
        |(_, s): &(usize, usize)| world.sightings.get(*s).is_some_and(|s| s.kind.is_private());
    at_file
        .iter()
        .filter(unregistered)
        .max_by_key(|c| (private(c), std::cmp::Reverse(**c)))
        .copied()
}

/// `renewed_unrecorded` and `mismatch`.
pub(super) fn judge(cx: &KeyContext<'_, '_>, replaced: &Replaced, out: &mut Vec<Draft>) {
    for renewal in replaced.renewals.get(&cx.index).into_iter().flatten() {
        let certificate = renewal
            .certificate
            .and_then(|c| cx.world.certificates.get(c)?.sha256);
        out.push(
            Draft::new(
                Flag::RenewedUnrecorded,
                renewal.severity,
                renewal.why.clone(),
            )
            .row(renewal.row)
            .certificate(certificate),
        );
    }
    let severity = cx.world.policy.severity(Flag::Mismatch);
    for &(row, sighting) in replaced.strangers.get(&cx.index).into_iter().flatten() {
        let (Some(row_), Some(s)) = (cx.world.rows.get(row), cx.world.sightings.get(sighting))
        else {
            continue;
        };
        let why = format!(
            "fingerprint: what {} names is seen nowhere, and {} holds another key",
            row_.title(),
            World::place(s)
        );
        out.push(
            Draft::new(Flag::Mismatch, severity, why)
                .row(row)
                .place(World::place(s)),
        );
    }
    for link in cx.links {
        let Some(row) = cx.row(link) else { continue };
        let certificate = artifact(cx, link, row);
        let facts = certificate.and_then(|c| cx.world.facts(c));
        let differences = differences(cx, link, row, facts);
        if differences.is_empty() {
            continue;
        }
        let why = format!(
            "{} and what was found disagree: {}",
            row.title(),
            differences.join("; ")
        );
        out.push(
            Draft::new(Flag::Mismatch, severity, why)
                .row(link.row)
                .certificate(certificate.and_then(|c| c.sha256)),
        );
    }
}

/// The certificate that a row's fields are compared with: the one that it names; else of the key's the one
/// that fits its date, or the newest in force.
fn artifact<'w>(cx: &KeyContext<'w, '_>, link: &Link, row: &Row<'_>) -> Option<&'w Cert> {
    let certificates = || {
        cx.certificates()
            .filter(|(n, _)| link.named.is_empty() || link.named.contains(n))
            .map(|(_, c)| c)
    };
    let fits = |c: &&Cert| match (
        row.entry.expires,
        cx.world.facts(c).and_then(|f| f.not_after),
    ) {
        (Some(expires), Some(end)) => dates::agree(expires, end),
        _ => false,
    };
    certificates().find(fits).or_else(|| {
        certificates().max_by_key(|c| {
            (
                c.status == CertificateStatus::Current,
                cx.world.facts(c).map(Age::of),
            )
        })
    })
}

fn differences(
    cx: &KeyContext<'_, '_>,
    link: &Link,
    row: &Row<'_>,
    facts: Option<&Certificate>,
) -> Vec<String> {
    let entry = row.entry;
    let mut out = Vec::new();
    let seen_algorithm = cx.judged().find_map(|s| s.algorithm.as_deref());
    let stated = entry.algorithm.as_deref().and_then(Algorithm::read);
    if let (Some(stated), Some(seen), Some(text)) = (
        &stated,
        seen_algorithm.and_then(Algorithm::read),
        seen_algorithm,
    )
        && stated.family != seen.family {
            let own = entry.algorithm.as_deref().unwrap_or_default();
            out.push(format!("algorithm is {text}, not {own}"));
        }
    let bits = entry.bits.or_else(|| stated.and_then(|s| s.bits));
    let fixed = seen_algorithm.is_some_and(|a| a.starts_with("Ed") || a.starts_with('X'));
    if let (Some(stated), Some(seen)) = (bits, cx.judged().find_map(|s| s.bits)) {
        // Curves of fixed size are written as 253, 255 or 256 bits by different tools.
        if stated != seen && !(fixed && stated.abs_diff(seen) <= 8) {
            out.push(format!("size is {seen} bits, not {stated}"));
        }
    }
    let ssh_end = || cx.judged().find_map(|s| s.ssh.as_ref()?.valid_before);
    let end = facts.map_or_else(ssh_end, |f| f.not_after);
    if let (Some(expires), Some(end)) = (entry.expires, end)
        && !dates::agree(expires, end) {
            let (stated, seen) = if dates::day(expires.at) == dates::day(end) {
                (expires.at.to_string(), end.to_string())
            } else {
                (dates::day(expires.at), dates::day(end))
            };
            out.push(format!("expiry is {seen}, not {stated}"));
        }
    let Some(facts) = facts else { return out };
    if let (Some(own), Some(seen)) = (&row.subject, Name::read(&facts.subject))
        && !own.agrees(&seen) {
            let own = entry.subject.as_deref().unwrap_or_default();
            out.push(format!("subject is {}, not {own}", facts.subject));
        }
    let serials: Vec<&str> = entry
        .identifiers
        .iter()
        .filter_map(|i| match i {
            Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => {
                Some(serial.as_str())
            }
            _ => None,
        })
        .collect();
    let comparable = !link.named.is_empty() || cx.key.certificates.len() == 1;
    if let (true, Some(first)) = (comparable && !facts.serial.is_empty(), serials.first())
        && !serials.iter().any(|s| serials_agree(s, &facts.serial)) {
            out.push(format!("serial is {}, not {first}", facts.serial));
        }
    out
}

/// An algorithm's family and the size that its name tells.
#[derive(Debug, PartialEq, Eq)]
struct Algorithm {
    family: String,
    bits: Option<u32>,
}

impl Algorithm {
    /// Reads the usual spellings; none for what is not understood (nothing is concluded from it).
    fn read(text: &str) -> Option<Self> {
        let squeezed: String = text
            .to_ascii_lowercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect();
        if squeezed.contains("with") || squeezed.is_empty() {
            return None; // the issuer's signature, not the key
        }
        let number = squeezed
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .parse::<u32>()
            .ok();
        let is = |words: &[&str]| words.iter().any(|w| squeezed.starts_with(w));
        let (family, bits) = if is(&["ed25519", "sshed25519", "sked25519", "skssh", "eddsa25519"]) {
            ("ed25519", None)
        } else if is(&["ed448"]) {
            ("ed448", None)
        } else if is(&["x25519", "curve25519"]) {
            ("x25519", None)
        } else if is(&["x448"]) {
            ("x448", None)
        } else if is(&["rsa", "sshrsa", "rsaencryption", "rsassapss"]) {
            ("rsa", number.filter(|n| *n >= 512))
        } else if is(&[
            "ecdsa",
            "ecdh",
            "ec",
            "idecpublickey",
            "secp",
            "prime256v1",
            "nistp",
            "brainpool",
            "p256",
            "p384",
            "p521",
        ]) {
            ("ec", number.filter(|n| [224, 256, 384, 521].contains(n)))
        } else if is(&["dsa", "sshdss", "dss"]) {
            ("dsa", number.filter(|n| *n >= 512))
        } else if is(&["aes", "mldsa", "mlkem", "slhdsa"]) {
            let letters: String = squeezed
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            return Some(Self {
                family: letters,
                bits: None,
            });
        } else {
            return None;
        };
        Some(Self {
            family: family.to_owned(),
            bits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn algorithm_spellings() {
        for (text, expected) in [
            ("RSA", Some(("rsa", None))),
            ("RSA-2048", Some(("rsa", Some(2048)))),
            ("ssh-rsa", Some(("rsa", None))),
            ("RSASSA-PSS", Some(("rsa", None))),
            ("ECDSA P-256", Some(("ec", Some(256)))),
            ("ecdsa-sha2-nistp384", None),
            ("EC", Some(("ec", None))),
            ("prime256v1", None),
            ("ssh-ed25519", Some(("ed25519", None))),
            ("Ed25519", Some(("ed25519", None))),
            ("DSA 1024", Some(("dsa", Some(1024)))),
            ("sha256WithRSAEncryption", None),
            ("unobtainium", None),
        ] {
            let read = Algorithm::read(text);
            match expected {
                Some((family, bits)) => {
                    assert_eq!(
                        read,
                        Some(Algorithm {
                            family: family.to_owned(),
                            bits
                        }),
                        "{text}"
                    );
                }
                None => assert!(
                    read.is_none_or(|a| a.family == "ec" && a.bits.is_none()),
                    "{text}"
                ),
            }
        }
    }
}
