//! Flags that rest on matching a key with rows.

use super::super::testing::*;
use crate::model::*;
use crate::policy::Standing;
use std::collections::BTreeMap;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/ssl/certs/shop.crt";
const FAR: &str = "2027-08-01";

#[test]
fn unknown_by_what_was_seen() {
    let mut ca = cert(1, 101, "/opt/app/ca.pem", FAR);
    facts(&mut ca).is_ca = true;
    let mut anchor = cert(1, 101, "/usr/local/share/ca-certificates/corp.crt", FAR);
    facts(&mut anchor).is_ca = true;
    let vendor = Sighting { class: Class::Vendor, ..private(1, "/usr/share/doc/x/key.pem") };
    let request = sighting(Kind::CertificateRequest, 1, "/root/a.csr");
    for (seen, expected) in [
        (private(1, "/root/a.key"), "unknown:high"),
        (grant(1, "/root/.ssh/authorized_keys"), "unknown:high"),
        (cert(1, 101, CRT, FAR), "unknown:medium"),
        (anchor, "unknown:medium"),
        (ca, "unknown:low"),
        (sighting(Kind::PgpPublicKey, 1, "/root/a.asc"), "unknown:low"),
        (sighting(Kind::KnownHost, 1, "/root/.ssh/known_hosts"), "unknown:info"),
        (sighting(Kind::PublicKey, 1, "/root/a.pub"), "unknown:info"),
        (request, "unknown:info"),
        (vendor, "unknown:info"),
    ] {
        let report = case(vec![seen.clone()], vec![]).run();
        assert!(of_key(&report, 1).contains(expected), "{:?} {:?}", seen.kind, of_key(&report, 1));
    }
}

#[test]
fn without_an_inventory_nothing_is_unknown() {
    let mut bare = case(vec![private(1, "/root/a.key"), cert(1, 101, CRT, FAR)], vec![]);
    bare.inventories.clear();
    assert_eq!(of_key(&bare.run(), 1), set(&[]));
}

#[test]
fn every_strong_identifier_matches() {
    let mut seen = cert(1, 101, CRT, FAR);
    seen.fingerprints.cert_md5 = Some(Hex([7; 16]));
    seen.fingerprints.jwk_thumbprint = Some("thumb".to_owned());
    // base64 of 32 times 0x21, and colons, as ssh-keygen writes them
    seen.fingerprints.ssh_sha256 = Some("SHA256:ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE".to_owned());
    seen.fingerprints.ssh_md5 = Some("MD5:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22".to_owned());
    seen.fingerprints.keygrip = Some(Hex([9; 20]));
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
        (Identifier::JwkThumbprint("thumb".to_owned()), "jwk_thumbprint"),
        (
            Identifier::IssuerSerial { issuer: "/CN=ca".to_owned(), serial: "FF:00:00:00:00:00:00:65".to_owned() },
            "issuer_serial",
        ),
    ] {
        let report = case(vec![seen.clone()], vec![entry("K-1", vec![identifier.clone()], &[])]).run();
        assert_eq!(report.keys[0].matched_by.as_deref(), Some(by), "{identifier:?}");
        assert_eq!(report.keys[0].entries, ["K-1"]);
        assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, set(&[])), "{identifier:?}");
        assert_eq!(report.entries[0].keys, [key_id(1)]);
    }
    let spki_as_encoded = Sighting { key_id: Some(key_id(2)), ..cert(1, 101, CRT, FAR) };
    for n in [1, 2] {
        let report = case(vec![spki_as_encoded.clone()], vec![by_key("K-1", n, &[])]).run();
        assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Matched);
    }
}

#[test]
fn a_row_for_a_certificate_covers_its_key() {
    let seen = vec![private(1, KEY), cert(1, 101, CRT, FAR)];
    let report = case(seen, vec![by_cert("K-1", 101, &["web01:/etc/ssl/certs/shop.crt"])]).run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(report.summary.metrics["own_keys"], serde_json::json!({ "registered": 1, "total": 1 }));
}

