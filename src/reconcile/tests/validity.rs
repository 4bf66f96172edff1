//! Ends of certificates, grants and rows.

use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/tls/shop.crt";
const FAR: &str = "2027-08-01";

fn valid(from: &str, until: &str) -> Sighting {
    let mut s = cert(1, 101, CRT, until);
    facts(&mut s).not_before = Some(at(from));
    s
}

#[test]
fn the_end_of_a_certificate() {
    // Judged on 2026-11-24 at 10:00; 30 days reach to 2026-12-24 at 10:00.
    for (from, until, expected) in [
        ("2025-11-24", "2026-11-24T09:59:59Z", Some("expired:high")),
        (
            "2025-11-24",
            "2026-11-24T10:00:00Z",
            Some("expiring:medium"),
        ),
        (
            "2025-12-24",
            "2026-12-24T10:00:00Z",
            Some("expiring:medium"),
        ),
        ("2025-12-24", "2026-12-24T10:00:01Z", None),
        // 90 days: a quarter is 22.5 days.
        (
            "2026-09-18T10:00:00Z",
            "2026-12-17T10:00:00Z",
            Some("expiring:info"),
        ),
        (
            "2026-09-17T10:00:00Z",
            "2026-12-16T10:00:00Z",
            Some("expiring:medium"),
        ),
        ("2026-11-25", "2027-11-25", Some("not_yet_valid:low")),
        ("2026-11-24T10:00:00Z", "2027-11-25", None),
    ] {
        let expected = expected.map(|e| set(&[e])).unwrap_or_default();
        // 2026-12-16 is 22 days ahead, less than a quarter of 90; 2026-12-17 is 23.
        assert_eq!(alone(vec![valid(from, until)]), expected, "{from} {until}");
    }
    let mut c = case(vec![valid("2025-01-31", "2026-01-31")], vec![]);
    c.inventories.clear();
    let report = c.run();
    let short = "65".repeat(4);
    assert_eq!(
        why(&report, 1, Flag::Expired),
        format!("certificate {short}… (CN=shop.example,O=Shop) expired 2026-01-31, 297 days ago")
    );
    assert_eq!(report.keys[0].flags[0].certificate(), Some(digest(0x65)));
    assert_eq!(report.keys[0].flags[0].entry, None);
}

/// A precertificate has key, serial, names and dates of the certificate that it announces, and is never in force itself.
#[test]
fn precertificates() {
    let real = cert(1, 101, CRT, FAR);
    let mut announced = cert(1, 102, "/var/lib/ct/pre.crt", FAR);
    facts(&mut announced).serial = real.certificate.as_ref().unwrap().serial.clone();
    facts(&mut announced).precertificate = true;
    let two = || vec![real.clone(), announced.clone()];
    // Its digest is in no row, and need not be.
    let report = case(two(), vec![by_cert("K-1", 101, &[])]).run();
    assert_eq!(of_key(&report, 1), set(&[]));
    let status = |report: &Report, path: &str| {
        let mut sightings = report.keys.iter().flat_map(|k| &k.sightings);
        let found = sightings.find(|s| s.location.path == path).unwrap();
        found.certificate.as_ref().unwrap().status
    };
    assert_eq!(status(&report, CRT), Some(CertificateStatus::Current));
    let historic = Some(CertificateStatus::Historic);
    assert_eq!(status(&report, "/var/lib/ct/pre.crt"), historic);
    // Its serial does not make that of the certificate ambiguous.
    let mut row = by_cert("K-1", 101, &[]);
    row.identifiers = vec![Identifier::Serial("ff00000000000065".into())].into();
    row.expires = Some(date(FAR));
    let report = case(two(), vec![row]).run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(report.keys[0].matched_by.as_deref(), Some("serial"));

    // One that begins later replaces nothing.
    let mut later = announced.clone();
    facts(&mut later).not_before = Some(at("2026-10-01"));
    facts(&mut later).not_after = Some(at("2028-10-01"));
    let mut ended = real.clone();
    facts(&mut ended).not_after = Some(at("2026-11-01"));
    assert_eq!(alone(vec![ended.clone(), later]), set(&["expired:high"]));
    // And what stays behind a certificate does not lose weight by its precertificate.
    let key = private(1, KEY);
    facts(&mut announced).not_after = Some(at("2026-11-01"));
    let report = case(
        vec![key, ended, announced.clone()],
        vec![by_key("K-1", 1, &[])],
    )
    .run();
    assert!(
        of_key(&report, 1).contains("residual_private:medium"),
        "{:?}",
        of_key(&report, 1)
    );
    facts(&mut announced).not_after = Some(at("2026-11-01"));
    assert_eq!(alone(vec![announced]), set(&["expired:info"]));
}

