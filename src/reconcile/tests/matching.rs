//! Which rows match which keys, and what is said where none does.

use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/ssl/certs/shop.crt";
const FAR: &str = "2027-08-01";

#[test]
fn unknown_by_what_was_seen() {
    let mut ca = cert(1, 101, "/opt/app/ca.pem", FAR);
    facts(&mut ca).is_ca = true;
    let mut anchor = cert(1, 101, "/usr/local/share/ca-certificates/corp.crt", FAR);
    facts(&mut anchor).is_ca = true;
    let vendor = Sighting {
        class: Class::Vendor,
        ..private(1, "/usr/share/doc/x/key.pem")
    };
    let request = sighting(Kind::CertificateRequest, 1, "/root/a.csr");
    for (seen, expected) in [
        (private(1, "/root/a.key"), "unknown:high"),
        (grant(1, "/root/.ssh/authorized_keys"), "unknown:high"),
        (cert(1, 101, CRT, FAR), "unknown:medium"),
        (anchor, "unknown:medium"),
        (ca, "unknown:low"),
        (
            sighting(Kind::PgpPublicKey, 1, "/root/a.asc"),
            "unknown:low",
        ),
        (
            sighting(Kind::KnownHost, 1, "/root/.ssh/known_hosts"),
            "unknown:info",
        ),
        (sighting(Kind::PublicKey, 1, "/root/a.pub"), "unknown:info"),
        (request, "unknown:info"),
        (vendor, "unknown:info"),
    ] {
        let report = case(vec![seen.clone()], vec![]).run();
        assert!(
            of_key(&report, 1).contains(expected),
            "{:?} {:?}",
            seen.kind,
            of_key(&report, 1)
        );
    }
}

#[test]
fn without_an_inventory_nothing_is_unknown() {
    let mut bare = case(
        vec![private(1, "/root/a.key"), cert(1, 101, CRT, FAR)],
        vec![],
    );
    bare.inventories.clear();
    assert_eq!(of_key(&bare.run(), 1), set(&[]));
}

#[test]
fn every_strong_identifier_matches() {
    let mut seen = cert(1, 101, CRT, FAR);
    seen.fingerprints
        .change(|f| f.cert_md5 = Some(Hex([7; 16])));
    seen.fingerprints
        .change(|f| f.jwk_thumbprint = Some(JwkThumbprint([5; 32])));
    // base64 of 32 times 0x21, and colons, as ssh-keygen writes them
    seen.fingerprints.change(|f| {
        f.ssh_sha256 = Some(
            "SHA256:ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE"
                .parse()
                .unwrap(),
        )
    });
    seen.fingerprints.change(|f| {
        f.ssh_md5 = Some(
            "MD5:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22"
                .parse()
                .unwrap(),
        )
    });
    seen.fingerprints.change(|f| f.keygrip = Some(Hex([9; 20])));
    for (identifier, by) in [
        (Identifier::KeyId(key_id(1)), "spki_sha256"),
        (Identifier::SpkiSha256(digest(1)), "spki_sha256"),
        (Identifier::CertOrSpkiSha256(digest(1)), "spki_sha256"),
        (Identifier::CertOrSpkiSha256(digest(101)), "cert_sha256"),
        (Identifier::CertSha256(digest(101)), "cert_sha256"),
        (Identifier::CertSha1(Hex([101; 20])), "cert_sha1"),
        (Identifier::Sha1OrPgp(Hex([101; 20])), "cert_sha1"),
        (Identifier::Sha1OrPgp(Hex([9; 20])), "keygrip"),
        (Identifier::Md5(Hex([7; 16])), "cert_md5"),
        (Identifier::Md5(Hex([0x22; 16])), "ssh_md5"),
        (Identifier::SshMd5(Hex([0x22; 16])), "ssh_md5"),
        (Identifier::SshSha256(digest(0x21)), "ssh_sha256"),
        (
            Identifier::JwkThumbprint(JwkThumbprint([5; 32]).to_string().into()),
            "jwk_thumbprint",
        ),
        (
            Identifier::IssuerSerial {
                issuer: "/CN=ca".into(),
                serial: "FF:00:00:00:00:00:00:65".into(),
            },
            "issuer_serial",
        ),
    ] {
        let report = case(
            vec![seen.clone()],
            vec![entry("K-1", vec![identifier.clone()], &[])],
        )
        .run();
        assert_eq!(
            report.keys[0].matched_by.as_deref(),
            Some(by),
            "{identifier:?}"
        );
        assert_eq!(report.keys[0].entries, ["K-1"]);
        assert_eq!(
            of_entry(&report, "K-1"),
            (EntryStatus::Matched, set(&[])),
            "{identifier:?}"
        );
        assert_eq!(report.entries[0].keys, [key_id(1)]);
    }
    let spki_as_encoded = Sighting {
        key_id: Some(key_id(2)),
        ..cert(1, 101, CRT, FAR)
    };
    for n in [1, 2] {
        let report = case(vec![spki_as_encoded.clone()], vec![by_key("K-1", n, &[])]).run();
        assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Matched);
    }
}