#[test]
fn a_serial_alone_is_strong_only_when_long_unique_and_confirmed() {
    let seen = cert(1, 101, CRT, FAR);
    let row = |change: &dyn Fn(&mut Entry)| {
        let mut row = entry("K-1", vec![Identifier::Serial("ff00000000000065".to_owned())], &[]);
        row.expires = Some(date(FAR));
        change(&mut row);
        row
    };
    let confirmed = case(vec![seen.clone()], vec![row(&|_| ())]).run();
    assert_eq!(confirmed.keys[0].matched_by.as_deref(), Some("serial"));
    let decimal = row(&|r| r.identifiers = vec![Identifier::Serial("18374686479671623781".to_owned())]);
    let by_subject = row(&|r| {
        r.expires = None;
        r.subject = Some("/O=shop/CN=shop.example".to_owned());
    });
    for strong in [decimal, by_subject] {
        assert_eq!(of_entry(&case(vec![seen.clone()], vec![strong]).run(), "K-1").0, EntryStatus::Matched);
    }
    let unconfirmed = case(vec![seen.clone()], vec![row(&|r| r.expires = None)]).run();
    assert_eq!(of_entry(&unconfirmed, "K-1"), (EntryStatus::Ambiguous, set(&["ambiguous:low"])));
    assert_eq!(of_key(&unconfirmed, 1), set(&["ambiguous:low"]));
    let twice = case(vec![seen.clone()], vec![row(&|_| ()), row(&|r| r.id = "K-2".to_owned())]).run();
    assert_eq!(of_entry(&twice, "K-1").0, EntryStatus::Ambiguous);
    let mut other = cert(2, 102, "/etc/other.crt", FAR);
    facts(&mut other).serial = "ff00000000000065".to_owned();
    let shared = case(vec![seen.clone(), other], vec![row(&|_| ())]).run();
    assert_eq!(of_entry(&shared, "K-1").0, EntryStatus::Ambiguous);
    let mut short = cert(1, 101, CRT, FAR);
    facts(&mut short).serial = "7fffffffffffffff".to_owned();
    let short_row = row(&|r| r.identifiers = vec![Identifier::Serial("7fffffffffffffff".to_owned())]);
    assert_eq!(of_entry(&case(vec![short], vec![short_row]).run(), "K-1").0, EntryStatus::Ambiguous);
}

