//! One key is one identity in every encoding that the real tools write.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use crate::keytools::{generate, generate_ec, one, openssl, read, run, spki_id};
use keymuster::formats::wire::curves;
use keymuster::formats::wire::der::{self, Element, Reader};
use keymuster::identity::identify;
use keymuster::model::{
    Artifact, Encoding, KeyId, KeyMaterial, Kind, PrivateNumbers, Protection, Secret,
};

const PKEY: [&str; 5] = ["pkey", "-inform", "DER", "-outform", "DER"];

fn public(private: &[u8]) -> Vec<u8> {
    openssl(&[&PKEY[..], &["-pubout"]].concat(), private)
}

/// Checks that bytes are read as one key of this identity, algorithm and size, bare and under their label.
#[track_caller]
fn check(bytes: &[u8], label: &str, format: &str, expected: &KeyId, algorithm: &str) {
    for label in [None, Some(label)] {
        let artifact = one(bytes, label);
        let identity = identify(&artifact);
        assert_eq!(
            identity.key_id.as_ref(),
            Some(expected),
            "{format} {label:?}"
        );
        assert_eq!(identity.algorithm.as_deref(), Some(algorithm), "{format}");
        assert_eq!(artifact.format, format);
        assert_eq!(artifact.notes.len() + identity.notes.len(), 0);
        let protection = (artifact.kind == Kind::PrivateKey).then_some(Protection::None);
        assert_eq!(artifact.protection, protection);
    }
}

/// Certificate and request of a private key.
fn check_certificates(private: &[u8], expected: &KeyId, algorithm: &str) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key.der"), private).unwrap();
    let made = |arguments: &[&str]| {
        let fixed = [
            "req",
            "-new",
            "-key",
            "key.der",
            "-keyform",
            "DER",
            "-subj",
            "/CN=one.example",
            "-outform",
            "DER",
        ];
        run(
            directory.path(),
            "openssl",
            &[&fixed, arguments].concat(),
            &[],
        )
    };
    let certificate = made(&["-x509"]);
    check(&certificate, "CERTIFICATE", "x509", expected, algorithm);
    check(
        &made(&[]),
        "CERTIFICATE REQUEST",
        "pkcs10",
        expected,
        algorithm,
    );

    let fingerprints = identify(&one(&certificate, None)).fingerprints;
    for (digest, found) in [
        ("-sha256", fingerprints.cert_sha256.map(|d| d.to_string())),
        ("-sha1", fingerprints.cert_sha1.map(|d| d.to_string())),
        ("-md5", fingerprints.cert_md5.map(|d| d.to_string())),
    ] {
        let told = openssl(
            &["x509", "-inform", "DER", "-noout", "-fingerprint", digest],
            &certificate,
        );
        let told = String::from_utf8(told)
            .unwrap()
            .to_lowercase()
            .replace(':', "");
        assert_eq!(told.trim().split_once('=').unwrap().1, found.unwrap());
    }
}

#[test]
fn rsa_keys() {
    for options in [
        &["rsa_keygen_bits:2048"][..],
        &["rsa_keygen_bits:1024", "rsa_keygen_pubexp:3"],
    ] {
        let private = generate("RSA", options);
        let spki = public(&private);
        let expected = spki_id(&spki);
        check(&private, "PRIVATE KEY", "pkcs8", &expected, "RSA");
        check(&spki, "PUBLIC KEY", "spki", &expected, "RSA");
        let rsa = |more: &[&str]| {
            openssl(
                &[&["rsa", "-inform", "DER", "-outform", "DER"], more].concat(),
                &private,
            )
        };
        check(
            &rsa(&["-traditional"]),
            "RSA PRIVATE KEY",
            "pkcs1",
            &expected,
            "RSA",
        );
        check(
            &rsa(&["-RSAPublicKey_out"]),
            "RSA PUBLIC KEY",
            "pkcs1",
            &expected,
            "RSA",
        );
        check_certificates(&private, &expected, "RSA");
    }
}

