//! Flags on keys that have rows.

use super::super::testing::*;
use crate::model::*;
use crate::policy::Owners;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/ssl/certs/shop.crt";
const FAR: &str = "2027-08-01";

#[test]
fn unknown_certificates_of_known_keys() {
    let old = cert(1, 101, "/etc/a/old.crt", "2027-01-10");
    let mut new = cert(1, 102, "/etc/a/new.crt", "2027-09-01");
    let two = || vec![old.clone(), new.clone()];
    assert_eq!(
        of_key(&case(two(), vec![by_cert("K-1", 101, &[])]).run(), 1),
        set(&["unknown_certificate:medium"])
    );
    assert_eq!(
        of_key(&case(two(), vec![by_cert("K-1", 102, &[])]).run(), 1),
        set(&[]),
        "superseded"
    );
    assert_eq!(
        of_key(&case(two(), vec![by_key("K-1", 1, &[])]).run(), 1),
        set(&[]),
        "a row for the key"
    );
    new.host = None;
    let report = case(vec![old, new], vec![by_cert("K-1", 101, &[])]).run();
    let finding = &report.keys[0].flags[0];
    assert_eq!(finding.certificate(), Some(digest(102)));
    let statuses: Vec<_> = report.keys[0]
        .sightings
        .iter()
        .map(|s| s.certificate.as_ref().unwrap().status)
        .collect();
    assert_eq!(
        statuses,
        [
            Some(CertificateStatus::Current),
            Some(CertificateStatus::Superseded)
        ]
    );
}

#[test]
fn owners() {
    let owned = |owner: Option<&str>| Entry {
        owner: owner.map(Into::into),
        ..by_key("K-1", 1, &[])
    };
    let run = |owner: Option<&str>| {
        let mut c = case(vec![cert(1, 101, CRT, FAR)], vec![owned(owner)]);
        let list = b"owner,status\nAda,\nBob,left\n";
        c.owners = Some(Owners::from_bytes("owners.csv", list).unwrap());
        c.run()
    };
    assert_eq!(of_key(&run(Some("Ada")), 1), set(&[]));
    for (owner, part) in [
        (Some("Bob"), "marks as left"),
        (Some("Eve"), "does not know"),
        (None, "names no owner"),
    ] {
        let report = run(owner);
        assert_eq!(of_key(&report, 1), set(&["unowned:high"]), "{owner:?}");
        assert_eq!(of_entry(&report, "K-1").1, set(&["unowned:high"]));
        assert!(why(&report, 1, Flag::Unowned).contains(part), "{owner:?}");
        assert_eq!(report.entries[0].flags[0].key_id, Some(Box::new(key_id(1))));
        assert_eq!(report.entries[0].flags[0].id, report.keys[0].flags[0].id);
        assert_eq!(report.summary.flags[&Flag::Unowned], 1);
    }
    assert_eq!(
        of_key(
            &case(vec![cert(1, 101, CRT, FAR)], vec![owned(Some("  "))]).run(),
            1
        ),
        set(&["unowned:high"])
    );
    // Without the column, once for the source.
    let mut c = case(vec![cert(1, 101, CRT, FAR)], vec![owned(None)]);
    c.inventories[0].has_owner_column = false;
    let report = c.run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(report.inventories[0].flags[0].flag, Flag::Unowned);
    assert_eq!(report.summary.flags[&Flag::Unowned], 1);
}

#[test]
fn a_pattern_of_hosts_means_those_that_were_swept() {
    let run = |place: &str| {
        let mut row = by_key("K-1", 1, &[]);
        row.places = vec![EntryPlace::Exact {
            host: Some(place.into()),
            path: "/etc/a.key".into(),
        }]
        .into();
        let gone = Entry {
            places: row.places.clone(),
            ..by_key("K-2", 2, &[])
        };
        let seen = case(vec![private(1, "/etc/a.key")], vec![row, gone]);
        seen.and("db01", vec![]).run()
    };
    let fits = run("web*");
    assert!(!of_key(&fits, 1).contains("misplaced:medium"));
    let other = run("db?1");
    assert!(of_key(&other, 1).contains("misplaced:medium"));
    assert_eq!(of_entry(&other, "K-2").0, EntryStatus::Missing);
    assert_eq!(of_entry(&run("mail*"), "K-2").0, EntryStatus::NotCovered);
}