#[test]
fn weak_identifiers_are_ambiguous_instead_of_unknown() {
    let with_ski = |mut s: Sighting| {
        s.fingerprints.ski = Some("aabb".to_owned());
        s
    };
    let ski = || entry("K-1", vec![Identifier::Ski("AA:BB".to_owned())], &[]);
    let report = case(vec![with_ski(cert(1, 101, CRT, FAR))], vec![ski()]).run();
    assert_eq!(of_key(&report, 1), set(&["ambiguous:low"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
    let report = case(vec![with_ski(private(1, KEY)), cert(1, 101, CRT, FAR)], vec![ski()]).run();
    assert_eq!(of_key(&report, 1), set(&["ambiguous:medium"]));
    // By its place alone, by subject alone, by name alone.
    let by_place = entry("K-1", vec![], &["web01:/etc/ssl/private/shop.key"]);
    let by_subject = Entry { subject: Some("shop.example".to_owned()), ..entry("K-1", vec![], &[]) };
    let by_name = Entry { name: Some("Shop.Example".to_owned()), ..entry("K-1", vec![], &[]) };
    for weak in [by_place, by_subject, by_name] {
        let report = case(vec![private(1, KEY), cert(1, 101, CRT, FAR)], vec![weak.clone()]).run();
        assert_eq!(of_key(&report, 1), set(&["ambiguous:medium"]), "{weak:?}");
        assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
        assert_eq!(report.keys[0].entries, Vec::<String>::new());
    }
}

#[test]
fn a_strong_identifier_of_another_key_contradicts() {
    let mut seen = cert(1, 101, CRT, FAR);
    seen.fingerprints.ski = Some("aabb".to_owned());
    let both = vec![Identifier::Ski("aabb".to_owned()), Identifier::SpkiSha256(digest(9))];
    let report = case(vec![seen], vec![entry("K-1", both, &["web01:/elsewhere"])]).run();
    assert_eq!(of_key(&report, 1), set(&["unknown:medium"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Missing);
    // One row whose identifiers name two keys.
    let torn = vec![Identifier::SpkiSha256(digest(1)), Identifier::CertSha256(digest(102))];
    let seen = vec![cert(1, 101, CRT, FAR), cert(2, 102, "/etc/b.crt", FAR)];
    let report = case(seen, vec![entry("K-1", torn, &[])]).run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Ambiguous);
    assert_eq!(of_key(&report, 1), set(&["ambiguous:low"]));
    // Two identifiers of one kind are a row for two things.
    let two = vec![Identifier::CertSha256(digest(101)), Identifier::CertSha256(digest(102))];
    let mut other = cert(2, 102, "/etc/b.crt", FAR);
    facts(&mut other).subject = "CN=b".to_owned();
    let report = case(vec![cert(1, 101, CRT, FAR), other], vec![entry("K-1", two, &[])]).run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Matched);
    assert_eq!(report.entries[0].keys, [key_id(1), key_id(2)]);
}

fn opaque(path: &str) -> Sighting {
    Sighting {
        key_id: Some(KeyId::Opaque(digest(77))),
        fingerprints: Fingerprints::default(),
        protection: Some(Protection::Encrypted),
        ..private(77, path)
    }
}

#[test]
fn closed_keys() {
    let id = KeyId::Opaque(digest(77));
    let crt = cert(1, 101, "/etc/tls/shop.crt", FAR);
    // Beside a certificate of the same stem, whose key is known.
    let report = case(vec![opaque("/etc/tls/shop.key"), crt.clone()], vec![by_cert("K-1", 101, &[])]).run();
    assert_eq!(of_id(&report, &id), set(&["ambiguous:medium"]));
    assert_eq!(report.keys[0].sightings[0].probable_key, Some(key_id(1)));
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, set(&["ambiguous:medium"])));
    // Whose key is not known; beside none.
    let report = case(vec![opaque("/etc/tls/shop.key"), crt.clone()], vec![]).run();
    assert_eq!(of_id(&report, &id), set(&["unknown:high"]));
    let report = case(vec![opaque("/etc/tls/mail.key"), crt], vec![by_cert("K-1", 101, &[])]).run();
    assert_eq!(of_id(&report, &id), set(&["unknown:high", "unpaired:info"]));
    // An entry points at it.
    let points = by_key("K-2", 9, &["web01:/etc/tls/mail.key"]);
    let report = case(vec![opaque("/etc/tls/mail.key")], vec![points]).run();
    assert_eq!(of_id(&report, &id), set(&["ambiguous:medium", "unpaired:info"]));
    assert_eq!(of_entry(&report, "K-2").0, EntryStatus::Ambiguous);
    // An entry for a directory in which it lies: no conclusion.
    let report = case(vec![opaque("/etc/tls/mail.key")], vec![by_key("K-3", 9, &["web01:/etc/tls/*"])]).run();
    assert_eq!(of_entry(&report, "K-3"), (EntryStatus::NotCovered, set(&["not_covered:info"])));
}

#[test]
fn unknown_certificates_of_known_keys() {
    let old = cert(1, 101, "/etc/a/old.crt", "2027-01-10");
    let mut new = cert(1, 102, "/etc/a/new.crt", "2027-09-01");
    let two = || vec![old.clone(), new.clone()];
    assert_eq!(of_key(&case(two(), vec![by_cert("K-1", 101, &[])]).run(), 1), set(&["unknown_certificate:medium"]));
    assert_eq!(of_key(&case(two(), vec![by_cert("K-1", 102, &[])]).run(), 1), set(&[]), "superseded");
    assert_eq!(of_key(&case(two(), vec![by_key("K-1", 1, &[])]).run(), 1), set(&[]), "a row for the key");
    new.host = None;
    let report = case(vec![old, new], vec![by_cert("K-1", 101, &[])]).run();
    let finding = &report.keys[0].flags[0];
    assert_eq!(finding.cert_sha256, Some(digest(102).to_string()));
    let statuses: Vec<_> =
        report.keys[0].sightings.iter().map(|s| s.certificate.as_ref().unwrap().status).collect();
    assert_eq!(statuses, [Some(CertificateStatus::Current), Some(CertificateStatus::Superseded)]);
}

#[test]
fn owners() {
    let owned = |owner: Option<&str>| Entry { owner: owner.map(str::to_owned), ..by_key("K-1", 1, &[]) };
    let run = |owner: Option<&str>| {
        let mut c = case(vec![cert(1, 101, CRT, FAR)], vec![owned(owner)]);
        c.owners = Some(BTreeMap::from([
            ("Ada", Standing::Present),
            ("Bob", Standing::Gone("left".to_owned())),
        ]));
        c.run()
    };
    assert_eq!(of_key(&run(Some("Ada")), 1), set(&[]));
    for (owner, part) in [(Some("Bob"), "marks as left"), (Some("Eve"), "does not know"), (None, "names no owner")] {
        let report = run(owner);
        assert_eq!(of_key(&report, 1), set(&["unowned:high"]), "{owner:?}");
        assert_eq!(of_entry(&report, "K-1").1, set(&["unowned:high"]));
        assert!(why(&report, 1, Flag::Unowned).contains(part), "{owner:?}");
        assert_eq!(report.entries[0].flags[0].key_id, Some(key_id(1).to_string()));
        assert_eq!(report.entries[0].flags[0].id, report.keys[0].flags[0].id);
        assert_eq!(report.summary.flags[&Flag::Unowned], 1);
    }
    assert_eq!(of_key(&case(vec![cert(1, 101, CRT, FAR)], vec![owned(Some("  "))]).run(), 1), set(&["unowned:high"]));
    // Without the column, once for the source.
    let mut c = case(vec![cert(1, 101, CRT, FAR)], vec![owned(None)]);
    c.inventories[0].has_owner_column = false;
    let report = c.run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(report.inventories[0].flags[0].flag, Flag::Unowned);
    assert_eq!(report.summary.flags[&Flag::Unowned], 1);
}

#[test]
fn misplaced_and_stray() {
    let run = |seen: Vec<Sighting>, places: &[&str]| of_key(&case(seen, vec![by_key("K-1", 1, places)]).run(), 1);
    let key = || private(1, KEY);
    for (places, expected) in [
        (&["web01:/etc/ssl/private/shop.key"][..], set(&[])),
        (&["WEB01:/etc/ssl/private/"][..], set(&[])),
        (&["*:/etc/ssl/private/*.key"][..], set(&[])),
        (&["web01"][..], set(&[])),
        (&["web01.shop.example"][..], set(&[])),
        (&["web01:/etc/ssl/*"][..], set(&["misplaced:medium"])),
        (&["web02:/etc/ssl/private/shop.key"][..], set(&["misplaced:medium"])),
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
    linked.location.links = vec![KEY.to_owned()];
    assert_eq!(run(vec![linked.clone(), public.clone()], place), set(&[]), "a link counts");
    std::mem::swap(&mut linked.location.links, &mut linked.location.hard_links);
    assert_eq!(run(vec![linked, public.clone()], place), set(&[]), "a hard link counts");
    let copy = || private(1, "/home/bob/shop.key");
    assert_eq!(run(vec![key(), copy(), public.clone()], place), set(&["stray_copy:medium"]));
    assert_eq!(run(vec![copy(), public.clone()], place), set(&["misplaced:medium"]));
    assert_eq!(run(vec![key(), public], place), set(&[]), "only private copies stray");
    // The row allows the certificate's place; the key beside it is at home, the further one strays.
    let seen = vec![cert(1, 101, "/etc/x/a.crt", FAR), private(1, "/etc/x/a.key"), private(1, "/etc/y/a.key")];
    let report = case(seen.clone(), vec![by_cert("K-1", 101, &["web01:/etc/x/a.crt"])]).run();
    assert_eq!(of_key(&report, 1), set(&["stray_copy:medium"]));
    assert_eq!(report.keys[0].flags[0].place.as_deref(), Some("web01:/etc/y/a.key"));
    let report = case(seen[..2].to_vec(), vec![by_cert("K-1", 101, &["web01:/etc/x/a.crt"])]).run();
    assert_eq!(of_key(&report, 1), set(&[]));
}

#[test]
fn fields_that_disagree() {
    let seen = || vec![cert(1, 101, CRT, FAR)];
    let run = |change: &dyn Fn(&mut Entry)| {
        let mut row = by_cert("K-1", 101, &[]);
        change(&mut row);
        case(seen(), vec![row]).run()
    };
    let agree: &[&dyn Fn(&mut Entry)] = &[
        &|r| r.algorithm = Some("rsaEncryption".to_owned()),
        &|r| r.algorithm = Some("RSA-2048".to_owned()),
        &|r| r.algorithm = Some("sha256WithRSAEncryption".to_owned()),
        &|r| r.bits = Some(2048),
        &|r| r.expires = Some(date(FAR)),
        &|r| r.expires = Some(Moment { at: at(FAR), has_time: true }),
        &|r| r.subject = Some("/O=Shop/CN=SHOP.example".to_owned()),
        &|r| r.identifiers.push(Identifier::Serial("FF:00:00:00:00:00:00:65".to_owned())),
    ];
    for (n, change) in agree.iter().enumerate() {
        assert_eq!(of_key(&run(change), 1), set(&[]), "agree {n}");
    }
    let differ: &[(&dyn Fn(&mut Entry), &str)] = &[
        (&|r| r.algorithm = Some("ECDSA".to_owned()), "algorithm is RSA, not ECDSA"),
        (&|r| r.algorithm = Some("RSA 4096".to_owned()), "size is 2048 bits, not 4096"),
        (&|r| r.bits = Some(4096), "size is 2048 bits, not 4096"),
        (&|r| r.expires = Some(date("2027-08-02")), "expiry is 2027-08-01, not 2027-08-02"),
        (&|r| r.subject = Some("CN=other".to_owned()), "subject is CN=shop.example,O=Shop, not CN=other"),
        (&|r| r.identifiers.push(Identifier::Serial("77".to_owned())), "serial is ff00000000000065, not 77"),
    ];
    for (change, part) in differ {
        let report = run(change);
        assert_eq!(of_key(&report, 1), set(&["mismatch:medium"]), "{part}");
        assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Matched, set(&["mismatch:medium"])));
        assert!(why(&report, 1, Flag::Mismatch).contains(part), "{}", why(&report, 1, Flag::Mismatch));
    }
}