#[test]
fn a_row_for_a_certificate_covers_its_key() {
    let seen = vec![private(1, KEY), cert(1, 101, CRT, FAR)];
    let report = case(
        seen,
        vec![by_cert("K-1", 101, &["web01:/etc/ssl/certs/shop.crt"])],
    )
    .run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(
        report.summary.metrics["own_keys"],
        serde_json::json!({ "registered": 1, "total": 1 })
    );
}

#[test]
fn a_serial_alone_is_strong_only_when_long_unique_and_confirmed() {
    let seen = cert(1, 101, CRT, FAR);
    let row = |change: &dyn Fn(&mut Entry)| {
        let mut row = entry(
            "K-1",
            vec![Identifier::Serial("ff00000000000065".into())],
            &[],
        );
        row.expires = Some(date(FAR));
        change(&mut row);
        row
    };
    let confirmed = case(vec![seen.clone()], vec![row(&|_| ())]).run();
    assert_eq!(confirmed.keys[0].matched_by.as_deref(), Some("serial"));
    let decimal =
        row(&|r| r.identifiers = vec![Identifier::Serial("18374686479671623781".into())].into());
    let by_subject = row(&|r| {
        r.expires = None;
        r.subject = Some("/O=shop/CN=shop.example".into());
    });
    for strong in [decimal, by_subject] {
        assert_eq!(
            of_entry(&case(vec![seen.clone()], vec![strong]).run(), "K-1").0,
            EntryStatus::Matched
        );
    }
    let unconfirmed = case(vec![seen.clone()], vec![row(&|r| r.expires = None)]).run();
    assert_eq!(
        of_entry(&unconfirmed, "K-1"),
        (EntryStatus::Ambiguous, set(&["ambiguous:low"]))
    );
    assert_eq!(of_key(&unconfirmed, 1), set(&["ambiguous:low"]));
    let twice = case(
        vec![seen.clone()],
        vec![row(&|_| ()), row(&|r| r.id = "K-2".into())],
    )
    .run();
    assert_eq!(of_entry(&twice, "K-1").0, EntryStatus::Ambiguous);
    let mut other = cert(2, 102, "/etc/other.crt", FAR);
    facts(&mut other).serial = "ff00000000000065".into();
    let shared = case(vec![seen.clone(), other], vec![row(&|_| ())]).run();
    assert_eq!(of_entry(&shared, "K-1").0, EntryStatus::Ambiguous);
    let mut short = cert(1, 101, CRT, FAR);
    facts(&mut short).serial = "7fffffffffffffff".into();
    let short_row =
        row(&|r| r.identifiers = vec![Identifier::Serial("7fffffffffffffff".into())].into());
    assert_eq!(
        of_entry(&case(vec![short], vec![short_row]).run(), "K-1").0,
        EntryStatus::Ambiguous
    );
}

