//! Digests here are of the empty input, by sha256sum, sha1sum and md5sum, so that their lengths are real.

use super::*;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SHA256_B64: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
const SHA256_B64URL: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn colons(hex: &str) -> String {
    let pairs: Vec<&str> = hex
        .as_bytes()
        .chunks(2)
        .map(|p| std::str::from_utf8(p).unwrap())
        .collect();
    pairs.join(":")
}

fn sha256() -> Sha256Hex {
    SHA256.parse().unwrap()
}

fn check(cell: &str, field: Field, kind: Option<EntryKind>, expected: &[Identifier]) {
    let found = read_cell(cell, field, kind);
    assert_eq!(
        found.identifiers, expected,
        "{cell} in {field:?} of {kind:?}: {:?}",
        found.faults
    );
    assert_eq!(found.faults, Vec::<String>::new(), "{cell}");
}

#[test]
fn spellings_of_sha256() {
    let cert_or_spki = [Identifier::CertOrSpkiSha256(sha256())];
    let upper = colons(SHA256).to_uppercase();
    for cell in [
        SHA256.to_owned(),
        SHA256.to_uppercase(),
        upper.clone(),
        upper.replace(':', " "),
        upper.replace(':', "-"),
        format!("0x{SHA256}"),
        format!("sha256:{SHA256}"),
        format!("SHA-256: {upper}"),
        format!("SHA256 Fingerprint={upper}"),
        format!("sha256 Fingerprint={upper}"),
        format!("\u{200e}{SHA256}"),
        format!("{SHA256_B64}="),
    ] {
        check(&cell, Field::Fingerprint, None, &cert_or_spki);
    }
    check(
        SHA256,
        Field::SpkiSha256,
        None,
        &[Identifier::SpkiSha256(sha256())],
    );
    check(
        SHA256,
        Field::CertSha256,
        None,
        &[Identifier::CertSha256(sha256())],
    );
    check(SHA256, Field::CertFingerprint, None, &cert_or_spki);
    check(
        SHA256,
        Field::Fingerprint,
        Some(EntryKind::SshKey),
        &[
            Identifier::CertOrSpkiSha256(sha256()),
            Identifier::SshSha256(sha256()),
        ],
    );
}

#[test]
fn spellings_of_ssh_fingerprints() {
    let ssh = [Identifier::SshSha256(sha256())];
    check(
        &format!("SHA256:{SHA256_B64}"),
        Field::Fingerprint,
        None,
        &ssh,
    );
    check(
        &format!("SHA256:{SHA256_B64}="),
        Field::Fingerprint,
        Some(EntryKind::SshHostKey),
        &ssh,
    );
    check(
        &format!("256 SHA256:{SHA256_B64} root@web01 (ED25519)"),
        Field::Fingerprint,
        None,
        &ssh,
    );
    check(SHA256_B64, Field::SshFingerprint, None, &ssh);
    let md5 = [Identifier::SshMd5(MD5.parse().unwrap())];
    check(
        &format!("MD5:{}", colons(MD5)),
        Field::Fingerprint,
        None,
        &md5,
    );
    check(
        &format!("2048 MD5:{} a (RSA)", colons(MD5)),
        Field::Fingerprint,
        None,
        &md5,
    );
    check(
        &colons(MD5),
        Field::Fingerprint,
        Some(EntryKind::SshKey),
        &md5,
    );
    check(
        &colons(MD5),
        Field::Md5,
        None,
        &[Identifier::Md5(MD5.parse().unwrap())],
    );
    check(
        MD5,
        Field::Fingerprint,
        None,
        &[Identifier::Md5(MD5.parse().unwrap())],
    );
}

/// `ssh-keygen -l` of one key in 4,096 prints such a digest.
#[test]
fn base64_that_begins_like_marked_hexadecimal() {
    let text = "0xqQEeeLahkRKRC6/Q9c3oRR76mWcseBZijA1QWoUN8";
    // printf %s= "$text" | base64 -d | xxd -p
    let digest = "d31a9011e78b6a19112910bafd0f5cde8451efa99672c7816628c0d505a850df";
    let ssh = [Identifier::SshSha256(digest.parse().unwrap())];
    for cell in [format!("SHA256:{text}"), text.to_owned()] {
        check(&cell, Field::SshFingerprint, None, &ssh);
    }
    let hex = format!("0X{SHA256}");
    let cert = [Identifier::CertSha256(SHA256.parse().unwrap())];
    for cell in [hex.clone(), format!("SHA256:{hex}")] {
        check(&cell, Field::CertSha256, None, &cert);
    }
}