#[test]
fn misplaced_and_stray() {
    let run = |seen: Vec<Sighting>, places: &[&str]| {
        of_key(&case(seen, vec![by_key("K-1", 1, places)]).run(), 1)
    };
    let key = || private(1, KEY);
    for (places, expected) in [
        (&["web01:/etc/ssl/private/shop.key"][..], set(&[])),
        (&["WEB01:/etc/ssl/private/"][..], set(&[])),
        (&["*:/etc/ssl/private/*.key"][..], set(&[])),
        (&["web01"][..], set(&[])),
        (&["web01.shop.example"][..], set(&[])),
        (&["web01:/etc/ssl/*"][..], set(&["misplaced:medium"])),
        (
            &["web02:/etc/ssl/private/shop.key"][..],
            set(&["misplaced:medium"]),
        ),
        (&["web01:/etc/other"][..], set(&["misplaced:medium"])),
        (&["!HSM slot 3"][..], set(&[])),
        (&[][..], set(&[])),
    ] {
        let mut flags = run(vec![key()], places);
        flags.remove("unpaired:info");
        assert_eq!(flags, expected, "{places:?}");
    }
    let place = &["web01:/etc/ssl/private/shop.key"];
    let public = sighting(Kind::PublicKey, 1, "/etc/ssl/shop.pub");
    let mut linked = private(1, "/srv/real.key");
    linked
        .location
        .change(|rare| rare.links = [KEY.into()].into());
    assert_eq!(
        run(vec![linked.clone(), public.clone()], place),
        set(&[]),
        "a link counts"
    );
    linked
        .location
        .change(|rare| std::mem::swap(&mut rare.links, &mut rare.hard_links));
    assert_eq!(
        run(vec![linked, public.clone()], place),
        set(&[]),
        "a hard link counts"
    );
    let copy = || private(1, "/home/bob/shop.key");
    assert_eq!(
        run(vec![key(), copy(), public.clone()], place),
        set(&["stray_copy:medium"])
    );
    assert_eq!(
        run(vec![copy(), public.clone()], place),
        set(&["misplaced:medium"])
    );
    assert_eq!(
        run(vec![key(), public], place),
        set(&[]),
        "only private copies stray"
    );
    // The row allows the certificate's place; the key beside it is at home, the further one strays.
    let seen = vec![
        cert(1, 101, "/etc/x/a.crt", FAR),
        private(1, "/etc/x/a.key"),
        private(1, "/etc/y/a.key"),
    ];
    let report = case(
        seen.clone(),
        vec![by_cert("K-1", 101, &["web01:/etc/x/a.crt"])],
    )
    .run();
    assert_eq!(of_key(&report, 1), set(&["stray_copy:medium"]));
    assert_eq!(
        report.keys[0].flags[0].place.as_deref(),
        Some("web01:/etc/y/a.key")
    );
    let report = case(
        seen[..2].to_vec(),
        vec![by_cert("K-1", 101, &["web01:/etc/x/a.crt"])],
    )
    .run();
    assert_eq!(of_key(&report, 1), set(&[]));
}

type Change<'c> = &'c dyn Fn(&mut Entry);

