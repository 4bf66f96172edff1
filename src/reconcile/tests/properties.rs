//! Whatever is thrown at it: no panic, one status a row, the same report from any order.

use super::super::testing::*;
use super::super::{Input, reconcile};
use crate::model::*;
use crate::policy::Policy;
use proptest::prelude::*;
use std::collections::BTreeSet;

const PATHS: [&str; 7] = [
    "/etc/tls/a.key",
    "/etc/tls/a.crt",
    "/root/.ssh/authorized_keys",
    "/etc/ssh/ssh_host_rsa_key",
    "/home/ada/.ssh/id_rsa",
    "/tmp/x",
    "/usr/local/share/ca-certificates/c.crt",
];

fn any_sighting() -> impl Strategy<Value = Sighting> {
    let dates = prop::sample::select(vec![
        "2020-01-01",
        "2026-11-24",
        "2026-12-01",
        "2027-06-01",
        "2029-01-01",
    ]);
    (
        0..12usize,
        0..5u8,
        0..6u8,
        prop::sample::select(&PATHS[..]),
        dates,
        0..4usize,
        0..5usize,
        0..40u64,
    )
        .prop_map(|(kind, n, c, path, end, class, odd, line)| {
            use Kind::*;
            let kinds = [
                PrivateKey,
                PublicKey,
                Certificate,
                CertificateRequest,
                Crl,
                SshCertificate,
                AuthorizedKey,
                KnownHost,
                SymmetricKey,
                PgpPublicKey,
                PgpSecretKey,
                Keystore,
            ];
            let kind = kinds[kind];
            let mut s = match kind {
                Certificate | CertificateRequest | Crl => Sighting {
                    kind,
                    ..cert(n, 100 + c, path, end)
                },
                AuthorizedKey | SshCertificate => Sighting {
                    kind,
                    ..grant(n, path)
                },
                _ => sighting(kind, n, path),
            };
            s.class = [
                Class::Own,
                Class::Dependency,
                Class::Vendor,
                Class::TrustAnchor,
            ][class];
            s.location.line = line.into();
            s.fingerprints
                .change(|f| f.ski = Some(format!("{:02x}", n % 2).into()));
            match odd {
                0 => s.key_id = None,
                1 if kind == PrivateKey => s.key_id = Some(KeyId::Opaque(digest(n))),
                2 => s.file = None,
                3 => s = with_access(s, vec![Grantee::Others], vec![]),
                _ => {}
            }
            s
        })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let identifier = (0..9u8, 0..7u8).prop_map(|(form, n)| match form {
        0 => Identifier::SpkiSha256(digest(n)),
        1 => Identifier::CertSha256(digest(100 + n)),
        2 => Identifier::CertSha1(Hex([100 + n; 20])),
        3 => Identifier::Serial(format!("ff000000000000{:02x}", 100 + n).into()),
        4 => Identifier::Ski(format!("{n:02x}").into()),
        5 => Identifier::KeyId(KeyId::Opaque(digest(n))),
        6 => Identifier::CertOrSpkiSha256(digest(n)),
        7 => Identifier::IssuerSerial {
            issuer: "CN=CA".into(),
            serial: format!("ff000000000000{:02x}", 100 + n).into(),
        },
        _ => Identifier::Serial("".into()),
    });
    let places = prop::sample::subsequence(
        vec![
            "web01:/etc/tls/a.key",
            "web01:/etc/tls/*",
            "*:/root/.ssh/authorized_keys",
            "web01",
            "web02",
            "web09:/x",
            "!HSM",
        ],
        0..3,
    );
    let state = prop::option::of(prop::sample::select(vec![
        State::PreActivation,
        State::Active,
        State::Suspended,
        State::Deactivated,
        State::Revoked,
        State::Compromised,
        State::Destroyed,
    ]));
    let end = prop::option::of(prop::sample::select(vec![
        "2020-01-01",
        "2026-11-24",
        "2026-12-01",
        "2029-01-01",
    ]));
    (
        prop::collection::vec(identifier, 0..3),
        places,
        state,
        end,
        any::<bool>(),
        0..30u8,
    )
        .prop_map(|(identifiers, places, state, end, subject, n)| Entry {
            id: format!("K-{n}").into(),
            source: format!("inventory.csv:{n}").as_str().into(),
            state,
            expires: end.map(date),
            further: saying(|f| f.subject = subject.then(|| "CN=shop.example,O=Shop".into())),
            ..entry("K-0", identifiers, &places)
        })
}

