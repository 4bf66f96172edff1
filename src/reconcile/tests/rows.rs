//! What becomes of rows: status, coverage, doubles, and the numbers.

use super::super::testing::*;
use crate::model::*;

const PLACE: &str = "web01:/etc/tls/a.key";

fn status(entry: Entry) -> (EntryStatus, std::collections::BTreeSet<String>) {
    of_entry(&case(vec![], vec![entry]).run(), "K-1")
}

#[test]
fn absence_by_state_and_date() {
    let missing = (EntryStatus::Missing, set(&["missing:medium"]));
    let gone = (EntryStatus::AbsentAsExpected, set(&[]));
    let row = |state| Entry {
        state,
        ..by_key("K-1", 1, &[PLACE])
    };
    assert_eq!(status(row(None)), missing);
    assert_eq!(status(row(Some(State::Active))), missing);
    assert_eq!(status(row(Some(State::Suspended))), missing);
    for state in [
        State::Destroyed,
        State::Revoked,
        State::Deactivated,
        State::Compromised,
        State::PreActivation,
    ] {
        assert_eq!(status(row(Some(state))), gone, "{state:?}");
    }
    assert_eq!(
        status(Entry {
            expires: Some(date("2026-11-23")),
            ..row(None)
        }),
        gone
    );
    assert_eq!(
        status(Entry {
            expires: Some(date("2026-11-24")),
            ..row(None)
        })
        .0,
        EntryStatus::Missing,
        "its last day"
    );
}

#[test]
fn absence_by_place() {
    let row = |places: &[&str]| status(by_key("K-1", 1, places));
    for places in [
        &[PLACE][..],
        &["web01:/etc/**/*.key"],
        &["web01"],
        &["*:/etc/tls/a.key"],
        &["WEB01.example:/x"],
    ] {
        assert_eq!(row(places).0, EntryStatus::Missing, "{places:?}");
    }
    let open = (EntryStatus::NotCovered, set(&["not_covered:info"]));
    for places in [
        &["web02:/etc/tls/a.key"][..],
        &["web02"],
        &["!HSM"],
        &[PLACE, "web02:/x"],
        &[PLACE, "!HSM"],
    ] {
        assert_eq!(row(places), open, "{places:?}");
    }
    assert_eq!(row(&[]), (EntryStatus::Unlocated, set(&[])));
    assert_eq!(
        status(entry("K-1", vec![], &[])),
        (EntryStatus::Unmatchable, set(&["unmatchable:low"]))
    );
    assert_eq!(
        status(entry("K-1", vec![], &["web01"])).0,
        EntryStatus::Unmatchable
    );
    let named = Entry {
        name: Some("Old key".into()),
        ..entry("K-1", vec![], &[])
    };
    assert_eq!(status(named).0, EntryStatus::Unmatchable);
    // A row that has a cell for an identifier says why that is none.
    let rounded = Entry {
        further: saying(|f| {
            f.unreadable = Some("a number that a spreadsheet has rounded".into());
        }),
        ..entry("K-1", vec![], &[])
    };
    let report = case(vec![], vec![rounded]).run();
    let why = &report.entries[0].flags[0].why;
    assert!(
        why.ends_with("a number that a spreadsheet has rounded"),
        "{why}"
    );
}

#[test]
fn roots_must_cover_the_place() {
    let run = |roots: &[&str], places: &[&str]| {
        let mut c = case(vec![], vec![by_key("K-1", 1, places)]);
        c.sweeps[0].header.roots = roots.iter().map(|&r| r.to_owned()).collect();
        of_entry(&c.run(), "K-1").0
    };
    assert_eq!(run(&["/etc"], &[PLACE]), EntryStatus::Missing);
    assert_eq!(run(&["/etc/tls/a.key"], &[PLACE]), EntryStatus::Missing);
    assert_eq!(run(&["/etc/tl"], &[PLACE]), EntryStatus::NotCovered);
    assert_eq!(
        run(&["/etc/tls/sub"], &["web01:/etc/tls"]),
        EntryStatus::NotCovered
    );
    assert_eq!(
        run(&["/etc/tls/"], &["web01:/etc/tls/*.key"]),
        EntryStatus::Missing
    );
    assert_eq!(
        run(&["/etc/tls"], &["web01:/etc/*/a.key"]),
        EntryStatus::NotCovered
    );
    assert_eq!(
        run(&["/etc"], &["web01"]),
        EntryStatus::NotCovered,
        "a host from its root only"
    );
}