#[test]
fn superseded_and_historic_ends_are_info() {
    let old = cert(1, 101, "/etc/tls/old.crt", "2026-10-01");
    let same_key = cert(1, 102, "/etc/tls/new.crt", FAR);
    assert_eq!(alone(vec![old.clone(), same_key]), set(&["expired:info"]));
    // Another key: the same subject, names and issuer replace; other names or issuers do not.
    let new = cert(2, 102, "/srv/new.crt", FAR);
    assert_eq!(
        alone(vec![old.clone(), new.clone()]),
        set(&["expired:info"])
    );
    for change in [
        (|c: &mut Certificate| c.issuer = "CN=Other".into()) as fn(&mut Certificate),
        |c| c.subject = "CN=other".into(),
        |c| c.sans = ["DNS:other".to_owned()].into(),
        |c| c.not_before = Some(at("2020-01-01")),
    ] {
        let mut other = new.clone();
        change(facts(&mut other));
        assert_eq!(alone(vec![old.clone(), other]), set(&["expired:high"]));
    }
    // Seen there: on another host it replaces nothing here.
    let mut c = case(vec![old.clone()], vec![]).and("web02", vec![new.clone()]);
    c.inventories.clear();
    assert_eq!(of_key(&c.run(), 1), set(&["expired:high"]));
    // Recorded.
    let row = Entry {
        further: saying(|f| f.subject = Some("CN=shop.example,O=Shop".into())),
        issuer: Some("CN=CA".into()),
        expires: Some(date(FAR)),
        ..by_cert("K-1", 102, &[])
    };
    assert!(of_key(&case(vec![old.clone()], vec![row]).run(), 1).contains("expired:info"));
    let by_key = Entry {
        identifiers: vec![
            Identifier::SpkiSha256(digest(1)),
            Identifier::CertSha1(Hex([102; 20])),
        ]
        .into(),
        expires: Some(date(FAR)),
        ..by_cert("K-1", 0, &[])
    };
    assert!(of_key(&case(vec![old.clone()], vec![by_key]).run(), 1).contains("expired:info"));
    // In an archive only, but not in a program.
    let member = |path: &str| {
        let mut s = old.clone();
        s.location.path = path.into();
        let inside = [Member {
            container: "zip".into(),
            name: Some("a.crt".to_owned()),
            name_bytes: None,
            offset: None,
        }]
        .into();
        s.location.change(|rare| rare.inside = inside);
        s
    };
    assert_eq!(alone(vec![member("/srv/a.zip")]), set(&["expired:info"]));
    assert_eq!(
        alone(vec![member("/srv/a.zip"), old.clone()]),
        set(&["expired:high"])
    );
    assert_eq!(alone(vec![member("/srv/app.jar")]), set(&["expired:high"]));
    // In a layer that an image runs from, unless a later one removes it from every image.
    let layer = |removed: &[Option<Removed>]| {
        let mut s = old.clone();
        let inside = [
            Member::named("layer", b"sha256:00"),
            Member::named("gzip", b""),
            Member::named("tar", b"etc/a.crt"),
        ]
        .into();
        s.location.change(|rare| rare.inside = inside);
        let images = removed.iter().map(|removed| Image {
            removed: *removed,
            ..Image::default()
        });
        s.rare_mut().images = Some(images.collect());
        s
    };
    let (deleted, replaced) = (Some(Removed::Deleted), Some(Removed::Replaced));
    assert_eq!(alone(vec![layer(&[None])]), set(&["expired:high"]));
    assert_eq!(alone(vec![layer(&[deleted])]), set(&["expired:info"]));
    assert_eq!(
        alone(vec![layer(&[deleted, replaced])]),
        set(&["expired:info"])
    );
    assert_eq!(alone(vec![layer(&[None, deleted])]), set(&["expired:high"]));
    // A saved image is an archive.
    let mut saved = layer(&[None]);
    let mut inside = saved.location.inside().to_vec();
    inside.insert(0, Member::named("tar", b"layer.tar"));
    saved.location.change(|rare| rare.inside = inside.into());
    assert_eq!(alone(vec![saved]), set(&["expired:info"]));
    // A plain directory of a layer.
    let mut plain = layer(&[deleted]);
    plain.location.change(|rare| rare.inside = [].into());
    assert_eq!(alone(vec![plain]), set(&["expired:info"]));
    let anchor = Sighting {
        class: Class::TrustAnchor,
        ..old
    };
    assert_eq!(alone(vec![anchor]), set(&["expired:info"]));
}

