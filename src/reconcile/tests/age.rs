//! How old a key is against what the inventory says of it.

use super::super::testing::*;
use crate::model::*;

const CRT: &str = "/etc/ssl/certs/shop.crt";

fn rotated(id: &str, n: u8, on: &str) -> Entry {
    Entry {
        further: saying(|f| f.last_rotated = Some(date(on))),
        ..by_key(id, n, &[])
    }
}

/// A certificate that starts on a day, at noon, over a year.
fn from(n: u8, c: u8, start: &str) -> Sighting {
    let mut s = cert(n, c, CRT, "2027-08-01");
    facts(&mut s).not_before = Some(at(start));
    s
}

fn unproven(seen: Sighting, on: &str) -> bool {
    let report = case(vec![seen], vec![rotated("K-1", 1, on)]).run();
    let found = of_key(&report, 1).contains("rotation_unproven:high");
    let row = of_entry(&report, "K-1").1;
    assert_eq!(row.contains("rotation_unproven:high"), found);
    let rates = &report.summary.metrics["rotation"];
    assert_eq!(rates["unproven"], u64::from(found));
    assert_eq!(rates["cannot_be_told"], u64::from(found));
    assert_eq!(rates["in_time"], u64::from(!found));
    found
}

#[test]
fn a_certificate_that_is_older_than_the_rotation() {
    // A day for authorities that backdate, and the zone of a date without time.
    assert!(unproven(from(1, 101, "2026-03-01"), "2026-03-04"));
    assert!(!unproven(from(1, 101, "2026-03-01"), "2026-03-02"));
    assert!(!unproven(from(1, 101, "2026-03-05"), "2026-03-01"));
    // A clock that was never set is no evidence.
    assert!(!unproven(from(1, 101, "1970-01-01"), "2026-03-01"));
    let report = case(
        vec![from(1, 101, "2024-03-01")],
        vec![rotated("K-1", 1, "2026-05-01")],
    )
    .run();
    let reason = why(&report, 1, Flag::RotationUnproven);
    for part in ["rotated on 2026-05-01", "starts on 2024-03-01"] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(report.keys[0].flags[0].certificate(), Some(digest(101)));
    // A time of day leaves an hour for clocks.
    let timed = |hours: i64| {
        let at = at("2026-03-01")
            .checked_add(jiff::SignedDuration::from_hours(24 + hours))
            .unwrap();
        let row = Entry {
            further: saying(|f| f.last_rotated = Some(Moment { at, has_time: true })),
            ..by_key("K-1", 1, &[])
        };
        of_key(&case(vec![from(1, 101, "2026-03-01")], vec![row]).run(), 1)
            .contains("rotation_unproven:high")
    };
    assert!(timed(2));
    assert!(!timed(1));
}

#[test]
fn only_a_row_in_use_claims_a_rotation() {
    let revoked = Entry {
        state: Some(State::Revoked),
        ..rotated("K-1", 1, "2026-05-01")
    };
    let flags = of_key(
        &case(vec![from(1, 101, "2024-03-01")], vec![revoked]).run(),
        1,
    );
    assert!(!flags.contains("rotation_unproven:high"));
    let created = Entry {
        created: Some(date("2026-05-01")),
        ..by_key("K-1", 1, &[])
    };
    let flags = of_key(
        &case(vec![from(1, 101, "2024-03-01")], vec![created]).run(),
        1,
    );
    assert!(flags.is_empty(), "{flags:?}");
}

#[test]
fn a_start_copied_from_the_authority_proves_nothing() {
    // kubeadm gives each certificate the start of its authority.
    let mut authority = cert(9, 190, "/etc/kubernetes/pki/ca.crt", "2034-01-01");
    let ca = facts(&mut authority);
    (ca.subject, ca.is_ca) = ("CN=CA".into(), true);
    ca.not_before = Some(at("2024-03-01"));
    let row = || vec![rotated("K-1", 1, "2026-05-01")];
    let flags = |leaf: Sighting| {
        let seen = vec![leaf, authority.clone()];
        of_key(&case(seen, row()).run(), 1).contains("rotation_unproven:high")
    };
    assert!(!flags(from(1, 101, "2024-03-01")));
    assert!(flags(from(1, 101, "2024-03-02")));
}

#[test]
fn dates_of_openpgp_keystores_and_ssh_certificates() {
    let mut pgp = sighting(Kind::PgpPublicKey, 1, "/home/ada/key.asc");
    pgp.pgp = Some(Box::new(Pgp {
        created: Some(at("2024-03-01")),
        ..Pgp::default()
    }));
    let mut stored = private(1, "/etc/app.jks");
    stored.rare_mut().created = Some(at("2024-03-01"));
    stored
        .location
        .change(|rare| rare.alias = Some("shop".into()));
    let mut ssh = sighting(Kind::SshCertificate, 1, "/etc/ssh/host-cert.pub");
    ssh.ssh = Some(Box::new(Ssh::from(RareSsh {
        valid_after: Some(at("2024-03-01")),
        ..RareSsh::default()
    })));
    for seen in [pgp, stored, ssh] {
        assert!(unproven(seen.clone(), "2024-03-04"), "{:?}", seen.kind);
        assert!(!unproven(seen.clone(), "2024-03-01"), "{:?}", seen.kind);
    }
}

