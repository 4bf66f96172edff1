//! A renewal is one finding, however the generations of a certificate are kept.

use super::super::testing::*;
use crate::model::*;

const LIVE: &str = "/etc/letsencrypt/live/shop.example";
const ARCHIVE: &str = "/etc/letsencrypt/archive/shop.example";

/// A certificate of 90 days that starts on a day, at noon.
fn starts(n: u8, c: u8, path: &str, start: &str) -> Sighting {
    let mut s = cert(n, c, path, "2027-01-01");
    let from = at(start);
    facts(&mut s).not_before = Some(from);
    facts(&mut s).not_after = Some(
        from.checked_add(jiff::SignedDuration::from_hours(90 * 24))
            .unwrap(),
    );
    s
}

fn linked(mut s: Sighting, link: &str) -> Sighting {
    s.location.change(|rare| rare.links = [link.into()].into());
    s
}

/// Generation `g` as certbot keeps it: key `g`, certificate `100 + g`; the links point at the newest.
fn certbot(g: u8, newest: bool, start: &str) -> Vec<Sighting> {
    let one = |stem: &str| format!("{ARCHIVE}/{stem}{g}.pem");
    let mut crt = starts(g, 100 + g, &one("cert"), start);
    let mut key = private(g, &one("privkey"));
    if newest {
        crt = linked(crt, &format!("{LIVE}/cert.pem"));
        key = linked(key, &format!("{LIVE}/privkey.pem"));
    }
    vec![crt, key]
}

fn flags_without(report: &Report, n: u8, left_out: &str) -> std::collections::BTreeSet<String> {
    let mut flags = of_key(report, n);
    flags.retain(|f| !f.starts_with(left_out));
    flags
}

#[test]
fn certbots_generations() {
    let seen = || {
        [
            certbot(1, false, "2026-05-01"),
            certbot(2, false, "2026-07-01"),
            certbot(3, true, "2026-10-15"),
        ]
        .concat()
    };
    let row = |c: u8| {
        by_cert(
            "K-1",
            c,
            &["web01:/etc/letsencrypt/live/shop.example/cert.pem"],
        )
    };
    // The row still names the second: nothing is unknown, missing or misplaced.
    let report = case(seen(), vec![row(102)]).run();
    assert_eq!(of_key(&report, 3), set(&["renewed_unrecorded:info"]));
    assert_eq!(
        of_entry(&report, "K-1").0,
        EntryStatus::Matched,
        "the old one is kept in the archive"
    );
    assert_eq!(
        of_key(&report, 2),
        set(&["expired:info", "residual_private:info"])
    );
    assert_eq!(
        of_key(&report, 1),
        set(&["expired:info", "residual_private:info", "unknown:low"])
    );
    assert!(why(&report, 1, Flag::Unknown).contains("before the key that row K-1 names"));
    // Once it names the third, only history remains.
    let report = case(seen(), vec![row(103)]).run();
    assert_eq!(of_key(&report, 3), set(&[]));
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, set(&[])));
    for n in [1, 2] {
        assert!(of_key(&report, n).contains("unknown:low"), "{n}");
    }
    // A key of no lineage stays what it is.
    let stray = vec![
        private(9, "/tmp/a.key"),
        starts(9, 109, "/tmp/a.crt", "2026-07-01"),
    ];
    let report = case([seen(), stray].concat(), vec![row(103)]).run();
    assert!(of_key(&report, 9).contains("unknown:high"));
}

#[test]
fn another_issuer_of_one_lineage() {
    let mut seen = [
        certbot(1, false, "2026-05-01"),
        certbot(2, true, "2026-10-15"),
    ]
    .concat();
    facts(&mut seen[2]).issuer = "CN=Other CA".into();
    let place = &["web01:/etc/letsencrypt/live/shop.example/cert.pem"];
    let report = case(seen, vec![by_cert("K-1", 101, place)]).run();
    assert_eq!(of_key(&report, 2), set(&["renewed_unrecorded:medium"]));
    assert_eq!(
        flags_without(&report, 1, "residual"),
        set(&["expired:info"]),
        "superseded though the issuer differs"
    );
}

#[test]
fn kubelets_generations() {
    let pki = "/var/lib/kubelet/pki";
    let old = format!("{pki}/kubelet-client-2026-03-01-08-00-00.pem");
    let new = format!("{pki}/kubelet-client-2026-10-01-08-00-00.pem");
    let current = format!("{pki}/kubelet-client-current.pem");
    let seen = vec![
        starts(1, 101, &old, "2026-03-01"),
        private(1, &old),
        linked(starts(2, 102, &new, "2026-10-01"), &current),
        linked(private(2, &new), &current),
    ];
    let row = |c| {
        by_cert(
            "K-1",
            c,
            &["web01:/var/lib/kubelet/pki/kubelet-client-current.pem"],
        )
    };
    let report = case(seen.clone(), vec![row(101)]).run();
    assert_eq!(of_key(&report, 2), set(&["renewed_unrecorded:info"]));
    assert!(of_key(&report, 1).contains("expired:info"));
    assert!(!of_key(&report, 1).contains("misplaced:medium"));
    let report = case(seen, vec![row(102)]).run();
    assert_eq!(of_key(&report, 2), set(&[]));
    assert!(of_key(&report, 1).contains("unknown:low"));
}

