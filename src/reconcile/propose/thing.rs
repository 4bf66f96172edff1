//! What is known of a key, as a row would say it.

use super::serials_agree;
use crate::model::{
    Certificate, CertificateStatus, Entry, EntryKind, Fingerprints, Identifier, KeyReport, Kind,
    Report, SeenAt, Sha256Hex, Sighting, State, Thing,
};

/// Most places of one row.
const MAX_PLACES: usize = 200;

/// The sightings by which a key is judged: those of its class.
pub(super) fn judged(key: &KeyReport) -> impl Iterator<Item = &Sighting> {
    let sightings = key.sightings.iter().map(AsRef::as_ref);
    sightings.filter(|s: &&Sighting| s.class == key.class)
}

/// The certificates that are in force, each once, the newest first.
pub(super) fn current(key: &KeyReport) -> Vec<Sha256Hex> {
    certificates(key, |s| {
        let status = s.certificate.as_ref().and_then(|c| c.status);
        matches!(status, None | Some(CertificateStatus::Current))
    })
}

/// The newest certificate, whatever became of it.
pub(super) fn newest(key: &KeyReport) -> Option<Sha256Hex> {
    certificates(key, |_| true).into_iter().next()
}

fn certificates(key: &KeyReport, wanted: impl Fn(&Sighting) -> bool) -> Vec<Sha256Hex> {
    let mut list: Vec<(Option<jiff::Timestamp>, Sha256Hex)> = judged(key)
        .filter(|s| s.kind == Kind::Certificate && wanted(s))
        .filter_map(|s| {
            let end = s.certificate.as_ref().and_then(|c| c.not_after);
            Some((end, s.fingerprints.cert_sha256()?))
        })
        .collect();
    list.sort();
    list.reverse();
    list.dedup();
    list.into_iter().map(|(_, digest)| digest).collect()
}

/// What is known of a key, and of the one certificate of it that a row is to name.
pub(super) fn thing(
    report: &Report,
    key: &KeyReport,
    certificate: Option<Sha256Hex>,
    with_key: bool,
) -> Option<Thing> {
    let is_own =
        |s: &&Sighting| certificate.is_some() && s.fingerprints.cert_sha256() == certificate;
    let named = judged(key).find(|s| s.kind == Kind::Certificate && is_own(s));
    let certificate = named.and_then(|s| s.certificate.as_deref()).cloned();
    let of_thing: Vec<&Sighting> = judged(key)
        .filter(|s| match s.kind {
            Kind::Certificate => is_own(s),
            kind => (with_key || certificate.is_none()) && !kind.is_reference(),
        })
        .collect();
    let seen: Vec<&Sighting> = if of_thing.is_empty() {
        judged(key).collect()
    } else {
        of_thing
    };
    let first = named.or_else(|| seen.first().copied())?;
    let mut fingerprints = first.fingerprints.unpacked();
    for other in &seen {
        fill(&mut fingerprints, &other.fingerprints.unpacked());
    }
    let ssh_end = seen
        .iter()
        .filter_map(|s| s.ssh.as_ref()?.rare().valid_before)
        .max();
    let pgp = seen.iter().find_map(|s| s.pgp.as_deref());
    let mut places: Vec<SeenAt> = seen
        .iter()
        .filter_map(|s| {
            Some(SeenAt {
                host: s.host.as_deref()?.to_owned(),
                path: s.location.path.to_string(),
            })
        })
        .collect();
    places.sort();
    places.dedup();
    places.truncate(MAX_PLACES);
    Some(Thing {
        key_id: key.key_id.clone(),
        kind: kind(&seen, certificate.is_some()),
        name: name(&seen, certificate.as_ref()),
        fingerprints,
        algorithm: key.algorithm.as_deref().map(str::to_owned),
        bits: key.bits,
        created: pgp
            .and_then(|p| p.created)
            .or_else(|| seen.iter().find_map(|s| s.created())),
        not_before: certificate.as_ref().map_or_else(
            || seen.iter().find_map(|s| s.ssh.as_ref()?.rare().valid_after),
            |c| c.not_before,
        ),
        expires: certificate.as_ref().map_or_else(
            || ssh_end.or_else(|| pgp.and_then(|p| p.expires)),
            |c| c.not_after,
        ),
        certificate,
        places,
        state: State::Active,
        found: report.generated,
    })
}