#[test]
fn an_earlier_sweep_is_evidence() {
    let earlier = |day: &str, n: u8| {
        let mut old = sweep("web01", &["/"], vec![private(n, "/etc/a.key")], vec![]);
        old.header.started = at(day);
        old.end.as_mut().unwrap().finished = at(day);
        let rows = vec![rotated("K-1", 1, "2026-05-01")];
        let mut c = case(vec![private(1, "/etc/a.key")], rows);
        c.sweeps.push(old);
        let report = c.run();
        assert_eq!(report.sweeps.len(), 1, "the latest is judged");
        report
    };
    let report = earlier("2026-04-01", 1);
    assert!(of_key(&report, 1).contains("rotation_unproven:high"));
    assert!(why(&report, 1, Flag::RotationUnproven).contains("earlier sweep"));
    for (day, n) in [("2026-05-02", 1), ("2026-04-01", 2)] {
        let flags = of_key(&earlier(day, n), 1);
        assert!(!flags.contains("rotation_unproven:high"), "{day} {n}");
    }
    // So is the one that is judged, when the export says rotated after it.
    let rows = vec![rotated("K-1", 1, "2026-11-30")];
    let flags = of_key(&case(vec![private(1, "/etc/a.key")], rows).run(), 1);
    assert!(flags.contains("rotation_unproven:high"));
}

fn exported(mut c: Case, on: &str) -> Case {
    c.inventories[0].as_of = Some(at(on));
    c
}

#[test]
fn newer_than_the_inventory() {
    let key = || private(1, "/etc/ssl/private/shop.key");
    let flags = |seen: Vec<Sighting>| of_key(&exported(case(seen, vec![]), "2026-10-01").run(), 1);
    let new = || from(1, 101, "2026-10-02");
    assert_eq!(flags(vec![key(), new()]), set(&["unknown:low"]));
    assert_eq!(
        flags(vec![key(), from(1, 101, "2026-09-30")]),
        set(&["unknown:high"])
    );
    // A second, older certificate of the same key, or an older file that holds it.
    let older = from(1, 102, "2026-09-01");
    assert_eq!(flags(vec![key(), new(), older]), set(&["unknown:high"]));
    let dated = |on: &str| {
        let mut key = key();
        file(&mut key).modified = Some(at(on));
        key
    };
    assert_eq!(
        flags(vec![dated("2026-09-01"), new()]),
        set(&["unknown:high"])
    );
    assert_eq!(
        flags(vec![dated("2026-10-02"), new()]),
        set(&["unknown:low"])
    );
    // The date of a file alone proves nothing: whoever copies a key sets it.
    assert!(flags(vec![dated("2026-10-02")]).contains("unknown:high"));
    let report = exported(case(vec![key(), new()], vec![]), "2026-10-01").run();
    assert!(why(&report, 1, Flag::Unknown).contains("newer than the inventory"));
    let mut pgp = sighting(Kind::PgpSecretKey, 1, "/root/key.asc");
    pgp.pgp = Some(Box::new(Pgp {
        created: Some(at("2026-10-02")),
        ..Pgp::default()
    }));
    assert!(flags(vec![pgp]).contains("unknown:low"));
    // Of several exports the last counts, and only if each has a date.
    let mut two = exported(case(vec![key(), new()], vec![]), "2026-10-01");
    let second = Inventory {
        as_of: Some(at("2026-10-05")),
        ..two.inventories[0].clone()
    };
    two.inventories.push(second);
    assert_eq!(of_key(&two.run(), 1), set(&["unknown:high"]));
    let undated = case(vec![key(), new()], vec![]);
    assert_eq!(of_key(&undated.run(), 1), set(&["unknown:high"]));
}

#[test]
fn a_certificate_newer_than_the_inventory() {
    let flags = |start: &str| {
        let seen = vec![from(1, 101, start)];
        let row = by_cert("K-1", 150, &[]);
        let row = Entry {
            identifiers: vec![
                Identifier::CertSha256(digest(150)),
                Identifier::SpkiSha256(digest(1)),
            ]
            .into(),
            ..row
        };
        of_key(&exported(case(seen, vec![row]), "2026-10-01").run(), 1)
    };
    assert_eq!(flags("2026-10-02"), set(&["unknown_certificate:low"]));
    assert_eq!(flags("2026-09-30"), set(&["unknown_certificate:medium"]));
}
