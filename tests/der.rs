//! The readers of DER on odd, mislabelled, broken and hostile bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use crate::keytools::{generate, generate_ec, one, openssl, read, read_with, run};
use keymuster::formats::wire::der;
use keymuster::identity::identify;
use keymuster::model::{Artifact, Encoding, GapReason, KeyId, KeyMaterial, Kind, Protection};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const LABELS: &[&str] = &[
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "CERTIFICATE REQUEST",
    "X509 CRL",
    "PKCS7",
    "CMS",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "RSA PUBLIC KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "PUBLIC KEY",
    "DH PARAMETERS",
    "SOMETHING ELSE",
    "",
];

/// One valid object of each kind, made once.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let rsa = generate("RSA", &["rsa_keygen_bits:1024"]);
    let ec = generate_ec("prime256v1");
    let ed25519 = generate("ED25519", &[]);
    let convert = |arguments: &[&str], key: &[u8]| {
        let fixed = ["-inform", "DER", "-outform", "DER"];
        openssl(&[arguments, &fixed].concat(), key)
    };
    let certificate = certificate(
        &ec,
        &[
            "-addext",
            "subjectAltName=DNS:a.example,IP:::1,dirName:d",
            "-addext",
            "basicConstraints=CA:TRUE",
        ],
    );
    let pem = openssl(&["x509", "-inform", "DER"], &certificate);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("c.pem"), pem).unwrap();
    let signed_data = run(
        directory.path(),
        "openssl",
        &[
            "crl2pkcs7",
            "-nocrl",
            "-certfile",
            "c.pem",
            "-outform",
            "DER",
        ],
        &[],
    );
    vec![
        convert(&["rsa", "-traditional"], &rsa),
        convert(&["rsa", "-RSAPublicKey_out"], &rsa),
        convert(&["pkey", "-pubout"], &rsa),
        convert(&["ec"], &ec),
        convert(&["ec", "-no_public", "-param_enc", "explicit"], &ec),
        convert(&["ec", "-pubout", "-conv_form", "compressed"], &ec),
        convert(&["pkcs8", "-topk8", "-passout", "pass:x"], &ec),
        rsa,
        ec,
        ed25519,
        certificate,
        signed_data,
    ]
});

fn certificate(private: &[u8], more: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key.der"), private).unwrap();
    let config = "[req]\ndistinguished_name=dn\n[dn]\n[d]\nCN=inner\n";
    std::fs::write(directory.path().join("c.cnf"), config).unwrap();
    let fixed = [
        "req",
        "-new",
        "-x509",
        "-key",
        "key.der",
        "-keyform",
        "DER",
        "-subj",
        "/CN=der.example",
        "-config",
        "c.cnf",
        "-outform",
        "DER",
    ];
    run(directory.path(), "openssl", &[&fixed, more].concat(), &[])
}

/// Reads bytes under every label and bare, and identifies what is found.
fn read_everywhere(bytes: &[u8]) {
    let headers = [("DEK-Info".to_owned(), "AES-256-CBC,00".to_owned())];
    for label in LABELS.iter().map(Some).chain([None]) {
        for artifact in read(bytes, label.copied()).0 {
            identify(&artifact);
        }
        if let Some(label) = label {
            read_with(bytes, Some(label), &headers);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_everywhere(&bytes);
    }

    #[test]
    fn mutated_objects_are_read_without_panic(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = SEEDS[seed.index(SEEDS.len())].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_everywhere(&bytes);
    }

    #[test]
    fn any_blob_is_identified_without_panic(
        name in prop::sample::select(vec![
            "ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-new",
            "sk-ssh-ed25519-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com",
        ]),
        fields in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 0..5),
        rest in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut blob = Vec::new();
        for field in std::iter::once(name.as_bytes()).chain(fields.iter().map(Vec::as_slice)) {
            blob.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
            blob.extend_from_slice(field);
        }
        blob.extend_from_slice(&rest);
        let key = KeyMaterial::SshBlob(blob);
        let artifact = Artifact::new(Kind::PublicKey, "openssh_public", Encoding::Text, key);
        prop_assert!(identify(&artifact).key_id.is_some());
    }

    /// What no label vouches for must be framed to the last byte.
    #[test]
    fn chance_bytes_in_a_sequence_are_nothing(
        bytes in prop::collection::vec(any::<u8>(), 30..400),
    ) {
        let object = der::encode(der::SEQUENCE, &[&bytes]);
        prop_assert!(read(&object, None).0.is_empty());
    }
}

