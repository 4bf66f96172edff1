//! A small builder for the tests: sightings, rows, and a judgement in a line each.

use super::{Input, reconcile};
use crate::model::*;
use crate::policy::{Owners, Policy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The time of judgement in all tests.
pub(super) const NOW: &str = "2026-11-24T10:00:00Z";

pub(super) fn at(text: &str) -> jiff::Timestamp {
    if text.contains('T') {
        text.parse().unwrap()
    } else {
        format!("{text}T12:00:00Z").parse().unwrap()
    }
}

pub(super) fn date(text: &str) -> Moment {
    Moment {
        at: format!("{text}T00:00:00Z").parse().unwrap(),
        has_time: false,
    }
}

pub(super) fn digest(n: u8) -> Sha256Hex {
    Hex([n; 32])
}

/// The key number `n`.
pub(super) fn key_id(n: u8) -> KeyId {
    KeyId::Spki(digest(n))
}

/// A sighting of a kind, of key `n`, at a path; RSA of 2048 bits, mode 0600, root's.
pub(super) fn sighting(kind: Kind, n: u8, path: &str) -> Sighting {
    Sighting {
        host: None,
        key_id: Some(key_id(n)),
        probable_key: None,
        kind,
        format: "pkcs8".into(),
        encoding: Encoding::Pem,
        algorithm: Some("RSA".into()),
        bits: Some(2048),
        curve: None,
        protection: kind.is_private().then_some(Protection::None),
        class: Class::Own,
        fingerprints: Fingerprints {
            spki_sha256: Some(digest(n)),
            ..Fingerprints::default()
        }
        .into(),
        location: Location {
            path: path.into(),
            ..Location::default()
        },
        file: Some(Arc::new(FileFacts {
            size: 1704,
            mode: Mode(0o600),
            uid: 0,
            gid: 0,
            owner: Some("root".into()),
            group: Some("root".into()),
            modified: None,
            home_of: None,
            package: None,
            access: Some(Arc::default()),
        })),
        certificate: None,
        ssh: None,
        pgp: None,
        rare: None,
    }
}

pub(super) fn private(n: u8, path: &str) -> Sighting {
    sighting(Kind::PrivateKey, n, path)
}

/// A grant in an `authorized_keys` file.
pub(super) fn grant(n: u8, path: &str) -> Sighting {
    Sighting {
        format: "openssh".into(),
        ssh: Some(Box::default()),
        ..sighting(Kind::AuthorizedKey, n, path)
    }
}

/// A leaf certificate number `c` of key `n` for `CN=shop.example`, by `CN=CA`, over a year.
pub(super) fn cert(n: u8, c: u8, path: &str, not_after: &str) -> Sighting {
    let end = at(not_after);
    let mut s = sighting(Kind::Certificate, n, path);
    s.format = "x509".into();
    s.fingerprints.change(|f| f.cert_sha256 = Some(digest(c)));
    s.fingerprints.change(|f| f.cert_sha1 = Some(Hex([c; 20])));
    s.certificate = Some(Box::new(Certificate {
        subject: "CN=shop.example,O=Shop".into(),
        issuer: "CN=CA".into(),
        serial: format!("ff000000000000{c:02x}").into(),
        not_before: Some(
            end.checked_sub(jiff::SignedDuration::from_hours(365 * 24))
                .unwrap(),
        ),
        not_after: Some(end),
        sans: ["DNS:shop.example".to_owned()].into(),
        signature_algorithm: "sha256WithRSAEncryption".into(),
        key_usage: ["digitalSignature".into(), "keyEncipherment".into()].into(),
        ..Certificate::default()
    }));
    s
}

pub(super) fn facts(s: &mut Sighting) -> &mut Certificate {
    s.certificate.as_mut().unwrap()
}

/// The facts of the file that holds it.
pub(super) fn file(s: &mut Sighting) -> &mut FileFacts {
    Arc::make_mut(s.file.as_mut().unwrap())
}

pub(super) fn with_access(mut s: Sighting, read: Vec<Grantee>, replace: Vec<Grantee>) -> Sighting {
    file(&mut s).access = Some(Arc::new(Access { read, replace }));
    s
}

/// A row that is in good order but for what a test changes: owned, with an end far ahead.
pub(super) fn entry(id: &str, identifiers: Vec<Identifier>, places: &[&str]) -> Entry {
    Entry {
        id: id.into(),
        source: RowSource {
            file: "inventory.csv".into(),
            at: id
                .trim_start_matches(|c: char| !c.is_ascii_digit())
                .parse()
                .unwrap_or_default(),
        },
        owner: Some("Ada".into()),
        further: saying(|_| ()),
        created: Some(date("2026-01-01")),
        state: Some(State::Active),
        places: places.iter().map(|p| place(p)).collect(),
        identifiers: identifiers.into(),
        ..Entry::default()
    }
}

/// What few rows say, in good order but for what a test changes.
pub(super) fn saying(change: impl FnOnce(&mut Further)) -> Option<Box<Further>> {
    let mut further = Further {
        rotation_period_days: Some(3650),
        ..Further::default()
    };
    change(&mut further);
    Some(Box::new(further))
}

/// `host:/path`, `host:/glob*`, `host`, or `!text` for elsewhere; host `*` is any.
fn place(text: &str) -> EntryPlace {
    if let Some(text) = text.strip_prefix('!') {
        return EntryPlace::Elsewhere(text.into());
    }
    let Some((host, path)) = text.split_once(':') else {
        return EntryPlace::Host(text.into());
    };
    let host = (host != "*").then(|| host.into());
    if path.contains(['*', '?', '[']) {
        EntryPlace::Glob {
            host,
            pattern: path.into(),
        }
    } else {
        EntryPlace::Exact {
            host,
            path: path.into(),
        }
    }
}

pub(super) fn by_key(id: &str, n: u8, places: &[&str]) -> Entry {
    entry(id, vec![Identifier::SpkiSha256(digest(n))], places)
}

pub(super) fn by_cert(id: &str, c: u8, places: &[&str]) -> Entry {
    Entry {
        kind: Some(EntryKind::Certificate),
        ..entry(id, vec![Identifier::CertSha256(digest(c))], places)
    }
}

pub(super) fn sweep(host: &str, roots: &[&str], sightings: Vec<Sighting>, gaps: Vec<Gap>) -> Sweep {
    let complete = !gaps.iter().any(|g| g.reason.makes_incomplete());
    Sweep {
        header: SweepHeader {
            schema: model_schema(),
            tool: "test".to_owned(),
            host: host.to_owned(),
            machine_id: None,
            roots: roots.iter().map(|&r| r.to_owned()).collect(),
            started: at("2026-11-24T09:00:00Z"),
            options: BTreeMap::new(),
        },
        end: Some(SweepEnd {
            finished: at("2026-11-24T09:30:00Z"),
            directories: 1,
            files: 1,
            bytes: 1,
            sightings: 0,
            keys: 0,
            gaps: BTreeMap::new(),
            complete,
            scope: Scope::Full,
            sha256: String::new(),
        }),
        sightings: sightings.into_iter().map(Box::new).collect(),
        gaps,
    }
}

fn model_schema() -> String {
    crate::model::sweep::SWEEP_SCHEMA.to_owned()
}

/// A case under construction.
pub(super) struct Case {
    pub(super) sweeps: Vec<Sweep>,
    pub(super) inventories: Vec<Inventory>,
    pub(super) policy: Policy,
    pub(super) owners: Option<Owners>,
    pub(super) hosts: Option<HostList>,
    pub(super) max_sweep_age: Option<jiff::SignedDuration>,
    pub(super) estate: bool,
}

/// Sightings on `web01`, swept from its root, and the rows of one inventory.
pub(super) fn case(sightings: Vec<Sighting>, entries: Vec<Entry>) -> Case {
    Case {
        sweeps: vec![sweep("web01", &["/"], sightings, Vec::new())],
        inventories: vec![Inventory {
            name: "inventory.csv".to_owned(),
            rows: 1,
            entries,
            has_owner_column: true,
            ..Inventory::default()
        }],
        policy: Policy::default(),
        owners: None,
        hosts: None,
        max_sweep_age: None,
        estate: false,
    }
}

impl Case {
    pub(super) fn and(mut self, host: &str, sightings: Vec<Sighting>) -> Self {
        self.sweeps.push(sweep(host, &["/"], sightings, Vec::new()));
        self
    }

    pub(super) fn gap(mut self, path: &str, reason: GapReason) -> Self {
        let mut gap = Gap::at(path.as_bytes(), reason, "");
        gap.by_choice = reason == GapReason::NotSwept;
        self.sweeps[0].gaps.push(gap);
        self
    }

    pub(super) fn run(self) -> Report {
        let Self {
            sweeps,
            inventories,
            policy,
            owners,
            hosts,
            max_sweep_age,
            estate,
        } = self;
        reconcile(Input {
            sweeps,
            inventories: &inventories,
            policy: &policy,
            owners: owners.as_ref(),
            hosts: hosts.as_ref(),
            max_sweep_age,
            estate,
            now: at(NOW),
            tool: "test".to_owned(),
        })
    }
}

/// The flags of key `n` with their severities, as `expired:high`.
pub(super) fn of_key(report: &Report, n: u8) -> BTreeSet<String> {
    of_id(report, &key_id(n))
}

pub(super) fn of_id(report: &Report, id: &KeyId) -> BTreeSet<String> {
    let key = report.keys.iter().find(|k| k.key_id == *id).unwrap();
    key.flags.iter().map(word).collect()
}

/// The status and flags of a row.
pub(super) fn of_entry(report: &Report, id: &str) -> (EntryStatus, BTreeSet<String>) {
    let entry = report.entries.iter().find(|e| *e.id == *id).unwrap();
    (entry.status, entry.flags.iter().map(word).collect())
}

fn word(f: &Finding) -> String {
    format!("{}:{}", f.flag.as_str(), f.severity.as_str())
}

pub(super) fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&w| w.to_owned()).collect()
}

/// The `why` of a flag on key `n`.
pub(super) fn why(report: &Report, n: u8, flag: Flag) -> String {
    let key = report.keys.iter().find(|k| k.key_id == key_id(n)).unwrap();
    key.flags
        .iter()
        .find(|f| f.flag == flag)
        .unwrap()
        .why
        .to_string()
}

/// The flags of key 1 without an inventory.
pub(super) fn alone(seen: Vec<Sighting>) -> BTreeSet<String> {
    let mut c = case(seen, vec![]);
    c.inventories.clear();
    of_key(&c.run(), 1)
}