#[test]
fn self_signed_namesakes_replace_one_another_in_one_directory_only() {
    let make = |n: u8, c: u8, path: &str, end: &str| {
        let mut s = cert(n, c, path, end);
        facts(&mut s).issuer = (&*facts(&mut s).subject).into();
        s
    };
    let old = make(1, 101, "/etc/a/x.crt", "2026-10-01");
    assert_eq!(
        alone(vec![old.clone(), make(2, 102, "/etc/a/y.crt", FAR)]),
        set(&["expired:info"])
    );
    assert_eq!(
        alone(vec![old, make(2, 102, "/etc/b/x.crt", FAR)]),
        set(&["expired:high"])
    );
}

#[test]
fn ends_of_ssh_certificates_and_grants() {
    let ends = |kind: Kind, path: &str, end: &str| {
        let mut s = grant(1, path);
        s.kind = kind;
        s.ssh = Some(Box::new(Ssh::from(RareSsh {
            valid_after: Some(at("2026-01-01")),
            valid_before: Some(at(end)),
            ..RareSsh::default()
        })));
        s
    };
    let file = "/home/a/.ssh/authorized_keys";
    assert_eq!(
        alone(vec![ends(Kind::AuthorizedKey, file, "2026-11-01")]),
        set(&["expired:high"])
    );
    assert_eq!(alone(vec![ends(Kind::AuthorizedKey, file, FAR)]), set(&[]));
    let old = ends(
        Kind::SshCertificate,
        "/home/a/.ssh/old-cert.pub",
        "2026-11-01",
    );
    let new = ends(Kind::SshCertificate, "/home/a/.ssh/new-cert.pub", FAR);
    assert_eq!(alone(vec![old.clone()]), set(&["expired:high"]));
    assert_eq!(alone(vec![old, new]), set(&["expired:info"]));
}

#[test]
fn a_row_decides_only_where_no_certificate_was_seen() {
    let row = |end: &str| Entry {
        expires: Some(date(end)),
        ..by_key("K-1", 1, &[])
    };
    let bare = || vec![grant(1, "/root/.ssh/authorized_keys")];
    for (end, expected) in [
        ("2026-11-23", set(&["expired:high"])),
        ("2026-11-24", set(&["expiring:medium"])),
        (FAR, set(&[])),
    ] {
        let report = case(bare(), vec![row(end)]).run();
        assert_eq!(of_key(&report, 1), expected, "{end}");
        assert_eq!(of_entry(&report, "K-1").1, expected);
    }
    let seen = vec![cert(1, 101, CRT, FAR)];
    assert_eq!(
        of_key(&case(seen, vec![row("2026-11-23")]).run(), 1),
        set(&["mismatch:medium"])
    );
}

#[test]
fn private_keys_whose_certificates_have_ended() {
    let public = sighting(Kind::PublicKey, 1, "/etc/tls/a.pub");
    let old = || cert(1, 101, CRT, "2026-10-01");
    assert_eq!(
        alone(vec![private(1, KEY), old()]),
        set(&["expired:high", "residual_private:medium"])
    );
    assert_eq!(
        alone(vec![private(1, KEY), cert(1, 101, CRT, FAR)]),
        set(&[])
    );
    assert_eq!(
        alone(vec![private(1, KEY), public]),
        set(&[]),
        "no certificate is known"
    );
    assert_eq!(
        alone(vec![old()]),
        set(&["expired:high"]),
        "no private key remains"
    );
    let live = cert(1, 102, "/srv/b.crt", FAR);
    assert_eq!(
        alone(vec![private(1, KEY), old(), live]),
        set(&["expired:info"])
    );
    let mut closing = old();
    facts(&mut closing).key_usage = ["keyEncipherment".into()].into();
    assert_eq!(
        alone(vec![private(1, KEY), closing]),
        set(&["expired:high"]),
        "it only decrypts"
    );
    let replaced = cert(2, 102, "/srv/b.crt", FAR);
    assert_eq!(
        alone(vec![private(1, KEY), old(), replaced]),
        set(&["expired:info", "residual_private:info"])
    );
    // A certificate that only an entry knows.
    let row = Entry {
        expires: Some(date(FAR)),
        ..by_key("K-1", 1, &[])
    };
    let flags = of_key(&case(vec![private(1, KEY), old()], vec![row]).run(), 1);
    assert!(
        !flags.iter().any(|f| f.starts_with("residual")),
        "{flags:?}"
    );
}
