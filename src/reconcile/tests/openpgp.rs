//! OpenPGP keys: ends, subkeys under their primary key's row, passphrases.

use super::super::testing::*;
use crate::model::*;

const RING: &str = "/home/ada/.gnupg/pubring.kbx";

fn print(n: u8) -> String {
    format!("{n:02X}").repeat(20)
}

/// Public key `n`, of Ada, made in 2020, for signing.
fn public(n: u8, primary: Option<u8>, expires: Option<&str>) -> Sighting {
    let mut s = sighting(Kind::PgpPublicKey, n, RING);
    s.format = "openpgp".into();
    s.fingerprints
        .change(|f| f.pgp_fingerprint = Some(print(n).into()));
    s.fingerprints
        .change(|f| f.pgp_keyid = Some(print(n)[24..].into()));
    s.pgp = Some(Box::new(Pgp {
        version: 4,
        primary: primary.map(print),
        user_ids: vec!["Ada <ada@example.org>".to_owned()],
        created: Some(at("2020-01-01")),
        expires: expires.map(at),
        capabilities: vec!["sign".to_owned()],
        ..Pgp::default()
    }));
    s
}

fn facts_of(s: &mut Sighting) -> &mut Pgp {
    s.pgp.as_mut().unwrap()
}

fn secret(n: u8, path: &str) -> Sighting {
    Sighting {
        kind: Kind::PgpSecretKey,
        protection: Some(Protection::None),
        location: Location {
            path: path.into(),
            ..Location::default()
        },
        ..public(n, None, None)
    }
}

#[test]
fn the_end_of_a_key() {
    // Judged on 2026-11-24 at 10:00.
    for (until, expected) in [
        ("2026-11-24T09:59:59Z", Some("expired:high")),
        ("2026-11-24T10:00:00Z", Some("expiring:medium")),
        ("2026-12-24T10:00:00Z", Some("expiring:medium")),
        ("2026-12-24T10:00:01Z", None),
    ] {
        let expected = expected.map(|e| set(&[e])).unwrap_or_default();
        assert_eq!(
            alone(vec![public(1, None, Some(until))]),
            expected,
            "{until}"
        );
    }
    assert_eq!(alone(vec![public(1, None, None)]), set(&[]));
    let mut ahead = public(1, None, None);
    facts_of(&mut ahead).created = Some(at("2026-11-25"));
    assert_eq!(alone(vec![ahead]), set(&["not_yet_valid:low"]));
    let mut c = case(vec![public(1, None, Some("2026-01-31"))], vec![]);
    c.inventories.clear();
    let report = c.run();
    assert_eq!(
        why(&report, 1, Flag::Expired),
        format!(
            "OpenPGP key 0101010101010101 (Ada <ada@example.org>) in web01:{RING} expired 2026-01-31, 297 days ago"
        )
    );
}

#[test]
fn a_revoked_key_needs_no_end() {
    let mut s = public(1, None, Some("2026-01-31"));
    facts_of(&mut s).revoked = true;
    assert_eq!(alone(vec![s]), set(&[]));
}

#[test]
fn a_moved_end_makes_older_copies_past() {
    let mut old = public(1, None, Some("2026-01-31"));
    old.location.path = "/root/ada.asc".into();
    let new = public(1, None, Some("2028-01-31"));
    assert_eq!(alone(vec![old.clone(), new]), set(&["expired:info"]));
    let same = public(1, None, Some("2026-01-31"));
    assert_eq!(alone(vec![old, same]), set(&["expired:high"]));
}

#[test]
fn a_subkey_that_another_replaced_is_past() {
    let old = || public(1, Some(9), Some("2026-01-31"));
    let new = public(2, Some(9), Some("2028-01-31"));
    assert_eq!(alone(vec![old(), new.clone()]), set(&["expired:info"]));
    for change in [
        (|s: &mut Sighting| facts_of(s).primary = Some(print(8))) as fn(&mut Sighting),
        |s| facts_of(s).revoked = true,
        |s| facts_of(s).capabilities = vec!["encrypt".to_owned()],
        |s| facts_of(s).expires = Some(at("2026-01-31")),
    ] {
        let mut other = new.clone();
        change(&mut other);
        assert_eq!(alone(vec![old(), other]), set(&["expired:high"]));
    }
}

#[test]
fn a_row_of_a_primary_key_covers_its_subkeys() {
    let row = || {
        let identifier = Identifier::PgpFingerprint(print(1).into());
        entry("K-1", vec![identifier], &["web01:/home/ada/"])
    };
    let mut subkey = public(2, Some(1), None);
    subkey.algorithm = Some("X25519".into());
    let stranger = public(3, Some(7), None);
    let mut stated = row();
    stated.algorithm = Some("RSA".into());
    let seen = vec![public(1, None, None), subkey, stranger];
    let report = case(seen.clone(), vec![stated]).run();
    let key = |n| report.keys.iter().find(|k| k.key_id == key_id(n)).unwrap();
    assert_eq!(key(2).entries, ["K-1"]);
    // The row's algorithm is the primary key's, and no mismatch with the subkey's.
    assert_eq!(of_key(&report, 2), set(&[]));
    assert!(key(3).entries.is_empty());
    assert_eq!(of_key(&report, 3), set(&["unknown:low"]));
    // A row that names a subkey covers neither its primary key nor its sisters.
    let of_subkey = entry(
        "K-2",
        vec![Identifier::PgpFingerprint(print(2).into())],
        &["web01"],
    );
    let report = case(seen, vec![of_subkey]).run();
    assert_eq!(of_key(&report, 1), set(&["unknown:low"]));
}

#[test]
fn the_end_seen_decides_and_not_the_rows() {
    let mut row = by_key("K-1", 1, &["web01:/home/ada/"]);
    row.expires = Some(date("2026-01-31"));
    let report = case(vec![public(1, None, Some("2028-01-31"))], vec![row.clone()]).run();
    assert!(!of_key(&report, 1).iter().any(|f| f.starts_with("expired")));
    assert!(why(&report, 1, Flag::Mismatch).contains("expiry is 2028-01-31, not 2026-01-31"));
    let report = case(vec![public(1, None, None)], vec![row]).run();
    assert!(of_key(&report, 1).iter().any(|f| f.starts_with("expired")));
}

#[test]
fn a_secret_key_without_passphrase() {
    let home = secret(1, "/home/ada/.gnupg/private-keys-v1.d/01.key");
    assert_eq!(alone(vec![home.clone()]), set(&["unprotected:medium"]));
    let closed = Sighting {
        protection: Some(Protection::Encrypted),
        ..home
    };
    assert_eq!(alone(vec![closed]), set(&[]));
    // On a card there is nothing to protect here.
    let mut card = public(1, None, None);
    facts_of(&mut card).card = Some("D276".to_owned());
    assert_eq!(alone(vec![card]), set(&[]));
    let service = secret(1, "/var/lib/signer/.gnupg/private-keys-v1.d/01.key");
    assert!(!alone(vec![service]).contains("unprotected:medium"));
}