#[test]
fn gaps_hide_absence() {
    use GapReason::*;
    let run = |place: &str, gap: &str, reason| {
        of_entry(
            &case(vec![], vec![by_key("K-1", 1, &[place])])
                .gap(gap, reason)
                .run(),
            "K-1",
        )
        .0
    };
    for (place, gap, reason, missing) in [
        (PLACE, "/etc/tls/a.key", Malformed, false),
        (PLACE, "/etc/tls", PermissionDenied, false),
        (PLACE, "/", Interrupted, false),
        ("web01:/etc/tls", "/etc/tls/b/c", Truncated, false),
        (PLACE, "/etc/tls/b.key", PermissionDenied, true),
        (PLACE, "/etc/tl", PermissionDenied, true),
        ("web01:/etc/tls", "/etc/tls-old", PermissionDenied, true),
        ("web01:/etc/tls/*.key", "/etc/tls/b.key", Encrypted, false),
        ("web01:/etc/tls/*.key", "/etc/tls/b.crt", Malformed, true),
        ("web01:/etc/*/b/*.key", "/etc/x", PermissionDenied, false),
        ("web01:/etc/*/b/*.key", "/etc/x/c", PermissionDenied, true),
        ("web01:/etc/*/b/*.key", "/etc/x", Malformed, true),
        ("web01:/etc/tls/*.key", "/etc", Limit, false),
        ("web01", "/root/x", PermissionDenied, false),
        ("web01", "/root/x.p12", Encrypted, false),
        ("web01", "/srv", NotSwept, false),
        ("web01", "/root/x", Malformed, true),
    ] {
        let expected = if missing {
            EntryStatus::Missing
        } else {
            EntryStatus::NotCovered
        };
        assert_eq!(
            run(place, gap, reason),
            expected,
            "{place} {gap} {reason:?}"
        );
    }
    // What is not of this host's local file systems does not hide anything.
    let mut c = case(vec![], vec![by_key("K-1", 1, &["web01"])]).gap("/proc", NotSwept);
    c.sweeps[0].gaps[0].by_choice = false;
    assert_eq!(of_entry(&c.run(), "K-1").0, EntryStatus::Missing);
    // A sweep that was cut off proves no absence.
    let mut c = case(vec![], vec![by_key("K-1", 1, &[PLACE])]);
    c.sweeps[0].end = None;
    let report = c.run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::NotCovered);
    assert!(!report.summary.complete);
}

#[test]
fn seen_in_a_reference_is_seen() {
    let seen = sighting(Kind::KnownHost, 1, "/root/.ssh/known_hosts");
    let row = Entry {
        owner: None,
        further: saying(|f| f.rotation_period_days = Some(1)),
        ..by_key("K-1", 1, &[PLACE])
    };
    let report = case(vec![seen], vec![row]).run();
    let flags = set(&["misplaced:info", "rotation_overdue:info", "unowned:info"]);
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, flags));
    assert_eq!(
        report.summary.metrics["own_keys"],
        serde_json::json!({ "registered": 0, "total": 0 })
    );
}

#[test]
fn a_certificate_without_a_key_is_seen_too() {
    let mut seen = cert(1, 101, "/etc/tls/a.crt", "2027-08-01");
    seen.key_id = None;
    seen.fingerprints.change(|f| f.spki_sha256 = None);
    let report = case(
        vec![seen],
        vec![by_cert("K-1", 101, &["web01:/etc/tls/a.crt"])],
    )
    .run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Matched);
    assert_eq!(report.others.len(), 1);
}

