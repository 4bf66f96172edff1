//! Where row and artifact disagree, field by field on normalised values, or in what they are.

use super::alternative_names;
use super::certificate_status::Age;
use super::context::{Cert, Draft, KeyContext, Row, World};
use super::dates;
use super::join::Link;
use super::overview::Fact;
use super::renewal::Replaced;
use super::tokens::serials_agree;
use crate::model::{Certificate, CertificateStatus, Flag, Identifier};

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
                .place(World::place(s).to_string()),
        );
    }
    for link in cx.own_links(Fact::Comparable) {
        let Some(row) = cx.row(link) else { continue };
        let certificate = artifact(cx, link, row);
        let facts = certificate.and_then(|c| cx.world.facts(c));
        // A later end of a renewed row is told as its renewal.
        let renewed = replaced.renewed_rows.get(link.row()) == Some(&true);
        let seen = certificate.zip(facts);
        let differences = differences(cx, link, row, seen, renewed);
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
                .row(link.row())
                .certificate(certificate.and_then(|c| c.sha256)),
        );
    }
}

/// The certificate that a row's fields are compared with: the one that it names; else of the key's the one
/// that fits its date, or the newest in force.
fn artifact<'w>(cx: &KeyContext<'w, '_>, link: &Link, row: &Row<'_>) -> Option<&'w Cert> {
    let certificates = || {
        cx.certificates()
            .filter(|(n, _)| link.named.is_empty() || link.named.contains(*n))
            .map(|(_, c)| c)
    };
    let fits = |c: &&Cert| match (
        row.entry.expires,
        cx.world.facts(c).and_then(|f| f.not_after),
    ) {
        (Some(expires), Some(end)) => dates::agree(expires, end),
        _ => false,
    };
    // A precertificate has the dates of its certificate.
    let real = |c: &&Cert| cx.world.facts(c).is_none_or(|f| !f.precertificate);
    let fitting = certificates().filter(real).find(fits);
    fitting.or_else(|| certificates().find(fits)).or_else(|| {
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
    seen: Option<(&Cert, &Certificate)>,
    renewed: bool,
) -> Vec<String> {
    let entry = row.entry;
    let mut out = Vec::new();
    let seen_algorithm = cx.judged().find_map(|s| s.algorithm.as_deref());
    let stated = entry.algorithm.as_deref().and_then(Algorithm::read);
    if let (Some(stated), Some(text)) = (&stated, seen_algorithm)
        && let Some(seen) = Algorithm::read(text)
        && !stated.agrees(&seen)
    {
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
    let ssh_ends = || {
        cx.judged()
            .filter_map(|s| s.ssh.as_ref()?.rare().valid_before)
    };
    // Of several SSH certificates the one that fits, else the last to end.
    let fits = |end: &jiff::Timestamp| entry.expires.is_some_and(|e| dates::agree(e, *end));
    let ssh_end = || ssh_ends().find(fits).or_else(|| ssh_ends().max());
    let pgp_end = || cx.judged().filter_map(|s| s.pgp.as_ref()?.expires).max();
    let end = || seen.map_or_else(|| ssh_end().or_else(pgp_end), |(_, f)| f.not_after);
    if let Some(expires) = entry.expires.filter(|_| !renewed)
        && let Some(end) = end()
        && !dates::agree(expires, end)
    {
        let (stated, seen) = if dates::day(expires.at) == dates::day(end) {
            (expires.at.to_string(), end.to_string())
        } else {
            (dates::day(expires.at), dates::day(end))
        };
        out.push(format!("expiry is {seen}, not {stated}"));
    }
    let Some((certificate, facts)) = seen else {
        return out;
    };
    let (names, subject) = (&cx.world.names, certificate.subject);
    if let Some(own) = row.subject.filter(|_| !subject.is_blank())
        && !names.agree(own, subject)
    {
        let own = entry.subject.as_deref().unwrap_or_default();
        out.push(format!("subject is {}, not {own}", facts.subject));
    }
    let common = || names.common_names(subject);
    if let Some((lacks, more)) = alternative_names::differ(&entry.sans, &facts.sans, common) {
        let part = |what: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{what} {}", few(names)))
        };
        let parts = [part("lack", &lacks), part("have also", &more)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        out.push(format!("alternative names {}", parts.join(" and ")));
    }
    let mut serials = entry.identifiers.iter().filter_map(|i| match i {
        Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => Some(&**serial),
        _ => None,
    });
    let comparable = !link.named.is_empty() || cx.key.certificates.len() == 1;
    if comparable
        && !facts.serial.is_empty()
        && let Some(first) = serials.clone().next()
        && !serials.any(|s| serials_agree(s, &facts.serial))
    {
        out.push(format!("serial is {}, not {first}", facts.serial));
    }
    out
}

/// The first of some names, and how many there are beyond.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// An algorithm's family and the size that its name tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    family: &'static str,
    pub(super) bits: Option<u32>,
    /// The parameter set of a post-quantum algorithm, as `65` or `sha2128s`.
    set: String,
}

impl Algorithm {
    /// Whether both may name one algorithm: the set may be left out, or its hash function.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let sets = self.set.ends_with(&other.set) || other.set.ends_with(&self.set);
        self.family == other.family && sets
    }

    /// Reads the usual spellings; none for what is not understood (nothing is concluded from it).
    pub(super) fn read(text: &str) -> Option<Self> {
        let squeezed: String = text
            .to_ascii_lowercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect();
        // Names of GOST keys have that word too.
        let signature = squeezed.contains("with") && !squeezed.starts_with("gost");
        if signature || squeezed.is_empty() {
            return None; // the issuer's signature, not the key
        }
        let digits = squeezed.chars().filter_map(|c| c.to_digit(10));
        let number = digits.fold(None, |number: Option<Option<u32>>, digit| {
            let number = number.unwrap_or(Some(0));
            Some(number.and_then(|n| n.checked_mul(10)?.checked_add(digit)))
        });
        let number = number.flatten();
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
            "sm2",
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
        } else if is(&["gost"]) {
            ("gost", None)
        } else if is(&["aes"]) {
            ("aes", None)
        } else {
            let (family, set) = ["mldsa", "mlkem", "slhdsa"]
                .iter()
                .find_map(|family| Some((*family, squeezed.strip_prefix(family)?)))?;
            return Some(Self {
                family,
                bits: None,
                set: set.to_owned(),
            });
        };
        Some(Self {
            family,
            bits,
            set: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn parameter_sets() {
        for (left, right, agree) in [
            ("ML-DSA-65", "ml_dsa_65", true),
            ("ML-DSA", "ML-DSA-65", true),
            ("ML-DSA-44", "ML-DSA-65", false),
            ("ML-KEM-768", "ML-DSA-65", false),
            ("SLH-DSA", "SLH-DSA-SHAKE-128s", true),
            ("SLH-DSA-128s", "SLH-DSA-SHA2-128s", true),
            ("SLH-DSA-SHA2-128f", "SLH-DSA-SHA2-128s", false),
        ] {
            let read = |text| Algorithm::read(text).unwrap();
            assert_eq!(read(left).agrees(&read(right)), agree, "{left} {right}");
            assert_eq!(read(right).agrees(&read(left)), agree, "{right} {left}");
        }
    }

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
            ("SM2", Some(("ec", None))),
            ("AES-256", Some(("aes", None))),
            (
                "GOST R 34.10-2012 with 256 bit modulus",
                Some(("gost", None)),
            ),
            ("sha256WithRSAEncryption", None),
            ("unobtainium", None),
        ] {
            let read = Algorithm::read(text);
            match expected {
                Some((family, bits)) => {
                    assert_eq!(
                        read,
                        Some(Algorithm {
                            family,
                            bits,
                            set: String::new(),
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