#[test]
fn every_seed_is_read_bare_and_no_prefix_of_it_is() {
    for (i, seed) in SEEDS.iter().enumerate() {
        assert_eq!(read(seed, None).0.len(), 1, "seed {i}");
        for cut in 1..seed.len() {
            assert!(
                read(&seed[..cut], None).0.is_empty(),
                "seed {i} cut at {cut}"
            );
        }
    }
}

/// What Python's compiler leaves of `b"0.\x02\x01\x000\x05\x06\x03+en\x04\"\x04 "`, a template in `cryptography`.
#[test]
fn a_template_of_a_key_in_a_program_is_no_key() {
    let code = b"\xe9\x30\0\0\0\x72\x02\0\0\0\xe9\x10\0\0\0\x29\x0f\x72\xb8\0\0\0\x72\xf0\0\0\0\xda\x11\x5f\x7a\x65";
    let template = |key: &[u8]| [&b"0.\x02\x01\x000\x05\x06\x03+en\x04\"\x04 "[..], key].concat();
    assert!(read(&template(code), None).0.is_empty());
    let key = openssl(&["genpkey", "-algorithm", "X25519", "-outform", "DER"], &[]);
    assert!(key.starts_with(&template(&[])));
    assert_eq!(read(&key, None).0.len(), 1);
}

#[test]
fn a_body_is_read_by_content_under_any_label() {
    for (seed, format) in SEEDS.iter().zip([
        "pkcs1",
        "pkcs1",
        "spki",
        "sec1",
        "sec1",
        "spki",
        "encrypted_pkcs8",
        "pkcs8",
        "pkcs8",
        "pkcs8",
        "x509",
        "pkcs7",
    ]) {
        let artifact = one(seed, Some("PRIVATE KEY"));
        assert_eq!(artifact.format, format);
        let right = format == "pkcs8" || format == "pkcs7";
        assert_eq!(
            artifact.notes.is_empty(),
            right,
            "{format} {:?}",
            artifact.notes
        );
        assert!(read(seed, Some("DSA PARAMETERS")).0.is_empty());
    }
}

#[test]
fn an_armour_that_nobody_reads_is_told() {
    let certificate = &SEEDS[10];
    // An EC key whose number is nought, in its own form and in PKCS#8.
    let mut zero = SEEDS[3].clone();
    zero[7..39].fill(0);
    let mut wrapped_zero = SEEDS[8].clone();
    let number = wrapped_zero.windows(2).position(|w| w == [4, 32]).unwrap();
    wrapped_zero[number + 2..number + 34].fill(0);
    for (bytes, label, reason) in [
        (&certificate[..200], "CERTIFICATE", GapReason::Malformed),
        (b"not DER at all", "CERTIFICATE", GapReason::Malformed),
        (
            &[0x30, 0x03, 0x02, 0x01, 0x05],
            "PRIVATE KEY",
            GapReason::Malformed,
        ),
        (&zero, "EC PRIVATE KEY", GapReason::Malformed),
        (&wrapped_zero, "PRIVATE KEY", GapReason::Malformed),
        (&[], "PUBLIC KEY", GapReason::Malformed),
    ] {
        let (artifacts, faults) = read(bytes, Some(label));
        assert!(artifacts.is_empty());
        assert_eq!(faults.len(), 1, "{label}");
        assert_eq!(faults[0].reason, reason);
    }
    // Labels of other families are for their own readers.
    assert!(read(&[1], Some("PGP MESSAGE")).1.is_empty());
}