#[test]
fn spellings_of_sha1_and_openpgp() {
    let digest: Hex<20> = SHA1.parse().unwrap();
    let pgp = [Identifier::PgpFingerprint(SHA1.to_uppercase().into())];
    let cert = [Identifier::CertSha1(digest)];
    let spaced = "DA39 A3EE 5E6B 4B0D 3255  BFEF 9560 1890 AFD8 0709";
    check(
        SHA1,
        Field::Fingerprint,
        None,
        &[Identifier::Sha1OrPgp(digest)],
    );
    check(
        SHA1,
        Field::Fingerprint,
        Some(EntryKind::Certificate),
        &cert,
    );
    check(SHA1, Field::Fingerprint, Some(EntryKind::Pgp), &pgp);
    check(SHA1, Field::CertFingerprint, None, &cert);
    check(
        &format!("SHA1:{}", colons(SHA1)),
        Field::Fingerprint,
        None,
        &cert,
    );
    check(
        &format!("SHA1 Fingerprint={}", colons(SHA1).to_uppercase()),
        Field::CertSha1,
        None,
        &cert,
    );
    check(spaced, Field::PgpFingerprint, None, &pgp);
    check(
        &format!("Key fingerprint = {spaced}"),
        Field::Fingerprint,
        Some(EntryKind::Pgp),
        &pgp,
    );
    check(
        &format!("OPENPGP4FPR:{SHA1}"),
        Field::Fingerprint,
        None,
        &pgp,
    );
    check(SHA1, Field::Keygrip, None, &[Identifier::Keygrip(digest)]);
    check(SHA1, Field::Ski, None, &[Identifier::Ski(SHA1.into())]);
    check(
        "0xBFEF95601890AFD8",
        Field::PgpKeyId,
        None,
        &[Identifier::PgpKeyId("BFEF95601890AFD8".into())],
    );
    // base64url of 20 bytes: x5t of RFC 7515
    check("2jmj7l5rSw0yVb_vlWAYkK_YBwk", Field::CertSha1, None, &cert);
}

#[test]
fn pins_thumbprints_and_own_ids() {
    let spki = [Identifier::SpkiSha256(sha256())];
    check(
        &format!("pin-sha256=\"{SHA256_B64}=\""),
        Field::Fingerprint,
        None,
        &spki,
    );
    check(
        &format!("sha256//{SHA256_B64}="),
        Field::Fingerprint,
        None,
        &spki,
    );
    check(&format!("{SHA256_B64}="), Field::SpkiSha256, None, &spki);
    let jwk = Identifier::JwkThumbprint(SHA256_B64URL.into());
    check(
        SHA256_B64URL,
        Field::JwkThumbprint,
        None,
        std::slice::from_ref(&jwk),
    );
    check(
        SHA256_B64URL,
        Field::Fingerprint,
        None,
        &[
            Identifier::CertOrSpkiSha256(sha256()),
            Identifier::SshSha256(sha256()),
            jwk,
        ],
    );
    let id = format!("spki-sha256:{SHA256}");
    check(
        &id,
        Field::Fingerprint,
        None,
        &[Identifier::KeyId(id.parse().unwrap())],
    );
    check(
        "%01%0a",
        Field::Pkcs11Id,
        None,
        &[Identifier::Pkcs11Id("010a".into())],
    );
    check(
        "01:0A",
        Field::Pkcs11Id,
        None,
        &[Identifier::Pkcs11Id("010a".into())],
    );
}

#[test]
fn several_in_one_cell() {
    let expected = [
        Identifier::CertSha1(SHA1.parse().unwrap()),
        Identifier::CertOrSpkiSha256(sha256()),
        Identifier::IssuerSerial {
            issuer: "CN=A, O=B".into(),
            serial: "a1".into(),
        },
    ];
    check(
        &format!("SHA1:{SHA1}; {SHA256} | serial=0A1;issuer=CN=A, O=B"),
        Field::Fingerprint,
        None,
        &expected,
    );
    check(
        &format!("SHA1:{SHA1},\n{SHA256}\nissuer=CN=A, O=B;serial=A1"),
        Field::Fingerprint,
        None,
        &expected,
    );
    check(
        &format!("SHA1:{SHA1} {SHA256}"),
        Field::Fingerprint,
        None,
        expected.get(..2).unwrap(),
    );
    check(
        &format!("{SHA256};{SHA256}"),
        Field::Fingerprint,
        None,
        expected.get(1..2).unwrap(),
    );
}

#[test]
fn wrong_ones_are_faults_with_a_reason() {
    for (cell, field, reason) in [
        (
            SHA256.get(1..).unwrap(),
            Field::Fingerprint,
            "63 hexadecimal digits",
        ),
        (SHA1, Field::CertSha256, "40 hexadecimal digits"),
        ("1.23E+47", Field::Fingerprint, "rounded"),
        ("1,23E+47", Field::Fingerprint, "rounded"),
        (
            "123e4567-e89b-12d3-a456-426614174000",
            Field::Fingerprint,
            "UUID",
        ),
        ("hunter2", Field::Fingerprint, "shape aaaaaa9"),
        ("DEADBEEF", Field::PgpFingerprint, "forge"),
        (
            "BFEF95601890AFD8",
            Field::Fingerprint,
            "16 hexadecimal digits",
        ),
    ] {
        let found = read_cell(cell, field, None);
        assert_eq!(found.identifiers, [], "{cell}");
        assert_eq!(found.faults.len(), 1, "{cell}: {:?}", found.faults);
        assert!(
            found.faults[0].contains(reason),
            "{cell}: {:?}",
            found.faults
        );
    }
    let found = read_cell(&format!("{SHA256};zz"), Field::Fingerprint, None);
    assert_eq!((found.identifiers.len(), found.faults.len()), (1, 1));
    assert_eq!(read_cell("n/a", Field::Fingerprint, None), Found::default());
}