#[test]
fn fields_that_disagree() {
    let seen = || vec![cert(1, 101, CRT, FAR)];
    let run = |change: &dyn Fn(&mut Entry)| {
        let mut row = by_cert("K-1", 101, &[]);
        change(&mut row);
        case(seen(), vec![row]).run()
    };
    let agree: &[Change<'_>] = &[
        &|r| r.algorithm = Some("rsaEncryption".into()),
        &|r| r.algorithm = Some("RSA-2048".into()),
        &|r| r.algorithm = Some("sha256WithRSAEncryption".into()),
        &|r| r.bits = Some(2048),
        &|r| r.expires = Some(date(FAR)),
        &|r| {
            r.expires = Some(Moment {
                at: at(FAR),
                has_time: true,
            })
        },
        &|r| r.subject = Some("/O=Shop/CN=SHOP.example".into()),
        &|r| r.sans = vec!["SHOP.example.".to_owned()].into(),
        &|r| r.sans = vec!["DNS Name=shop.example".to_owned()].into(),
        &|r| {
            let serial = Identifier::Serial("FF:00:00:00:00:00:00:65".into());
            r.identifiers = [&*r.identifiers, &[serial]].concat().into();
        },
    ];
    for (n, change) in agree.iter().enumerate() {
        assert_eq!(of_key(&run(change), 1), set(&[]), "agree {n}");
    }
    let differ: &[(Change<'_>, &str)] = &[
        (
            &|r| r.algorithm = Some("ECDSA".into()),
            "algorithm is RSA, not ECDSA",
        ),
        (
            &|r| r.algorithm = Some("RSA 4096".into()),
            "size is 2048 bits, not 4096",
        ),
        (&|r| r.bits = Some(4096), "size is 2048 bits, not 4096"),
        (
            &|r| r.expires = Some(date("2027-08-02")),
            "expiry is 2027-08-01, not 2027-08-02",
        ),
        (
            &|r| r.subject = Some("CN=other".into()),
            "subject is CN=shop.example,O=Shop, not CN=other",
        ),
        (
            &|r| r.sans = vec!["shop.example".to_owned(), "www.shop.example".to_owned()].into(),
            "alternative names lack www.shop.example",
        ),
        (
            &|r| {
                let serial = Identifier::Serial("77".into());
                r.identifiers = [&*r.identifiers, &[serial]].concat().into();
            },
            "serial is ff00000000000065, not 77",
        ),
    ];
    for (change, part) in differ {
        let report = run(change);
        assert_eq!(of_key(&report, 1), set(&["mismatch:medium"]), "{part}");
        assert_eq!(
            of_entry(&report, "K-1"),
            (EntryStatus::Matched, set(&["mismatch:medium"]))
        );
        assert!(
            why(&report, 1, Flag::Mismatch).contains(part),
            "{}",
            why(&report, 1, Flag::Mismatch)
        );
    }
}

#[test]
fn another_key_at_the_place() {
    let row = || Entry {
        kind: Some(EntryKind::KeyPair),
        ..by_key("K-1", 9, &["web01:/etc/ssl/private/shop.key"])
    };
    let seen = || {
        vec![
            private(1, KEY),
            sighting(Kind::PublicKey, 1, "/etc/ssl/shop.pub"),
        ]
    };
    let report = case(seen(), vec![row()]).run();
    assert_eq!(
        of_key(&report, 1),
        set(&["mismatch:medium", "unknown:high"])
    );
    assert!(why(&report, 1, Flag::Unknown).contains("row K-1 points at its place"));
    assert_eq!(
        of_entry(&report, "K-1"),
        (EntryStatus::Ambiguous, set(&["mismatch:medium"]))
    );
    // Not of its type, or a file that lists the keys of many: missing.
    let typed = Entry {
        kind: Some(EntryKind::Symmetric),
        ..row()
    };
    assert_eq!(
        of_entry(&case(seen(), vec![typed]).run(), "K-1").0,
        EntryStatus::Missing
    );
    let file = "/root/.ssh/authorized_keys";
    let grants = Entry {
        kind: Some(EntryKind::Grant),
        ..by_key("K-1", 9, &["web01:/root/.ssh/authorized_keys"])
    };
    let report = case(vec![grant(1, file)], vec![grants]).run();
    assert_eq!(
        of_entry(&report, "K-1"),
        (EntryStatus::Missing, set(&["missing:medium"]))
    );
    // One that was not expected there any more is gone, whatever lies there now.
    let destroyed = Entry {
        state: Some(State::Destroyed),
        ..row()
    };
    assert_eq!(
        of_entry(&case(seen(), vec![destroyed]).run(), "K-1").0,
        EntryStatus::AbsentAsExpected
    );
}

#[test]
fn renewals_that_nobody_recorded() {
    let place = &["web01:/etc/ssl/certs/shop.crt"];
    let lapsed = || Entry {
        expires: Some(date("2026-10-01")),
        ..by_cert("K-1", 150, place)
    };
    let new = || vec![cert(1, 101, CRT, FAR), private(1, KEY)];
    // At its place, by a new key: instead of one unknown and one missing.
    let report = case(new(), vec![lapsed()]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info"]));
    assert_eq!(
        of_entry(&report, "K-1"),
        (
            EntryStatus::AbsentAsExpected,
            set(&["renewed_unrecorded:info"])
        )
    );
    assert_eq!(report.keys[0].flags[0].certificate(), Some(digest(101)));
    // By names and issuer, at another place.
    let elsewhere = Entry {
        further: saying(|f| f.subject = Some("CN=shop.example,O=Shop".into())),
        issuer: Some("CN=CA".into()),
        places: Vec::new().into(),
        ..lapsed()
    };
    let report = case(new(), vec![elsewhere.clone()]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Unlocated);
    // Other names, not newer, or the row has not lapsed: unknown.
    let other = Entry {
        further: saying(|f| f.subject = Some("CN=mail.example".into())),
        ..elsewhere
    };
    assert!(of_key(&case(new(), vec![other]).run(), 1).contains("unknown:high"));
    let older = vec![cert(1, 101, CRT, "2026-09-01")];
    assert!(of_key(&case(older, vec![lapsed()]).run(), 1).contains("unknown:medium"));
    let valid = Entry {
        expires: Some(date("2027-01-01")),
        ..lapsed()
    };
    assert_eq!(
        of_key(&case(new(), vec![valid]).run(), 1),
        set(&["unknown:high", "mismatch:medium"])
    );
    // Medium when the issuer changed or the key got weaker.
    let issuer = Entry {
        issuer: Some("CN=Other CA".into()),
        ..lapsed()
    };
    let weaker = Entry {
        further: saying(|f| {
            f.algorithm = Some("RSA".into());
            f.bits = Some(4096);
        }),
        ..lapsed()
    };
    for row in [issuer, weaker] {
        assert_eq!(
            of_key(&case(new(), vec![row]).run(), 1),
            set(&["renewed_unrecorded:medium"])
        );
    }
    // With the same key: instead of an unknown certificate; the old one is superseded.
    let same = vec![
        cert(1, 150, "/etc/old.crt", "2026-10-01"),
        cert(1, 101, CRT, FAR),
    ];
    let report = case(
        same,
        vec![Entry {
            places: Vec::new().into(),
            ..lapsed()
        }],
    )
    .run();
    assert_eq!(
        of_key(&report, 1),
        set(&["renewed_unrecorded:info", "expired:info"])
    );
}

#[test]
fn states_against_what_was_seen() {
    let row = |state| Entry {
        state: Some(state),
        ..by_key("K-1", 1, &[])
    };
    let public = || cert(1, 101, CRT.replace("ssl/certs", "tls").as_str(), FAR);
    for (state, seen, expected) in [
        (State::PreActivation, private(1, KEY), None),
        (
            State::PreActivation,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("high"),
        ),
        (State::Active, private(1, KEY), None),
        (State::Suspended, private(1, KEY), Some("low")),
        (State::Suspended, public(), None),
        (State::Deactivated, private(1, KEY), Some("medium")),
        (State::Deactivated, public(), None),
        (State::Revoked, private(1, KEY), Some("medium")),
        (State::Revoked, public(), Some("low")),
        (State::Compromised, private(1, KEY), Some("critical")),
        (State::Compromised, public(), Some("info")),
        (
            State::Compromised,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("critical"),
        ),
        (State::Destroyed, private(1, KEY), Some("critical")),
        (State::Destroyed, public(), Some("low")),
        (
            State::Destroyed,
            cert(1, 101, "/usr/local/share/ca-certificates/a.crt", FAR),
            Some("high"),
        ),
        (State::PreActivation, public(), None),
        (State::Active, public(), None),
        (State::Active, grant(1, "/root/.ssh/authorized_keys"), None),
        (
            State::Suspended,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("high"),
        ),
        (
            State::Deactivated,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("high"),
        ),
        (
            State::Revoked,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("high"),
        ),
        (
            State::Destroyed,
            grant(1, "/root/.ssh/authorized_keys"),
            Some("high"),
        ),
        (
            State::Compromised,
            cert(1, 101, "/usr/local/share/ca-certificates/a.crt", FAR),
            Some("critical"),
        ),
        (
            State::Destroyed,
            sighting(Kind::SymmetricKey, 1, "/etc/app.key"),
            Some("critical"),
        ),
        (
            State::Suspended,
            sighting(Kind::SymmetricKey, 1, "/etc/app.key"),
            Some("low"),
        ),
    ] {
        let report = case(vec![seen.clone()], vec![row(state)]).run();
        let flags = of_key(&report, 1);
        let found = flags.iter().find_map(|f| f.strip_prefix("state_conflict:"));
        assert_eq!(found, expected, "{state:?} {:?}", seen.kind);
    }
    let mut closing = public();
    facts(&mut closing).key_usage = ["keyEncipherment".into()].into();
    let report = case(
        vec![private(1, KEY), closing],
        vec![row(State::Deactivated)],
    )
    .run();
    assert!(
        of_key(&report, 1).contains("state_conflict:info"),
        "{:?}",
        of_key(&report, 1)
    );
    // What only agrees on keys, by its algorithm, or only decrypts, by the row's word; what signs too does not.
    let agrees = Sighting {
        algorithm: Some("X25519".into()),
        ..private(1, KEY)
    };
    let flags = of_key(&case(vec![agrees], vec![row(State::Revoked)]).run(), 1);
    assert!(flags.contains("state_conflict:info"), "{flags:?}");
    for (purpose, expected) in [
        ("decryption of backups", "state_conflict:info"),
        ("signing and encryption", "state_conflict:medium"),
    ] {
        let entry = Entry {
            further: saying(|f| f.purpose = Some(purpose.into())),
            ..row(State::Deactivated)
        };
        let flags = of_key(&case(vec![private(1, KEY)], vec![entry]).run(), 1);
        assert!(flags.contains(expected), "{purpose} {flags:?}");
    }
    let vendor = Sighting {
        class: Class::Vendor,
        ..private(1, KEY)
    };
    let report = case(vec![vendor], vec![row(State::Compromised)]).run();
    assert!(of_key(&report, 1).contains("state_conflict:critical"));
}

#[test]
fn rotation() {
    let row = |change: &dyn Fn(&mut Entry)| {
        let mut row = by_key("K-1", 1, &[]);
        change(&mut row);
        case(vec![cert(1, 101, CRT, FAR)], vec![row]).run()
    };
    let period = |last: &'static str, days: u32| {
        move |r: &mut Entry| {
            r.last_rotated = Some(date(last));
            r.rotation_period_days = Some(days);
        }
    };
    assert_eq!(
        of_key(&row(&period("2025-11-24", 365)), 1),
        set(&[]),
        "due today"
    );
    let late = row(&period("2025-11-23", 365));
    assert_eq!(of_key(&late, 1), set(&["rotation_overdue:medium"]));
    assert_eq!(of_entry(&late, "K-1").1, set(&["rotation_overdue:medium"]));
    assert!(why(&late, 1, Flag::RotationOverdue).contains("due 2026-11-23, 1 day ago"));
    let created = row(&|r| {
        r.created = Some(date("2024-01-01"));
        r.rotation_period_days = Some(365);
    });
    assert_eq!(
        of_key(&created, 1),
        set(&["rotation_overdue:medium"]),
        "creation counts without a rotation"
    );
    // No period: no cryptoperiod, unless there is an end, or policy gives one.
    let none = row(&|r| r.rotation_period_days = None);
    assert_eq!(of_entry(&none, "K-1").1, set(&["no_cryptoperiod:low"]));
    assert_eq!(of_key(&none, 1), set(&[]), "an entry's flag");
    let ends = row(&|r| {
        r.rotation_period_days = None;
        r.expires = Some(date(FAR));
    });
    assert_eq!(of_entry(&ends, "K-1").1, set(&[]));
    let mut by_policy = case(
        vec![cert(1, 101, CRT, FAR)],
        vec![Entry {
            further: None,
            ..by_cert("K-1", 101, &[])
        }],
    );
    by_policy
        .policy
        .rotation_days
        .insert(EntryKind::Certificate, 30);
    assert_eq!(
        of_entry(&by_policy.run(), "K-1").1,
        set(&["rotation_overdue:medium"])
    );
    assert_eq!(late.summary.metrics["rotation"]["overdue"], 1);
    assert_eq!(none.summary.metrics["rotation"]["cannot_be_told"], 1);
}

#[test]
fn a_renewal_with_the_registered_key_is_told_once() {
    let row = Entry {
        expires: Some(date("2026-10-01")),
        kind: Some(EntryKind::Certificate),
        ..by_key("K-1", 1, &["web01:/etc/ssl/certs/shop.crt"])
    };
    let report = case(vec![cert(1, 101, CRT, FAR)], vec![row]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info"]));
}