/// A certificate whose dates, serial and extensions are broken is one all the same.
#[test]
fn a_broken_certificate_keeps_its_key() {
    let good = one(&SEEDS[10], Some("CERTIFICATE"));
    assert!(good.notes.is_empty(), "{:?}", good.notes);
    let expected = identify(&good).key_id;
    let mut bytes = SEEDS[10].clone();
    let date = bytes.windows(2).position(|w| w == [0x17, 0x0d]).unwrap();
    bytes[date + 2..date + 8].copy_from_slice(b"9999xx");
    let constraints = bytes
        .windows(3)
        .position(|w| w == [0x55, 0x1d, 0x13])
        .unwrap();
    bytes[constraints + 3] = 0x1f;
    let broken = one(&bytes, Some("CERTIFICATE"));
    assert_eq!(identify(&broken).key_id, expected);
    assert_eq!(broken.notes.len(), 2, "{:?}", broken.notes);
    let facts = broken.certificate.unwrap();
    assert_eq!(facts.not_before, None);
    assert!(facts.not_after.is_some());
    assert_eq!(*facts.subject, *"CN=der.example");
    assert_eq!(
        *facts.sans,
        ["DNS:a.example", "IP:0:0:0:0:0:0:0:1", "DirName:CN=inner"]
    );
}

#[test]
fn facts_of_a_certificate() {
    let der = certificate(
        &generate("RSA", &["rsa_keygen_bits:1024"]),
        &[
            "-sha384",
            "-addext",
            "keyUsage=digitalSignature,keyCertSign,cRLSign",
            "-addext",
            "extendedKeyUsage=serverAuth,codeSigning,1.3.6.1.4.1.311.20.2.2,1.2.3.4",
            "-addext",
            "subjectKeyIdentifier=hash",
        ],
    );
    let artifact = one(&der, None);
    let text = |option: &str| {
        let told = openssl(&["x509", "-inform", "DER", "-noout", option], &der);
        String::from_utf8(told)
            .unwrap()
            .trim()
            .split_once('=')
            .unwrap()
            .1
            .to_owned()
    };
    let ski = openssl(
        &[
            "x509",
            "-inform",
            "DER",
            "-noout",
            "-ext",
            "subjectKeyIdentifier",
        ],
        &der,
    );
    let ski = String::from_utf8(ski)
        .unwrap()
        .lines()
        .nth(1)
        .unwrap()
        .trim()
        .replace(':', "");
    assert_eq!(
        identify(&artifact).fingerprints.ski.as_deref(),
        Some(ski.to_lowercase().as_str())
    );
    let facts = artifact.certificate.unwrap();
    assert_eq!(*facts.serial, text("-serial").to_lowercase());
    assert_eq!(facts.signature_algorithm, "sha384WithRSAEncryption");
    assert_eq!(
        *facts.key_usage,
        ["digitalSignature", "keyCertSign", "cRLSign"]
    );
    assert_eq!(
        *facts.extended_key_usage,
        ["serverAuth", "codeSigning", "msSmartcardLogin", "1.2.3.4"]
    );
    assert!(facts.self_signed);
}