#[test]
fn another_key_at_the_place() {
    let row = || Entry { kind: Some(EntryKind::KeyPair), ..by_key("K-1", 9, &["web01:/etc/ssl/private/shop.key"]) };
    let seen = || vec![private(1, KEY), sighting(Kind::PublicKey, 1, "/etc/ssl/shop.pub")];
    let report = case(seen(), vec![row()]).run();
    assert_eq!(of_key(&report, 1), set(&["mismatch:medium", "unknown:high"]));
    assert!(why(&report, 1, Flag::Unknown).contains("row K-1 points at its place"));
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Ambiguous, set(&["mismatch:medium"])));
    // Not of its type, or a file that lists the keys of many: missing.
    let typed = Entry { kind: Some(EntryKind::Symmetric), ..row() };
    assert_eq!(of_entry(&case(seen(), vec![typed]).run(), "K-1").0, EntryStatus::Missing);
    let file = "/root/.ssh/authorized_keys";
    let grants = Entry { kind: Some(EntryKind::Grant), ..by_key("K-1", 9, &["web01:/root/.ssh/authorized_keys"]) };
    let report = case(vec![grant(1, file)], vec![grants]).run();
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::Missing, set(&["missing:medium"])));
    // One that was not expected there any more is gone, whatever lies there now.
    let destroyed = Entry { state: Some(State::Destroyed), ..row() };
    assert_eq!(of_entry(&case(seen(), vec![destroyed]).run(), "K-1").0, EntryStatus::AbsentAsExpected);
}