#[test]
fn rsa_pss_keys_fold_into_rsa() {
    let private = generate(
        "RSA-PSS",
        &["rsa_keygen_bits:2048", "rsa_pss_keygen_md:sha256"],
    );
    // The same numbers as a plain RSA key, by way of PKCS#1.
    let pkcs1 = openssl(
        &[
            "rsa",
            "-inform",
            "DER",
            "-outform",
            "DER",
            "-RSAPublicKey_out",
        ],
        &private,
    );
    let plain = openssl(
        &[
            "rsa",
            "-RSAPublicKey_in",
            "-inform",
            "DER",
            "-pubout",
            "-outform",
            "DER",
        ],
        &pkcs1,
    );
    let expected = spki_id(&plain);
    check(&private, "PRIVATE KEY", "pkcs8", &expected, "RSASSA-PSS");
    check(
        &public(&private),
        "PUBLIC KEY",
        "spki",
        &expected,
        "RSASSA-PSS",
    );
    check(&plain, "PUBLIC KEY", "spki", &expected, "RSA");
    check_certificates(&private, &expected, "RSASSA-PSS");
    let fingerprints = identify(&one(&public(&private), None)).fingerprints;
    assert_eq!(
        Some(spki_id(&public(&private))),
        fingerprints.spki_sha256.map(KeyId::Spki)
    );
}

#[test]
fn ec_keys_in_every_form() {
    for curve in [
        "prime256v1",
        "secp384r1",
        "secp521r1",
        "secp224r1",
        "secp256k1",
        "brainpoolP256r1",
        "brainpoolP384t1",
    ] {
        let private = generate_ec(curve);
        let spki = public(&private);
        let expected = spki_id(&spki);
        check(&private, "PRIVATE KEY", "pkcs8", &expected, "EC");
        check(&spki, "PUBLIC KEY", "spki", &expected, "EC");
        check_certificates(&private, &expected, "EC");
        let ec = |more: &[&str]| {
            openssl(
                &[&["ec", "-inform", "DER", "-outform", "DER"], more].concat(),
                &private,
            )
        };
        for form in [
            &[][..],
            &["-no_public"],
            &["-conv_form", "compressed"],
            &["-conv_form", "hybrid"],
            &["-param_enc", "explicit"],
            &["-param_enc", "explicit", "-conv_form", "compressed"],
            &["-param_enc", "explicit", "-no_public"],
        ] {
            let sec1 = ec(form);
            check(&sec1, "EC PRIVATE KEY", "sec1", &expected, "EC");
            let pkcs8 = openssl(
                &[
                    "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER",
                ],
                &sec1,
            );
            check(&pkcs8, "PRIVATE KEY", "pkcs8", &expected, "EC");
            if !form.contains(&"-no_public") {
                let spki = ec(&[form, &["-pubout"]].concat());
                check(&spki, "PUBLIC KEY", "spki", &expected, "EC");
                let told = identify(&one(&spki, None)).fingerprints.spki_sha256;
                assert_eq!(told.map(KeyId::Spki), Some(spki_id(&spki)), "{form:?}");
            }
        }
    }
}

#[test]
fn keys_of_rfc_8410() {
    for (name, bits, signs) in [
        ("Ed25519", 256, true),
        ("Ed448", 456, true),
        ("X25519", 256, false),
        ("X448", 448, false),
    ] {
        for _ in 0..4 {
            let private = generate(name, &[]);
            let spki = public(&private);
            let expected = spki_id(&spki);
            check(&private, "PRIVATE KEY", "pkcs8", &expected, name);
            check(&spki, "PUBLIC KEY", "spki", &expected, name);
            assert_eq!(identify(&one(&spki, None)).bits, Some(bits));
            if signs {
                check_certificates(&private, &expected, name);
            }
        }
    }
}

/// RFC 8410, section 10.3: the second example is version 2, with a public key and an attribute.
#[test]
fn pkcs8_version_2_of_rfc_8410() {
    let pem = "-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----";
    let public = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----";
    let private = pem::parse(pem).unwrap().into_contents();
    let expected = spki_id(pem::parse(public).unwrap().contents());
    check(&private, "PRIVATE KEY", "pkcs8", &expected, "Ed25519");
}

#[test]
fn dsa_keys() {
    let parameters = openssl(
        &[
            "genpkey",
            "-genparam",
            "-algorithm",
            "DSA",
            "-pkeyopt",
            "dsa_paramgen_bits:1024",
        ],
        &[],
    );
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("parameters.pem"), parameters).unwrap();
    let private = run(
        directory.path(),
        "openssl",
        &["genpkey", "-paramfile", "parameters.pem", "-outform", "DER"],
        &[],
    );
    let private = openssl(
        &[
            "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER",
        ],
        &private,
    );
    let spki = public(&private);
    let expected = spki_id(&spki);
    check(&private, "PRIVATE KEY", "pkcs8", &expected, "DSA");
    check(&spki, "PUBLIC KEY", "spki", &expected, "DSA");
    let traditional = openssl(&["dsa", "-inform", "DER", "-outform", "DER"], &private);
    check(&traditional, "DSA PRIVATE KEY", "dsa", &expected, "DSA");
    check_certificates(&private, &expected, "DSA");
    assert_eq!(identify(&one(&private, None)).bits, Some(1024));
}

