use super::pkcs12::Purpose;
use super::*;
use std::fs;
use std::process::Command;

const ENOUGH: u64 = 1 << 40;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn pbkdf2(hash: Hash, password: &str, salt: &str, iterations: u64, length: usize) -> String {
    let effort = Effort::new(ENOUGH);
    let key = hash.pbkdf2(
        password.as_bytes(),
        salt.as_bytes(),
        iterations,
        length,
        &effort,
    );
    hex(&key.unwrap())
}

#[test]
fn pbkdf2_gives_the_published_vectors() {
    // RFC 6070, section 2.
    assert_eq!(
        pbkdf2(Hash::Sha1, "password", "salt", 4096, 20),
        "4b007901b765489abead49d926f721d065a429c1"
    );
    assert_eq!(
        pbkdf2(
            Hash::Sha1,
            "passwordPASSWORDpassword",
            "saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4096,
            25
        ),
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"
    );
    // RFC 7914, section 11.
    assert_eq!(
        pbkdf2(Hash::Sha256, "passwd", "salt", 1, 64),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
         49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
    );
}

#[test]
fn scrypt_gives_the_published_vector() {
    // RFC 7914, section 12.
    let effort = Effort::new(ENOUGH);
    let key = scrypt(b"password", b"NaCl", (1024, 8, 16), 64, &effort).unwrap();
    assert_eq!(
        hex(&key),
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
         2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    );
}

/// What `openssl kdf` derives.
fn by_openssl(kdf: &str, length: usize, options: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["kdf", "-keylen", &length.to_string()]);
    for option in options {
        command.args(["-kdfopt", option]);
    }
    let output = command.arg(kdf).output().expect("openssl can be run");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().replace(':', "").to_lowercase()
}

#[test]
fn pkcs12_derivation_agrees_with_openssl() {
    let hashes = [
        (Hash::Sha1, "SHA1"),
        (Hash::Sha256, "SHA256"),
        (Hash::Sha384, "SHA384"),
        (Hash::Sha512, "SHA512"),
    ];
    for (hash, name) in hashes {
        for (purpose, id) in [
            (Purpose::Key, "1"),
            (Purpose::Vector, "2"),
            (Purpose::Mac, "3"),
        ] {
            let form = pkcs12::forms("gr\u{fc}n".as_bytes());
            let password = format!("hexpass:{}", hex(&form[0]));
            let options = [
                &format!("digest:{name}"),
                &password,
                "hexsalt:0102030405060708",
                "iter:3",
                &format!("id:{id}"),
            ];
            let expected = by_openssl("PKCS12KDF", 150, &options);
            let effort = Effort::new(ENOUGH);
            let salt = [1, 2, 3, 4, 5, 6, 7, 8];
            let key = pkcs12::derive(hash, purpose, &form[0], &salt, 3, 150, &effort).unwrap();
            assert_eq!(hex(&key), expected, "{name} {id}");
        }
    }
}

#[test]
fn sha3_derivation_agrees_with_openssl() {
    let options = ["digest:SHA3-512", "pass:word", "salt:salt", "iter:7"];
    assert_eq!(
        pbkdf2(Hash::Sha3_512, "word", "salt", 7, 100),
        by_openssl("PBKDF2", 100, &options)
    );
}

/// Algorithm and ciphertext of an EncryptedPrivateKeyInfo.
fn parts(element: &Element<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut fields = element.enter(der::SEQUENCE).unwrap();
    let algorithm = fields.expect(der::SEQUENCE).unwrap().raw.to_vec();
    (
        algorithm,
        fields.expect(der::OCTET_STRING).unwrap().content.to_vec(),
    )
}

#[test]
fn every_scheme_that_openssl_writes_opens_with_its_password_alone() {
    let password = fs::read("fixtures/passphrases.txt").unwrap();
    let password = password.trim_ascii();
    let mut opened = 0;
    for entry in fs::read_dir("fixtures/encrypted_pkcs8").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "der") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let (algorithm, data) = parts(&Element::read_all(&bytes).unwrap());
        let algorithm = Element::read_all(&algorithm).unwrap();
        let algorithm = Algorithm::read(&algorithm).unwrap();
        let effort = Effort::new(ENOUGH);
        let is_key = |clear: Zeroizing<Vec<u8>>| {
            Element::read_all(&clear)
                .is_ok_and(|key| key.tag == der::SEQUENCE)
                .then_some(())
        };
        let right = open(&algorithm, &data, password, &effort, is_key);
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.contains("camellia") {
            assert_eq!(
                right,
                Err(Closed::Unsupported("camellia-256-cbc".to_owned()))
            );
            continue;
        }
        assert_eq!(right, Ok(Some(())), "{name}");
        assert_eq!(
            open(&algorithm, &data, b"wrong", &effort, is_key),
            Ok(None),
            "{name}"
        );
        opened += 1;
    }
    assert!(opened >= 12, "{opened}");
}

#[test]
fn what_costs_too_much_is_refused_before_it_starts() {
    let effort = Effort::new(Effort::PER_FILE);
    let limit = |result: Result<Zeroizing<Vec<u8>>, Closed>| match result {
        Err(Closed::Limit(text)) => text,
        other => panic!("{:?}", other.map(|_| ())),
    };
    let text = limit(Hash::Sha256.pbkdf2(b"p", b"s", 10_000_000, 32, &effort));
    assert!(text.contains("10000000"), "{text}");
    limit(Hash::Sha256.pbkdf2(b"p", b"s", u64::MAX, 1 << 20, &effort));
    let text = limit(scrypt(b"p", b"s", (1 << 26, 8, 1), 32, &effort));
    assert!(text.contains("65536 MiB"), "{text}");
    limit(scrypt(
        b"p",
        b"s",
        (u64::MAX, u64::MAX, u64::MAX),
        32,
        &effort,
    ));
    // Little memory, and for ever.
    limit(scrypt(b"p", b"s", (1 << 14, 8, 1000), 32, &effort));
    limit(pkcs12::derive(
        Hash::Sha1,
        Purpose::Key,
        b"",
        b"s",
        3_000_000,
        24,
        &effort,
    ));
    // A salt is hashed once for each block, and scrypt has 1,024 of them here.
    let salt = vec![0; 4 << 20];
    let text = limit(scrypt(b"p", &salt, (2, 16, 16), 32, &effort));
    assert!(text.contains("a salt of 4194304 bytes"), "{text}");
    limit(Hash::Sha1.pbkdf2(b"p", &salt, 1, 4096, &effort));
    let key = Purpose::Key;
    limit(pkcs12::derive(
        Hash::Sha1,
        key,
        b"",
        &salt,
        1,
        4096,
        &effort,
    ));
    assert!(effort.spend(Effort::PER_FILE), "nothing was done");
    assert!(matches!(
        scrypt(b"p", b"s", (1000, 8, 1), 32, &Effort::new(ENOUGH)),
        Err(Closed::Unsupported(_))
    ));
}

#[test]
fn the_empty_password_has_two_forms_and_a_letter_beyond_ascii_too() {
    let bytes = |p: &[u8]| {
        pkcs12::forms(p)
            .iter()
            .map(|f| f.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(bytes(b""), [vec![0, 0], vec![]]);
    assert_eq!(bytes(b"ab"), [[0, 0x61, 0, 0x62, 0, 0]]);
    assert_eq!(
        bytes("\u{fc}".as_bytes()),
        [vec![0, 0xfc, 0, 0], vec![0, 0xc3, 0, 0xbc, 0, 0]]
    );
    assert_eq!(bytes(&[0xfc]), [[0, 0xfc, 0, 0]]);
}