#[test]
fn renewals_that_nobody_recorded() {
    let place = &["web01:/etc/ssl/certs/shop.crt"];
    let lapsed = || Entry { expires: Some(date("2026-10-01")), ..by_cert("K-1", 150, place) };
    let new = || vec![cert(1, 101, CRT, FAR), private(1, KEY)];
    // At its place, by a new key: instead of one unknown and one missing.
    let report = case(new(), vec![lapsed()]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info"]));
    assert_eq!(of_entry(&report, "K-1"), (EntryStatus::AbsentAsExpected, set(&["renewed_unrecorded:info"])));
    assert_eq!(report.keys[0].flags[0].cert_sha256, Some(digest(101).to_string()));
    // By names and issuer, at another place.
    let elsewhere = Entry {
        subject: Some("CN=shop.example,O=Shop".to_owned()),
        issuer: Some("CN=CA".to_owned()),
        places: Vec::new(),
        ..lapsed()
    };
    let report = case(new(), vec![elsewhere.clone()]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info"]));
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::Unlocated);
    // Other names, not newer, or the row has not lapsed: unknown.
    let other = Entry { subject: Some("CN=mail.example".to_owned()), ..elsewhere };
    assert!(of_key(&case(new(), vec![other]).run(), 1).contains("unknown:high"));
    let older = vec![cert(1, 101, CRT, "2026-09-01")];
    assert!(of_key(&case(older, vec![lapsed()]).run(), 1).contains("unknown:medium"));
    let valid = Entry { expires: Some(date("2027-01-01")), ..lapsed() };
    assert_eq!(of_key(&case(new(), vec![valid]).run(), 1), set(&["unknown:high", "mismatch:medium"]));
    // Medium when the issuer changed or the key got weaker.
    let issuer = Entry { issuer: Some("CN=Other CA".to_owned()), ..lapsed() };
    let weaker = Entry { algorithm: Some("RSA".to_owned()), bits: Some(4096), ..lapsed() };
    for row in [issuer, weaker] {
        assert_eq!(of_key(&case(new(), vec![row]).run(), 1), set(&["renewed_unrecorded:medium"]));
    }
    // With the same key: instead of an unknown certificate; the old one is superseded.
    let same = vec![cert(1, 150, "/etc/old.crt", "2026-10-01"), cert(1, 101, CRT, FAR)];
    let report = case(same, vec![Entry { places: Vec::new(), ..lapsed() }]).run();
    assert_eq!(of_key(&report, 1), set(&["renewed_unrecorded:info", "expired:info"]));
}

#[test]
fn states_against_what_was_seen() {
    let row = |state| Entry { state: Some(state), ..by_key("K-1", 1, &[]) };
    let public = || cert(1, 101, CRT.replace("ssl/certs", "tls").as_str(), FAR);
    for (state, seen, expected) in [
        (State::PreActivation, private(1, KEY), None),
        (State::PreActivation, grant(1, "/root/.ssh/authorized_keys"), Some("high")),
        (State::Active, private(1, KEY), None),
        (State::Suspended, private(1, KEY), Some("low")),
        (State::Suspended, public(), None),
        (State::Deactivated, private(1, KEY), Some("medium")),
        (State::Deactivated, public(), None),
        (State::Revoked, private(1, KEY), Some("medium")),
        (State::Revoked, public(), Some("low")),
        (State::Compromised, private(1, KEY), Some("critical")),
        (State::Compromised, public(), Some("info")),
        (State::Compromised, grant(1, "/root/.ssh/authorized_keys"), Some("critical")),
        (State::Destroyed, private(1, KEY), Some("critical")),
        (State::Destroyed, public(), Some("low")),
        (State::Destroyed, cert(1, 101, "/usr/local/share/ca-certificates/a.crt", FAR), Some("high")),
    ] {
        let report = case(vec![seen.clone()], vec![row(state)]).run();
        let flags = of_key(&report, 1);
        let found = flags.iter().find_map(|f| f.strip_prefix("state_conflict:"));
        assert_eq!(found, expected, "{state:?} {:?}", seen.kind);
    }
    let mut closing = public();
    facts(&mut closing).key_usage = vec!["keyEncipherment".to_owned()];
    let report = case(vec![private(1, KEY), closing], vec![row(State::Deactivated)]).run();
    assert!(of_key(&report, 1).contains("state_conflict:info"), "{:?}", of_key(&report, 1));
    let vendor = Sighting { class: Class::Vendor, ..private(1, KEY) };
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
    assert_eq!(of_key(&row(&period("2025-11-24", 365)), 1), set(&[]), "due today");
    let late = row(&period("2025-11-23", 365));
    assert_eq!(of_key(&late, 1), set(&["rotation_overdue:medium"]));
    assert_eq!(of_entry(&late, "K-1").1, set(&["rotation_overdue:medium"]));
    assert!(why(&late, 1, Flag::RotationOverdue).contains("due 2026-11-23, 1 day ago"));
    let created = row(&|r| {
        r.created = Some(date("2024-01-01"));
        r.rotation_period_days = Some(365);
    });
    assert_eq!(of_key(&created, 1), set(&["rotation_overdue:medium"]), "creation counts without a rotation");
    // No period: no cryptoperiod, unless there is an end, or policy gives one.
    let none = row(&|r| r.rotation_period_days = None);
    assert_eq!(of_entry(&none, "K-1").1, set(&["no_cryptoperiod:low"]));
    assert_eq!(of_key(&none, 1), set(&[]), "an entry's flag");
    let ends = row(&|r| {
        r.rotation_period_days = None;
        r.expires = Some(date(FAR));
    });
    assert_eq!(of_entry(&ends, "K-1").1, set(&[]));
    let mut by_policy = case(vec![cert(1, 101, CRT, FAR)], vec![Entry { rotation_period_days: None, ..by_cert("K-1", 101, &[]) }]);
    by_policy.policy.rotation_days.insert(EntryKind::Certificate, 30);
    assert_eq!(of_entry(&by_policy.run(), "K-1").1, set(&["rotation_overdue:medium"]));
    assert_eq!(late.summary.metrics["rotation"]["overdue"], 1);
    assert_eq!(none.summary.metrics["rotation"]["cannot_be_told"], 1);
}