/// Every line of the table, read back from the parameters that OpenSSL writes out.
#[test]
fn the_table_of_curves_is_that_of_openssl() {
    for curve in curves::PRIME {
        let name = match curve.name {
            "P-192" => "prime192v1",
            "P-224" => "secp224r1",
            "P-256" => "prime256v1",
            "P-384" => "secp384r1",
            "P-521" => "secp521r1",
            "curveSM2" => "SM2",
            other => other,
        };
        let explicit = openssl(
            &[
                "ecparam",
                "-name",
                name,
                "-param_enc",
                "explicit",
                "-outform",
                "DER",
            ],
            &[],
        );
        let mut fields = Element::read_all(&explicit)
            .unwrap()
            .enter(der::SEQUENCE)
            .unwrap();
        fields.element().unwrap();
        let mut field = fields.enter(der::SEQUENCE).unwrap();
        field.element().unwrap();
        let p = field.element().unwrap().unsigned().unwrap();
        let mut coefficients: Reader<'_> = fields.enter(der::SEQUENCE).unwrap();
        let a = coefficients.element().unwrap().content;
        let b = coefficients.element().unwrap().content;
        let base = fields.element().unwrap().content;
        let n = fields.element().unwrap().unsigned().unwrap();
        let same = |digits: &str, bytes: &[u8]| {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(
                digits.trim_start_matches('0'),
                hex.trim_start_matches('0'),
                "{name}"
            );
        };
        same(curve.p, p);
        same(curve.a, a);
        same(curve.b, b);
        same(curve.n, n);
        same(&format!("04{}{}", curve.gx, curve.gy), base);
        assert_eq!(curve.gx.len(), curve.p.len());
        assert_eq!(curve.gy.len(), curve.p.len());
        let leading = p.first().unwrap().leading_zeros() as usize;
        assert_eq!(curve.bits as usize, p.len() * 8 - leading, "{name}");
        let named = openssl(&["ecparam", "-name", name, "-outform", "DER"], &[]);
        assert_eq!(
            Element::read_all(&named).unwrap().content,
            curve.oid,
            "{name}"
        );

        // And the arithmetic on it.
        if name != "SM2" {
            let private = generate_ec(name);
            let expected = spki_id(&public(&private));
            let bare = openssl(
                &["ec", "-inform", "DER", "-outform", "DER", "-no_public"],
                &private,
            );
            check(&bare, "EC PRIVATE KEY", "sec1", &expected, "EC");
            assert_eq!(
                identify(&one(&bare, None)).curve.as_deref(),
                Some(curve.name)
            );
        }
    }
    assert_eq!(curves::PRIME.len(), 35);
}

#[test]
fn ssh_blobs_and_their_fingerprints() {
    use base64::Engine as _;
    let directory = tempfile::tempdir().unwrap();
    let keygen = |arguments: &[&str]| run(directory.path(), "ssh-keygen", arguments, &[]);
    for (kind, bits) in [
        ("rsa", "2048"),
        ("dsa", "1024"),
        ("ecdsa", "256"),
        ("ecdsa", "384"),
        ("ecdsa", "521"),
        ("ed25519", "256"),
    ] {
        let name = format!("{kind}{bits}");
        keygen(&["-q", "-t", kind, "-b", bits, "-N", "", "-f", &name]);
        let line = std::fs::read_to_string(directory.path().join(format!("{name}.pub"))).unwrap();
        let blob = base64::engine::general_purpose::STANDARD
            .decode(line.split(' ').nth(1).unwrap())
            .unwrap();
        let artifact = Artifact::new(
            Kind::PublicKey,
            "openssh_public",
            Encoding::Text,
            KeyMaterial::SshBlob(blob),
        );
        let identity = identify(&artifact);
        let told = |hash: &str| {
            let told = keygen(&["-l", "-E", hash, "-f", &name]);
            String::from_utf8(told)
                .unwrap()
                .split(' ')
                .nth(1)
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            identity.fingerprints.ssh_sha256.unwrap().to_string(),
            told("sha256")
        );
        assert_eq!(
            identity.fingerprints.ssh_md5.unwrap().to_string(),
            told("md5")
        );
        assert_eq!(identity.bits, Some(bits.parse().unwrap()));
        if kind != "ed25519" {
            let pem = keygen(&["-e", "-m", "PKCS8", "-f", &name]);
            let spki = pem::parse(pem).unwrap().into_contents();
            assert_eq!(identity.key_id, Some(spki_id(&spki)), "{name}");
            let from_spki = identify(&one(&spki, None));
            assert_eq!(from_spki.fingerprints, identity.fingerprints);
        }
    }
}