#[test]
fn the_rows_own_date_where_nothing_was_seen() {
    let row = |places: &[&str]| Entry {
        expires: Some(date("2026-11-01")),
        ..by_key("K-1", 1, places)
    };
    assert_eq!(
        status(row(&["web02:/x"])).1,
        set(&["expired:high", "not_covered:info"])
    );
    assert_eq!(status(row(&[PLACE])).1, set(&[]), "gone as expected");
}

#[test]
fn doubles() {
    let run = |a: Entry, b: Entry| {
        let report = case(vec![cert(1, 101, "/x.crt", "2027-08-01")], vec![a, b]).run();
        let has = |id| of_entry(&report, id).1.contains("duplicate_entry:low");
        assert_eq!(has("K-1"), has("K-2"));
        has("K-1")
    };
    let first = || by_key("K-1", 9, &[PLACE]);
    assert!(run(first(), by_key("K-2", 9, &[PLACE])));
    assert!(run(
        first(),
        by_key("K-2", 9, &["web01:/etc//tls/a.key", "web02:/y"])
    ));
    assert!(
        !run(first(), by_key("K-2", 9, &["web02:/y"])),
        "at another place"
    );
    assert!(!run(first(), by_key("K-2", 8, &[PLACE])), "another thing");
    assert!(run(by_key("K-1", 9, &[]), by_key("K-2", 9, &[])));
    let sha1 = Entry {
        identifiers: vec![Identifier::CertSha1(Hex([101; 20]))].into(),
        ..by_cert("K-2", 0, &[])
    };
    assert!(
        run(by_cert("K-1", 101, &[]), sha1),
        "one certificate by two digests"
    );
    assert!(!run(
        by_key("K-1", 9, &[]),
        Entry {
            kind: Some(EntryKind::Grant),
            ..by_key("K-2", 9, &[])
        }
    ));
    let mut c = case(vec![], vec![first()]);
    let other = Inventory {
        name: "b.csv".to_owned(),
        entries: vec![by_key("K-2", 9, &[PLACE])],
        ..c.inventories[0].clone()
    };
    c.inventories.push(other);
    assert!(
        !of_entry(&c.run(), "K-1").1.contains("duplicate_entry:low"),
        "of two sources"
    );
}

#[test]
fn the_latest_sweep_of_a_root_is_judged() {
    let run = |later: &str, root: &str| {
        let mut c = case(vec![private(1, "/etc/a.key")], vec![])
            .and("web01", vec![private(2, "/etc/b.key")]);
        c.sweeps[1].header.roots = vec![root.to_owned()];
        c.sweeps[1].header.started = at(later);
        let report = c.run();
        (
            report
                .keys
                .iter()
                .map(|k| k.key_id.clone())
                .collect::<Vec<_>>(),
            report.sweeps.len(),
        )
    };
    assert_eq!(run("2026-11-24T09:30:00Z", "/"), (vec![key_id(2)], 1));
    assert_eq!(run("2026-11-24T08:30:00Z", "/"), (vec![key_id(1)], 1));
    assert_eq!(
        run("2026-11-24T09:30:00Z", "/etc"),
        (vec![key_id(2)], 2),
        "the rest of / is still the older's"
    );
    assert_eq!(
        run("2026-11-24T09:30:00Z", "/srv").0,
        vec![key_id(1), key_id(2)]
    );
}