/// Takes what is lacking from another sighting of the same key.
fn fill(own: &mut Fingerprints, other: &Fingerprints) {
    own.spki_sha256 = own.spki_sha256.or(other.spki_sha256);
    own.ssh_sha256 = own.ssh_sha256.or(other.ssh_sha256);
    own.ssh_md5 = own.ssh_md5.or(other.ssh_md5);
    own.jwk_thumbprint = own.jwk_thumbprint.or(other.jwk_thumbprint);
    let texts = [
        (&mut own.ski, &other.ski),
        (&mut own.pgp_fingerprint, &other.pgp_fingerprint),
        (&mut own.pgp_keyid, &other.pgp_keyid),
        (&mut own.pkcs11_id, &other.pkcs11_id),
    ];
    for (mine, theirs) in texts {
        if mine.is_none() {
            mine.clone_from(theirs);
        }
    }
    own.keygrip = own.keygrip.or(other.keygrip);
}

fn kind(seen: &[&Sighting], certificate: bool) -> EntryKind {
    let any = |test: &dyn Fn(&Sighting) -> bool| seen.iter().any(|s| test(s));
    if certificate {
        EntryKind::Certificate
    } else if any(&|s| matches!(s.kind, Kind::PgpPublicKey | Kind::PgpSecretKey)) {
        EntryKind::Pgp
    } else if any(&|s| s.kind == Kind::SymmetricKey) {
        EntryKind::Symmetric
    } else if any(&|s| file_name(&s.location.path).starts_with("ssh_host_")) {
        EntryKind::SshHostKey
    } else if any(&|s| {
        s.ssh.is_some()
            || s.format.contains("ssh")
            || matches!(s.kind, Kind::AuthorizedKey | Kind::SshCertificate)
    }) {
        EntryKind::SshKey
    } else if any(&|s| s.kind.is_private()) {
        EntryKind::KeyPair
    } else {
        EntryKind::PublicKey
    }
}

fn name(seen: &[&Sighting], certificate: Option<&Certificate>) -> Option<String> {
    let of_certificate = certificate.and_then(|c| {
        common_name(&c.subject).or_else(|| {
            let first = c.sans.first()?;
            Some(
                first
                    .split_once(':')
                    .map_or(first.as_str(), |(_, n)| n)
                    .to_owned(),
            )
        })
    });
    let comment = || {
        seen.iter().find_map(|s| {
            s.ssh
                .as_ref()?
                .comment
                .as_deref()
                .filter(|c| !c.trim().is_empty())
                .map(str::to_owned)
        })
    };
    let user = || {
        seen.iter()
            .find_map(|s| s.pgp.as_ref()?.user_ids.first().cloned())
    };
    let file = || seen.first().map(|s| file_name(&s.location.path).to_owned());
    of_certificate.or_else(comment).or_else(user).or_else(file)
}

/// The common name in RFC 4514 text, as written there; one with escapes is no name for people.
fn common_name(subject: &str) -> Option<String> {
    let start = subject.match_indices("CN=").map(|(at, _)| at).find(|at| {
        *at == 0
            || subject
                .get(..*at)
                .is_some_and(|s| s.ends_with([',', '+', ' ']))
    })?;
    let value = subject.get(start + 3..)?;
    let end = value.find([',', '+']).unwrap_or(value.len());
    let name = value.get(..end)?.trim();
    (!name.is_empty() && !name.contains('\\')).then(|| name.to_owned())
}

/// The certificate that a row names, where it names one.
pub(super) fn named_by(entry: &Entry, key: &KeyReport) -> Option<Sha256Hex> {
    let names = |s: &&Sighting| {
        entry.identifiers.iter().any(|identifier| match identifier {
            Identifier::CertSha256(d) | Identifier::CertOrSpkiSha256(d) => {
                s.fingerprints.cert_sha256() == Some(*d)
            }
            Identifier::CertSha1(d) => s.fingerprints.cert_sha1() == Some(*d),
            Identifier::Sha1OrPgp(d) => s.fingerprints.cert_sha1().is_some_and(|c| c.0 == d.0),
            Identifier::Serial(serial) | Identifier::IssuerSerial { serial, .. } => s
                .certificate
                .as_ref()
                .is_some_and(|c| serials_agree(serial, &c.serial)),
            _ => false,
        })
    };
    judged(key)
        .filter(|s| s.kind == Kind::Certificate)
        .find(names)
        .and_then(|s| s.fingerprints.cert_sha256())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