fn run(sweeps: Vec<Sweep>, entries: Vec<Entry>) -> Report {
    let inventory = Inventory {
        name: "inventory.csv".to_owned(),
        entries,
        has_owner_column: true,
        ..Inventory::default()
    };
    reconcile(Input {
        sweeps,
        inventories: &[inventory],
        policy: &Policy::default(),
        owners: None,
        hosts: None,
        max_sweep_age: None,
        estate: false,
        now: at(NOW),
        tool: "test".to_owned(),
    })
}

fn two_hosts(first: Vec<Sighting>, second: Vec<Sighting>) -> Vec<Sweep> {
    let gap = Gap::at(b"/var/lib/secret", GapReason::PermissionDenied, "");
    vec![
        sweep("web01", &["/"], first, vec![]),
        sweep("web02", &["/"], second, vec![gap]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_holds_together(
        first in prop::collection::vec(any_sighting(), 0..24),
        second in prop::collection::vec(any_sighting(), 0..12),
        entries in prop::collection::vec(any_entry(), 0..12),
    ) {
        let (seen, rows) = (first.len() + second.len(), entries.len());
        let report = run(two_hosts(first, second), entries);
        // Nothing is lost.
        prop_assert_eq!(report.entries.len(), rows);
        prop_assert_eq!(report.summary.sightings, seen as u64);
        prop_assert_eq!(report.keys.iter().map(|k| k.sightings.len()).sum::<usize>() + report.others.len(), seen);
        // What a key says of a row, the row says of the key, with the same id.
        let mut of_keys = BTreeSet::new();
        for key in &report.keys {
            for f in &key.flags {
                prop_assert!(f.key_id.is_none());
                let said = f.entry.as_ref().is_none_or(|id| {
                    let mut rows = report.entries.iter().filter(|e| e.id == *id).flat_map(|e| &e.flags);
                    rows.any(|r| r.id == f.id && r.key_id.as_deref() == Some(&key.key_id))
                });
                prop_assert!(said, "{:?}", f);
                prop_assert!(of_keys.insert(f.id), "an id twice: {:?}", f);
            }
            if key.class != Class::Own {
                let loud = key.flags.iter().find(|f| f.severity > Severity::Info && f.flag != Flag::StateConflict);
                prop_assert!(loud.is_none(), "{:?}", loud);
            }
        }
        for entry in &report.entries {
            for f in &entry.flags {
                prop_assert!(f.key_id.is_none() || of_keys.contains(&f.id));
            }
            let has = |flag| entry.flags.iter().any(|f| f.flag == flag);
            prop_assert_eq!(entry.status == EntryStatus::Missing, has(Flag::Missing));
            prop_assert_eq!(entry.status == EntryStatus::NotCovered, has(Flag::NotCovered));
            prop_assert_eq!(entry.status == EntryStatus::Unmatchable, has(Flag::Unmatchable));
            prop_assert!(entry.status != EntryStatus::Ambiguous || has(Flag::Ambiguous) || has(Flag::Mismatch));
            prop_assert_eq!(entry.status == EntryStatus::Matched, entry.matched_by.is_some());
        }
        // Each own key is known, or one of the four says why not.
        for key in &report.keys {
            let told = [
                Flag::Unknown,
                Flag::Ambiguous,
                Flag::AccessOrphan,
                Flag::RenewedUnrecorded,
            ];
            let not_known = key.flags.iter().filter(|f| told.contains(&f.flag)).count();
            prop_assert!(!key.entries.is_empty() || not_known > 0, "{:?}", key.flags);
            let unknown = key.flags.iter().any(|f| matches!(f.flag, Flag::Unknown | Flag::AccessOrphan));
            prop_assert!(!unknown || not_known == 1);
        }
        let total: u64 = report.summary.flags.values().sum();
        prop_assert_eq!(total, report.summary.severities.values().sum::<u64>());
        // It survives being written and read.
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn order_never_shows(
        first in prop::collection::vec(any_sighting(), 0..16),
        second in prop::collection::vec(any_sighting(), 0..8),
        mut entries in prop::collection::vec(any_entry(), 0..8),
    ) {
        // Rows of one line would be one row.
        entries.sort_by(|a, b| a.source.cmp(&b.source));
        entries.dedup_by(|a, b| a.source == b.source);
        let mut first: Vec<Sighting> = first;
        for (n, s) in first.iter_mut().enumerate() {
            s.location.offset = (n as u64).into();
        }
        let straight = run(two_hosts(first.clone(), second.clone()), entries.clone());
        first.reverse();
        entries.reverse();
        let mut sweeps = two_hosts(first, second);
        sweeps.reverse();
        prop_assert_eq!(run(sweeps, entries), straight);
    }
}