#[test]
fn the_strongest_class_judges() {
    let vendor = |s: Sighting| Sighting {
        class: Class::Vendor,
        ..s
    };
    let both = vec![
        vendor(private(1, "/usr/share/x.key")),
        cert(1, 101, "/etc/a.crt", "2027-08-01"),
    ];
    let report = case(both, vec![]).run();
    assert_eq!(report.keys[0].class, Class::Own);
    assert_eq!(
        of_key(&report, 1),
        set(&["unknown:medium"]),
        "the private copy is the vendor's"
    );
    let mut packaged = vendor(private(1, "/usr/share/x.key"));
    file(&mut packaged).package = Some("dpkg:x@1".into());
    let report = case(
        vec![packaged.clone(), private(2, "/a")],
        vec![by_key("K-1", 2, &[])],
    )
    .run();
    let aside = &report.summary.metrics["set_aside"]["vendor"];
    assert_eq!(
        aside,
        &serde_json::json!({ "keys": 1, "with_private": 1, "sightings": 1, "packages": 1 })
    );
    assert_eq!(
        report.summary.metrics["own_keys"],
        serde_json::json!({ "registered": 1, "total": 1 })
    );
}

#[test]
fn numbers_count_each_finding_once() {
    let rows = vec![
        Entry {
            owner: None,
            ..by_key("K-1", 1, &["web01:/elsewhere"])
        },
        by_key("K-2", 2, &[PLACE]),
        Entry {
            state: Some(State::Destroyed),
            ..by_key("K-3", 3, &[PLACE])
        },
        by_key("K-4", 4, &[]),
        by_key("K-5", 5, &["web09"]),
        entry("K-6", vec![], &[]),
    ];
    let seen = vec![
        cert(1, 101, "/x.crt", "2027-08-01"),
        cert(7, 107, "/y.crt", "2027-09-01"),
    ];
    let report = case(seen, rows).run();
    let flags: Vec<(&str, u64)> = report
        .summary
        .flags
        .iter()
        .map(|(f, n)| (f.as_str(), *n))
        .collect();
    assert_eq!(
        flags,
        [
            ("unknown", 1),
            ("unowned", 1),
            ("misplaced", 1),
            ("missing", 1),
            ("not_covered", 1),
            ("unmatchable", 1)
        ]
    );
    let severities: Vec<u64> = Severity::ALL
        .iter()
        .map(|s| report.summary.severities[s])
        .collect();
    assert_eq!(severities, [0, 1, 3, 1, 1]);
    assert_eq!(
        (
            report.summary.keys,
            report.summary.sightings,
            report.summary.entries
        ),
        (2, 2, 6)
    );
    assert_eq!(
        report.summary.metrics["rows"],
        serde_json::json!({
            "total": 6, "confirmed": 2, "seen": 1, "gone_as_expected": 1, "missing": 1,
            "no_conclusion": 1, "unlocated": 1, "ambiguous": 0, "unmatchable": 1
        })
    );
    let owners = &report.summary.metrics["owners"];
    assert_eq!(
        (&owners["present"], &owners["none"]),
        (&5.into(), &1.into())
    );
}

#[test]
fn ids_are_stable() {
    let run = |line: u64| {
        let mut s = private(1, "/etc/a.key");
        s.location.line = line.into();
        s.location.offset = (line * 7).into();
        let row = Entry {
            source: format!("inventory.csv:{line}").as_str().into(),
            owner: None,
            ..by_key("K-1", 1, &[])
        };
        let report = case(vec![s], vec![row]).run();
        report.keys[0]
            .flags
            .iter()
            .map(|f| f.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(50));
    let id = &run(1)[0];
    assert!(
        id.starts_with("f:") && id.len() == 18 && id[2..].bytes().all(|b| b.is_ascii_hexdigit())
    );
    // printf 'unowned\0spki-sha256:0101…\0K-1\0\0\0' | sha256sum
    let key = "01".repeat(32);
    let expected =
        <sha2::Sha256 as sha2::Digest>::digest(format!("unowned\0spki-sha256:{key}\0K-1\0\0\0"));
    assert_eq!(
        id[2..],
        expected
            .iter()
            .take(8)
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
    );
}