#[test]
fn volumes_of_secrets() {
    let pod = "/var/lib/kubelet/pods/u/volumes/tls";
    let new = format!("{pod}/..2026_10_01_08_00_00.123456789/tls.crt");
    let seen = || {
        linked(
            starts(2, 102, &new, "2026-10-01"),
            &format!("{pod}/tls.crt"),
        )
    };
    let row = |c| Entry {
        further: saying(|f| f.subject = Some("CN=shop.example,O=Shop".into())),
        expires: Some(date("2026-12-01")),
        ..by_cert(
            "K-1",
            c,
            &["web01:/var/lib/kubelet/pods/u/volumes/tls/tls.crt"],
        )
    };
    let report = case(vec![seen()], vec![row(101)]).run();
    assert_eq!(of_key(&report, 2), set(&["renewed_unrecorded:info"]));
    let mut bare = seen();
    bare.location.change(|rare| rare.links = [].into());
    let report = case(vec![bare], vec![row(102)]).run();
    assert_eq!(
        flags_without(&report, 2, "mismatch"),
        set(&[]),
        "the directory of a generation is its place"
    );
}

#[test]
fn a_keystore_with_history() {
    let entry = |n: u8, alias: &str, start: &str| {
        let mut both = vec![
            starts(n, 100 + n, "/etc/app.p12", start),
            private(n, "/etc/app.p12"),
        ];
        for s in &mut both {
            s.location.change(|rare| rare.alias = Some(alias.into()));
        }
        both
    };
    let seen = [
        entry(1, "shop-old", "2026-05-01"),
        entry(2, "shop", "2026-10-15"),
    ]
    .concat();
    let report = case(seen, vec![by_cert("K-1", 101, &["web01:/etc/app.p12"])]).run();
    assert_eq!(of_key(&report, 2), set(&["renewed_unrecorded:info"]));
    assert_eq!(
        of_key(&report, 1),
        set(&["expired:info", "residual_private:info"])
    );
}

#[test]
fn renewed_before_its_end() {
    let place = &["web01:/etc/ssl/certs/shop.crt"];
    let path = "/etc/ssl/certs/shop.crt";
    let new = || {
        vec![
            starts(2, 102, path, "2026-11-20"),
            private(2, "/etc/ssl/private/shop.key"),
        ]
    };
    let row = |change: &dyn Fn(&mut Entry)| {
        let mut row = Entry {
            expires: Some(date("2026-12-20")),
            ..by_cert("K-1", 101, place)
        };
        change(&mut row);
        let report = case(new(), vec![row]).run();
        (of_key(&report, 2), of_entry(&report, "K-1"))
    };
    let renewed = set(&["renewed_unrecorded:info"]);
    let once = (renewed.clone(), (EntryStatus::AbsentAsExpected, renewed));
    // Any of the names that the row gives.
    assert_eq!(
        row(&|r| r.subject = Some("CN=shop.example,O=Shop".into())),
        once
    );
    assert_eq!(
        row(&|r| r.sans = vec!["Shop.Example".to_owned()].into()),
        once
    );
    assert_eq!(row(&|r| r.name = Some("shop.example".into())), once);
    // Without a name, or with another, it may be anything.
    let (flags, (status, _)) = row(&|_| {});
    assert_eq!(flags, set(&["unknown:high", "mismatch:medium"]));
    assert_eq!(status, EntryStatus::Ambiguous);
    let (flags, _) = row(&|r| r.subject = Some("CN=mail.example".into()));
    assert_eq!(flags, set(&["unknown:high", "mismatch:medium"]));
    // Not newer than what the row has.
    let (flags, _) = row(&|r| {
        r.name = Some("shop.example".into());
        r.expires = Some(date("2027-12-01"));
    });
    assert_eq!(flags, set(&["unknown:high", "mismatch:medium"]));
}

#[test]
fn a_second_certificate_of_one_name_is_no_renewal() {
    // The row's own is where it belongs; the newer one lies elsewhere.
    let seen = vec![
        starts(1, 101, "/etc/ssl/certs/shop.crt", "2026-10-01"),
        starts(2, 102, "/tmp/x/shop.crt", "2026-11-01"),
        private(2, "/tmp/x/shop.key"),
    ];
    let row = by_cert("K-1", 101, &["web01:/etc/ssl/certs/shop.crt"]);
    let report = case(seen.clone(), vec![row.clone()]).run();
    assert_eq!(of_key(&report, 2), set(&["unknown:high"]));
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, set(&[])));
    // It is when the own one is at no place of the row any more.
    let moved = by_cert("K-1", 101, &["web01:/etc/nginx/shop.crt"]);
    let report = case(seen, vec![moved]).run();
    assert_eq!(of_key(&report, 2), set(&["renewed_unrecorded:info"]));
    assert_eq!(of_key(&report, 1), set(&[]));
}