#[test]
fn weak_identifiers_are_ambiguous_instead_of_unknown() {
    let with_ski = |mut s: Sighting| {
        s.fingerprints.change(|f| f.ski = Some("aabb".into()));
        s
    };
    let ski = || entry("K-1", vec![Identifier::Ski("AA:BB".into())], &[]);
    let report = case(vec![with_ski(cert(1, 101, CRT, FAR))], vec![ski()]).run();
    assert_eq!(of_key(&report, 1), set(&["ambiguous:low"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
    let report = case(
        vec![with_ski(private(1, KEY)), cert(1, 101, CRT, FAR)],
        vec![ski()],
    )
    .run();
    assert_eq!(of_key(&report, 1), set(&["ambiguous:medium"]));
    // By its place alone, by subject alone, by name alone.
    let by_place = entry("K-1", vec![], &["web01:/etc/ssl/private/shop.key"]);
    let by_subject = Entry {
        further: saying(|f| f.subject = Some("shop.example".into())),
        ..entry("K-1", vec![], &[])
    };
    let by_name = Entry {
        name: Some("Shop.Example".into()),
        ..entry("K-1", vec![], &[])
    };
    for weak in [by_place, by_subject, by_name] {
        let report = case(
            vec![private(1, KEY), cert(1, 101, CRT, FAR)],
            vec![weak.clone()],
        )
        .run();
        assert_eq!(of_key(&report, 1), set(&["ambiguous:medium"]), "{weak:?}");
        assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
        assert!(report.keys[0].entries.is_empty());
    }
}

#[test]
fn a_strong_identifier_of_another_key_contradicts() {
    let mut seen = cert(1, 101, CRT, FAR);
    seen.fingerprints.change(|f| f.ski = Some("aabb".into()));
    let both = vec![
        Identifier::Ski("aabb".into()),
        Identifier::SpkiSha256(digest(9)),
    ];
    let report = case(vec![seen], vec![entry("K-1", both, &["web01:/elsewhere"])]).run();
    assert_eq!(of_key(&report, 1), set(&["unknown:medium"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Missing);
    // One row whose identifiers name two keys.
    let torn = vec![
        Identifier::SpkiSha256(digest(1)),
        Identifier::CertSha256(digest(102)),
    ];
    let seen = vec![cert(1, 101, CRT, FAR), cert(2, 102, "/etc/b.crt", FAR)];
    let report = case(seen, vec![entry("K-1", torn, &[])]).run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
    assert_eq!(of_key(&report, 1), set(&["ambiguous:low"]));
    // Two identifiers of one kind are a row for two things.
    let two = vec![
        Identifier::CertSha256(digest(101)),
        Identifier::CertSha256(digest(102)),
    ];
    let mut other = cert(2, 102, "/etc/b.crt", FAR);
    facts(&mut other).subject = "CN=b".into();
    let report = case(
        vec![cert(1, 101, CRT, FAR), other],
        vec![entry("K-1", two, &[])],
    )
    .run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Matched);
    assert_eq!(report.entries[0].keys, [key_id(1), key_id(2)]);
}

fn opaque(path: &str) -> Sighting {
    Sighting {
        key_id: Some(KeyId::Opaque(digest(77))),
        fingerprints: PackedFingerprints::default(),
        protection: Some(Protection::Encrypted),
        ..private(77, path)
    }
}

#[test]
fn closed_keys() {
    let id = KeyId::Opaque(digest(77));
    let crt = cert(1, 101, "/etc/tls/shop.crt", FAR);
    // Beside a certificate of the same stem, whose key is known.
    let report = case(
        vec![opaque("/etc/tls/shop.key"), crt.clone()],
        vec![by_cert("K-1", 101, &[])],
    )
    .run();
    assert_eq!(of_id(&report, &id), set(&["ambiguous:medium"]));
    assert_eq!(
        report.keys[0].sightings[0].probable_key.as_deref(),
        Some(&key_id(1))
    );
    assert_eq!(
        of_entry(&report, "K-1"),
        (EntryStatus::Matched, set(&["ambiguous:medium"]))
    );
    // Whose key is not known; beside none.
    let report = case(vec![opaque("/etc/tls/shop.key"), crt.clone()], vec![]).run();
    assert_eq!(of_id(&report, &id), set(&["unknown:high"]));
    let report = case(
        vec![opaque("/etc/tls/mail.key"), crt],
        vec![by_cert("K-1", 101, &[])],
    )
    .run();
    assert_eq!(of_id(&report, &id), set(&["unknown:high", "unpaired:info"]));
    // An entry points at it.
    let points = by_key("K-2", 9, &["web01:/etc/tls/mail.key"]);
    let report = case(vec![opaque("/etc/tls/mail.key")], vec![points]).run();
    assert_eq!(
        of_id(&report, &id),
        set(&["ambiguous:medium", "unpaired:info"])
    );
    assert_eq!(of_entry(&report, "K-2").0, EntryStatus::Ambiguous);
    // An entry that was found by another of its places points at it too.
    let both = by_cert(
        "K-1",
        101,
        &["web01:/etc/tls/shop.crt", "web01:/etc/tls/mail.key"],
    );
    let seen = vec![
        opaque("/etc/tls/mail.key"),
        cert(1, 101, "/etc/tls/shop.crt", FAR),
    ];
    let report = case(seen, vec![both]).run();
    assert_eq!(
        of_id(&report, &id),
        set(&["ambiguous:medium", "unpaired:info"])
    );
    assert_eq!(
        of_entry(&report, "K-1"),
        (EntryStatus::Matched, set(&["ambiguous:medium"]))
    );
    // An entry for a directory in which it lies: no conclusion.
    let report = case(
        vec![opaque("/etc/tls/mail.key")],
        vec![by_key("K-3", 9, &["web01:/etc/tls/*"])],
    )
    .run();
    assert_eq!(
        of_entry(&report, "K-3"),
        (EntryStatus::NotCovered, set(&["not_covered:info"]))
    );
}

#[test]
fn forty_digits_may_be_a_subject_key_identifier() {
    let mut seen = cert(1, 101, CRT, FAR);
    seen.fingerprints
        .change(|f| f.ski = Some("55".repeat(20).into()));
    let row = entry("K-1", vec![Identifier::Sha1OrPgp(Hex([0x55; 20]))], &[]);
    let report = case(vec![seen], vec![row]).run();
    assert_eq!(of_key(&report, 1), set(&["ambiguous:low"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
}

#[test]
fn issuer_and_serial_by_the_issuers_common_name() {
    let named = |issuer: &str| Identifier::IssuerSerial {
        issuer: issuer.into(),
        serial: "ff00000000000065".into(),
    };
    let mut seen = cert(1, 101, CRT, FAR);
    facts(&mut seen).issuer = "CN=R3,O=Let's Encrypt,C=US".into();
    for (issuer, status) in [
        ("R3", EntryStatus::Matched),
        ("/C=US/O=Let's Encrypt/CN=R3", EntryStatus::Matched),
        ("CN=R3", EntryStatus::Matched),
        ("CN=R4,O=Let's Encrypt,C=US", EntryStatus::Unlocated),
    ] {
        let report = case(
            vec![seen.clone()],
            vec![entry("K-1", vec![named(issuer)], &[])],
        )
        .run();
        assert_eq!(of_entry(&report, "K-1").0, status, "{issuer}");
    }
}

#[test]
fn a_short_serial_of_another_subject_is_no_evidence() {
    let mut seen = cert(1, 101, CRT, FAR);
    facts(&mut seen).serial = "1".into();
    let row = |subject: &str| Entry {
        further: saying(|f| f.subject = Some(subject.into())),
        ..entry("K-1", vec![Identifier::Serial("01".into())], &[])
    };
    let status = |r: Entry| of_entry(&case(vec![seen.clone()], vec![r]).run(), "K-1").0;
    assert_eq!(
        status(row("CN=shop.example,O=Shop")),
        EntryStatus::Ambiguous
    );
    assert_eq!(status(row("CN=mail.example")), EntryStatus::Unlocated);
}

#[test]
fn a_closed_keys_own_file_comes_before_its_neighbours() {
    let probable = |seen: Vec<Sighting>| {
        let report = case(seen, vec![]).run();
        let mut all = report.keys.into_iter().flat_map(|k| k.sightings);
        all.find(|s| s.kind == Kind::PrivateKey)
            .unwrap()
            .probable_key
    };
    let pem = || opaque("/etc/tls/shop.pem");
    let inside = || cert(1, 101, "/etc/tls/shop.pem", FAR);
    let beside = |n| cert(n, 100 + n, "/etc/tls/shop.crt", FAR);
    assert_eq!(
        probable(vec![pem(), inside(), beside(2)]),
        Some(Box::new(key_id(1)))
    );
    assert_eq!(probable(vec![pem(), beside(2)]), Some(Box::new(key_id(2))));
    assert_eq!(
        probable(vec![pem(), beside(2), beside(3)]),
        None,
        "two are no evidence"
    );
    let mut issuer = beside(3);
    facts(&mut issuer).is_ca = true;
    assert_eq!(
        probable(vec![pem(), beside(2), issuer]),
        Some(Box::new(key_id(2)))
    );
    let elsewhere = cert(2, 102, "/etc/other/shop.crt", FAR);
    assert_eq!(probable(vec![pem(), elsewhere]), None);
}

#[test]
fn policy_sets_severities() {
    let mut c = case(vec![private(1, "/root/a.key")], vec![]);
    c.policy
        .severities
        .insert(Flag::Unknown, Severity::Critical);
    assert_eq!(of_key(&c.run(), 1), set(&["unknown:critical"]));
}

/// A file of one name lies on each host of an estate; what lies at it on the row's own host is meant.
#[test]
fn one_path_on_many_hosts() {
    let path = "/etc/tls/site.key";
    let mut seen = case(
        vec![private(200, path)],
        vec![entry("K-1", vec![], &["web01:/etc/tls/site.key"])],
    );
    for n in 0..150 {
        seen = seen
            .and(&format!("app{n}"), vec![private(n, path)])
            .and(&format!("db{n}"), vec![private(n, path)]);
    }
    let report = seen.run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
    let of_host = of_key(&report, 200);
    assert!(of_host.iter().any(|f| f.starts_with("ambiguous")));
    let others = report.keys.iter().filter(|k| k.key_id != key_id(200));
    let flags = others.flat_map(|k| &k.flags).map(|f| f.flag);
    assert_eq!(flags.filter(|f| *f == Flag::Ambiguous).count(), 0);
}