#[test]
fn keygrips_are_those_of_gpg() {
    use base64::Engine as _;
    for algorithm in ["rsa2048", "nistp256", "nistp521", "ed25519"] {
        let directory = tempfile::tempdir().unwrap();
        let gpg = |arguments: &[&str]| {
            let fixed = ["--batch", "--pinentry-mode", "loopback", "--passphrase", ""];
            run(directory.path(), "gpg", &[&fixed, arguments].concat(), &[])
        };
        gpg(&["--quick-gen-key", "a@example.org", algorithm, "sign,auth"]);
        let listing = gpg(&["--with-colons", "--with-keygrip", "-K"]);
        let listing = String::from_utf8(listing).unwrap();
        let grip = listing.lines().find(|l| l.starts_with("grp:")).unwrap();
        let grip = grip.split(':').nth(9).unwrap().to_lowercase();
        let fingerprint = listing.lines().find(|l| l.starts_with("fpr:")).unwrap();
        let fingerprint = format!("{}!", fingerprint.split(':').nth(9).unwrap());
        let line = String::from_utf8(gpg(&["--export-ssh-key", &fingerprint])).unwrap();
        let blob = base64::engine::general_purpose::STANDARD
            .decode(line.split(' ').nth(1).unwrap())
            .unwrap();
        let artifact = Artifact::new(
            Kind::PublicKey,
            "openssh_public",
            Encoding::Text,
            KeyMaterial::SshBlob(blob),
        );
        let found = identify(&artifact)
            .fingerprints
            .keygrip
            .unwrap()
            .to_string();
        assert_eq!(found, grip, "{algorithm}");
        run(directory.path(), "gpgconf", &["--kill", "gpg-agent"], &[]);
    }
}

#[test]
fn what_has_no_public_half_has_no_identity_and_a_note() {
    let parameters = der::encode(der::OID, &[curves::PRIME[16].oid]);
    for scalar in [vec![0; 32], vec![0xff; 32], vec![1; 80]] {
        let artifact = Artifact::new(
            Kind::PrivateKey,
            "sec1",
            Encoding::Der,
            KeyMaterial::Private(PrivateNumbers::Ec {
                parameters: parameters.clone(),
                scalar: Secret::new(scalar),
            }),
        );
        let identity = identify(&artifact);
        assert_eq!(identity.key_id, None);
        assert_eq!(identity.algorithm.as_deref(), Some("EC"));
        assert_eq!(identity.curve.as_deref(), Some(curves::PRIME[16].name));
        assert_eq!(identity.bits, Some(curves::PRIME[16].bits));
        assert_eq!(identity.notes.len(), 1);
    }
}

#[test]
fn a_point_off_its_curve_is_identified_by_its_bytes() {
    let mut spki = public(&generate_ec("prime256v1"));
    *spki.last_mut().unwrap() ^= 1;
    let identity = identify(&one(&spki, Some("PUBLIC KEY")));
    assert_eq!(identity.key_id, Some(spki_id(&spki)));
    assert_eq!(identity.curve.as_deref(), Some("P-256"));
    assert_eq!(identity.notes.len(), 1);
}

/// A key of an algorithm that nobody knows is one all the same, under its label.
#[test]
fn unknown_algorithms() {
    let id = der::encode(
        der::OID,
        &[&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x7f]],
    );
    let algorithm = der::encode(der::SEQUENCE, &[&id]);
    let key = der::encode(der::BIT_STRING, &[&[0; 40]]);
    let spki = der::encode(der::SEQUENCE, &[&algorithm, &key]);
    let identity = identify(&one(&spki, Some("PUBLIC KEY")));
    assert_eq!(identity.key_id, Some(spki_id(&spki)));
    assert_eq!(identity.algorithm.as_deref(), Some("1.3.6.1.4.1.311.127"));
    assert!(read(&spki, None).0.is_empty(), "bare, it may be anything");
}