#[test]
fn each_host_has_its_own_renewal() {
    // The same names on two hosts: each row takes what lies on its host.
    let seen = |c: u8| {
        vec![
            starts(c, 100 + c, "/etc/new/node.crt", "2026-11-01"),
            private(c, "/etc/new/node.key"),
        ]
    };
    let row = |id: &str, c: u8, host: &str| Entry {
        further: saying(|f| f.subject = Some("CN=shop.example,O=Shop".into())),
        issuer: Some("CN=CA".into()),
        expires: Some(date("2026-12-01")),
        ..by_cert(id, c, &[&format!("{host}:/etc/old/node.crt")])
    };
    let rows = || vec![row("K-1", 151, "web01"), row("K-2", 152, "web02")];
    let report = case(seen(1), rows()).and("web02", seen(2)).run();
    for n in [1, 2] {
        assert_eq!(of_key(&report, n), set(&["renewed_unrecorded:info"]), "{n}");
        let id = format!("K-{n}");
        assert_eq!(
            report.keys[usize::from(n) - 1].flags[0].entry.as_deref(),
            Some(&*id)
        );
    }
    // The host of the second was not swept: its own may still be there.
    let report = case(seen(1), vec![row("K-2", 152, "web02")]).run();
    assert_eq!(of_key(&report, 1), set(&["unknown:high"]));
    assert_eq!(of_entry(&report, "K-2").0, EntryStatus::NotCovered);
}

#[test]
fn a_renewed_key_was_rotated() {
    let row = Entry {
        further: saying(|f| {
            f.subject = Some("CN=shop.example,O=Shop".into());
            f.last_rotated = Some(date("2025-01-01"));
            f.rotation_period_days = Some(365);
        }),
        expires: Some(date("2026-12-20")),
        ..by_cert("K-1", 101, &["web01:/etc/ssl/certs/shop.crt"])
    };
    let new = starts(2, 102, "/etc/ssl/certs/shop.crt", "2026-11-20");
    let report = case(vec![new], vec![row.clone()]).run();
    assert_eq!(
        of_entry(&report, "K-1").1,
        set(&["renewed_unrecorded:info"])
    );
    assert_eq!(
        report.summary.metrics["rotation"]["cannot_be_told"], 0,
        "gone as expected"
    );
    // With the same key it was not.
    let same = starts(1, 102, "/etc/ssl/certs/shop.crt", "2026-11-20");
    let row = Entry {
        identifiers: vec![
            Identifier::CertSha256(digest(101)),
            Identifier::SpkiSha256(digest(1)),
        ]
        .into(),
        ..row
    };
    let report = case(vec![same], vec![row]).run();
    assert!(
        of_entry(&report, "K-1")
            .1
            .contains("rotation_overdue:medium")
    );
}

/// Three hundred certificates with new keys on one day, against the inventory of the day before.
#[test]
fn a_day_with_three_hundred_renewals() {
    let wide = |n: u16| {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        Hex(bytes)
    };
    let (mut seen, mut rows) = (Vec::new(), Vec::new());
    for n in 0..300u16 {
        let name = format!("svc{n:03}.example");
        let path = format!("/etc/ssl/{name}.crt");
        let place = format!("web01:{path}");
        let generation = |g: u16, start: &str| {
            let id = wide(n * 2 + g);
            let mut crt = starts(0, 0, &path, start);
            crt.key_id = Some(KeyId::Spki(id));
            crt.fingerprints = Fingerprints {
                spki_sha256: Some(id),
                cert_sha256: Some(wide(1000 + n * 2 + g)),
                ..Fingerprints::default()
            }
            .into();
            let told = facts(&mut crt);
            told.subject = format!("CN={name}").into();
            told.sans = [format!("DNS:{name}")].into();
            told.serial = format!("{:032x}", u32::from(n) * 2 + u32::from(g) + (1 << 20)).into();
            crt
        };
        let new = generation(1, "2026-11-23");
        let mut key = private(0, &path.replace(".crt", ".key"));
        key.key_id.clone_from(&new.key_id);
        key.fingerprints
            .change(|f| f.spki_sha256 = new.fingerprints.spki_sha256());
        seen.extend([new, key]);
        let old = Identifier::CertSha256(wide(1000 + n * 2));
        rows.push(Entry {
            kind: Some(EntryKind::Certificate),
            name: Some(name.into()),
            expires: Some(date("2026-12-20")),
            ..entry(&format!("K-{n}"), vec![old], &[&place])
        });
    }
    let report = case(seen, rows).run();
    let count = |flag| report.summary.flags.get(&flag).copied().unwrap_or(0);
    assert_eq!(count(Flag::RenewedUnrecorded), 300);
    assert_eq!(report.summary.flags.len(), 1, "{:?}", report.summary.flags);
    assert_eq!(report.summary.severities[&Severity::Info], 300);
}