#[test]
fn closed_keys_tell_their_scheme_and_the_digest_of_their_ciphertext() {
    let closed = &SEEDS[6];
    let artifact = one(closed, None);
    assert_eq!(artifact.kind, Kind::PrivateKey);
    assert_eq!(artifact.encoding, Encoding::Der);
    assert_eq!(artifact.protection, Some(Protection::Encrypted));
    assert_eq!(
        artifact.cipher.as_deref(),
        Some("PBES2 aes-256-cbc, PBKDF2 hmacWithSHA256")
    );
    // The ciphertext is the last element, of less than 256 bytes.
    let start = (0..closed.len())
        .rfind(|i| {
            closed[*i..].starts_with(&[0x04, 0x81])
                && closed.len() - i - 3 == usize::from(closed[i + 2])
        })
        .unwrap();
    let digest: [u8; 32] = Sha256::digest(&closed[start + 3..]).into();
    assert!(matches!(artifact.key, KeyMaterial::Opaque(d) if d.0 == digest));
    assert!(matches!(identify(&artifact).key_id, Some(KeyId::Opaque(d)) if d.0 == digest));

    let headers = [
        ("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned()),
        (
            "DEK-Info".to_owned(),
            "DES-EDE3-CBC,0011223344556677".to_owned(),
        ),
    ];
    let (artifacts, _) = read_with(b"ciphertext", Some("RSA PRIVATE KEY"), &headers);
    assert_eq!(artifacts[0].cipher.as_deref(), Some("DES-EDE3-CBC"));
    assert_eq!(artifacts[0].algorithm.as_deref(), Some("RSA"));
    let digest: [u8; 32] = Sha256::digest(b"ciphertext").into();
    assert!(matches!(artifacts[0].key, KeyMaterial::Opaque(d) if d.0 == digest));
}

fn pkcs8(algorithm: &[u8], inner: &[u8], behind: &[u8]) -> Vec<u8> {
    let key = der::encode(der::OCTET_STRING, &[inner]);
    let version = der::encode(der::INTEGER, &[&[u8::from(!behind.is_empty())]]);
    der::encode(der::SEQUENCE, &[&version, algorithm, &key, behind])
}

fn nist(arc: &[u8]) -> Vec<u8> {
    let id = der::encode(
        der::OID,
        &[&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04], arc],
    );
    der::encode(der::SEQUENCE, &[&id])
}

/// FIPS 205, section 9.1: where the public half stands in the private one, also wrapped as drafts did.
#[test]
fn slh_dsa_private_keys_contain_their_public_half() {
    let key = [vec![1; 32], vec![2; 32]].concat();
    for inner in [key.clone(), der::encode(der::OCTET_STRING, &[&key])] {
        let artifact = one(&pkcs8(&nist(&[3, 20]), &inner, &[]), Some("PRIVATE KEY"));
        let identity = identify(&artifact);
        assert_eq!(identity.algorithm.as_deref(), Some("SLH-DSA-SHA2-128s"));
        assert!(matches!(artifact.key, KeyMaterial::Raw { public, .. } if public == [2; 32]));
        assert!(identity.key_id.is_some());
    }
}

/// Private keys whose parts contradict one another have no identity, and a note; those of a wrong length are none.
#[test]
fn post_quantum_private_keys_that_contradict_themselves() {
    let octets = |bytes: &[u8]| der::encode(der::OCTET_STRING, &[bytes]);
    let expanded = [vec![1; 1152], vec![2; 1184], vec![3; 64]].concat();
    let both = der::encode(der::SEQUENCE, &[&octets(&[9; 64]), &octets(&expanded)]);
    // Coefficients of s1 beyond eta: the library would panic. And zeros, which are within it.
    let long = octets(&[0xff; 4032]);
    let short = octets(&[0; 4032]);
    for (arc, inner, name) in [
        ([4, 2], octets(&expanded), "ML-KEM-768"),
        ([4, 2], both, "ML-KEM-768"),
        ([3, 18], long, "ML-DSA-65"),
        ([3, 18], short, "ML-DSA-65"),
        ([3, 17], octets(&[0xff; 2560]), "ML-DSA-44"),
        ([3, 19], octets(&[0xff; 4896]), "ML-DSA-87"),
    ] {
        let identity = identify(&one(&pkcs8(&nist(&arc), &inner, &[]), Some("PRIVATE KEY")));
        assert_eq!(identity.algorithm.as_deref(), Some(name));
        assert_eq!(identity.key_id, None, "{name}");
        assert_eq!(identity.notes.len(), 1, "{name}");
    }
    let (artifacts, faults) = read(
        &pkcs8(&nist(&[3, 18]), &octets(&[0; 4031]), &[]),
        Some("PRIVATE KEY"),
    );
    assert!(artifacts.is_empty());
    assert_eq!(faults.len(), 1);
}
