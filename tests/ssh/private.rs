//! Private key files.

use super::*;
use keymuster::model::{GapReason, Kind, Protection};

const PASSPHRASE: &str = "correct horse";

fn comment(artifact: &Artifact) -> Option<&str> {
    artifact.ssh.as_ref()?.comment.as_deref()
}

#[test]
fn every_type_in_clear_and_encrypted_has_the_blob_that_ssh_keygen_names() {
    let bench = Bench::new();
    for (name, arguments) in TYPES {
        bench.key(name, arguments);
        for encrypted in [false, true] {
            if encrypted {
                bench.keygen(&["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", name]);
            }
            let artifact = read_armoured(&bench.read(name)).only();
            assert_eq!(artifact.kind, Kind::PrivateKey);
            assert_eq!(artifact.format, "openssh_private");
            assert_eq!(artifact.encoding, Encoding::Pem);
            let path = bench.path(name);
            assert_eq!(
                [sha256(blob(&artifact))],
                *bench.fingerprints(&path, "sha256")
            );
            assert_eq!([md5(blob(&artifact))], *bench.fingerprints(&path, "md5"));
            assert_eq!(artifact.notes.len(), 0, "{:?}", artifact.notes);
            if encrypted {
                assert_eq!(artifact.protection, Some(Protection::Encrypted));
                assert_eq!(comment(&artifact), None);
            } else {
                assert_eq!(artifact.protection, Some(Protection::None));
                assert_eq!(artifact.cipher, None);
                assert_eq!(comment(&artifact), Some(&*format!("{name} comment")));
            }
        }
    }
}

#[test]
fn cipher_and_rounds_are_told_for_every_cipher() {
    let bench = Bench::new();
    for (index, cipher) in [
        "aes256-ctr",
        "aes128-cbc",
        "3des-cbc",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("key{index}");
        let rounds = (index + 3).to_string();
        let arguments = ["-t", "ed25519", "-q", "-f", &name, "-N", PASSPHRASE];
        bench.keygen(&[&arguments[..], &["-Z", cipher, "-a", &rounds]].concat());
        let artifact = read_armoured(&bench.read(&name)).only();
        let expected = format!("{cipher}, bcrypt rounds={rounds}");
        assert_eq!(artifact.cipher, Some(expected));
        assert!(artifact.notes.is_empty(), "{:?}", artifact.notes);
        assert_eq!(blob(&artifact), bench.public_blob(&format!("{name}.pub")));
    }
}

#[test]
fn bare_bytes_inside_others_are_found_and_cut_ones_ask_for_more() {
    let bench = Bench::new();
    bench.key("key", &["-t", "ed25519"]);
    let body = pem::parse(bench.read("key")).unwrap().into_contents();
    let bytes = [&[0xaa; 100][..], &body, &[0xbb; 50]].concat();
    let artifact = read_file(&bytes, "memory.dump").only();
    assert_eq!(artifact.offset, 100);
    assert_eq!(comment(&artifact), Some("key comment"));

    for end in [16, 20, 60, body.len() - 1] {
        let cut = Candidate {
            at_end: false,
            ..candidate(Clue::OpensshMagic, &bytes[..100 + end], 100)
        };
        assert!(
            matches!(ask(&cut), Reading::NeedMore { from: 100 }),
            "{end}"
        );
    }
}

#[test]
fn a_cut_or_garbled_structure_is_told_and_a_magic_number_alone_is_not() {
    let bench = Bench::new();
    bench.key("key", &["-t", "rsa", "-b", "2048"]);
    let body = pem::parse(bench.read("key")).unwrap().into_contents();
    for end in 15..body.len() {
        let cut = pem::encode(&pem::Pem::new("OPENSSH PRIVATE KEY", &body[..end]));
        let told = read_armoured(&cut);
        assert!(told.artifacts.is_empty(), "{end}");
        assert_eq!(told.faults.len(), 1, "{end}");
        assert_eq!(told.faults[0].reason, GapReason::Truncated, "{end}");
    }
    let mut garbled = body.clone();
    garbled[15..19].fill(0xff);
    let told = read_armoured(&pem::encode(&pem::Pem::new(
        "OPENSSH PRIVATE KEY",
        &garbled[..],
    )));
    assert_eq!(told.faults[0].reason, GapReason::Truncated);
    let told = read_armoured(&pem::encode(&pem::Pem::new(
        "OPENSSH PRIVATE KEY",
        &b"nonsense"[..],
    )));
    assert_eq!(told.faults[0].reason, GapReason::Malformed);

    let program = b"\x7fELF openssh-key-v1\0bcrypt\0none\0ssh: error in libcrypto\0";
    let told = read_file(program, "ssh");
    assert!(
        told.artifacts.is_empty() && told.faults.is_empty(),
        "{told:?}"
    );
}

/// Splits an unencrypted file of one key into its blob and its private section without check numbers and padding.
fn parts(body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut rest = &body[15..];
    let mut string = || {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let value = rest[4..4 + length].to_vec();
        rest = &rest[4 + length..];
        if value.is_empty() {
            // After the empty options of the KDF stands the number of keys.
            assert_eq!(rest[..4], [0, 0, 0, 1]);
            rest = &rest[4..];
        }
        value
    };
    assert_eq!(
        (string(), string(), string()),
        (b"none".to_vec(), b"none".to_vec(), vec![])
    );
    let (blob, private) = (string(), string());
    let padding = usize::from(*private.last().unwrap());
    let padding = if padding < 8 { padding } else { 0 };
    (blob, private[8..private.len() - padding].to_vec())
}

/// Joins keys into one structure; the check numbers differ if asked for.
fn join(keys: &[(Vec<u8>, Vec<u8>)], second_check: u8) -> String {
    let mut out = b"openssh-key-v1\0".to_vec();
    put(&mut out, b"none");
    put(&mut out, b"none");
    put(&mut out, b"");
    out.extend_from_slice(&u32::try_from(keys.len()).unwrap().to_be_bytes());
    let mut private = vec![1, 2, 3, 4, 1, 2, 3, second_check];
    for (blob, section) in keys {
        put(&mut out, blob);
        private.extend_from_slice(section);
    }
    for pad in 1.. {
        if private.len() % 8 == 0 {
            break;
        }
        private.push(pad);
    }
    put(&mut out, &private);
    pem::encode(&pem::Pem::new("OPENSSH PRIVATE KEY", out))
}

#[test]
fn several_keys_of_one_structure_are_several_artifacts() {
    let bench = Bench::new();
    let keys: Vec<_> = [TYPES[1], TYPES[4], TYPES[6], TYPES[7]]
        .into_iter()
        .map(|(name, arguments)| {
            bench.key(name, arguments);
            parts(&pem::parse(bench.read(name)).unwrap().into_contents())
        })
        .collect();
    let told = read_armoured(&join(&keys, 4));
    assert_eq!(told.artifacts.len(), 4);
    for (artifact, name) in told
        .artifacts
        .iter()
        .zip(["rsa2048", "p384", "ed25519", "dsa"])
    {
        assert_eq!(blob(artifact), bench.public_blob(&format!("{name}.pub")));
        assert_eq!(comment(artifact), Some(&*format!("{name} comment")));
        assert!(artifact.notes.is_empty(), "{:?}", artifact.notes);
    }

    // Check numbers that differ: the public half stands, nothing of the private section is believed.
    let artifact = read_armoured(&join(&keys[..1], 5)).only();
    assert_eq!(comment(&artifact), None);
    assert_eq!(
        artifact.notes,
        ["the check numbers of the private section differ"]
    );

    // The identity is that of the private half.
    let crossed = [(keys[0].0.clone(), keys[2].1.clone())];
    let artifact = read_armoured(&join(&crossed, 4)).only();
    assert_eq!(blob(&artifact), bench.public_blob("ed25519.pub"));
    assert_eq!(
        artifact.notes,
        ["the public half in the header is another key's"]
    );
}

#[test]
fn fido_and_unknown_keys_are_private_keys_too() {
    let mut section = fido_blob();
    section.push(1);
    put(&mut section, b"handle");
    put(&mut section, b"");
    put(&mut section, b"token");
    let artifact = read_armoured(&join(&[(fido_blob(), section)], 4)).only();
    assert_eq!(blob(&artifact), fido_blob());
    assert_eq!(comment(&artifact), Some("token"));

    let mut unknown = Vec::new();
    put(&mut unknown, b"ssh-new@example.com");
    put(&mut unknown, &[7; 64]);
    let mut section = unknown.clone();
    put(&mut section, b"private bytes of an unknown algorithm");
    let artifact = read_armoured(&join(&[(unknown.clone(), section)], 4)).only();
    assert_eq!(blob(&artifact), unknown);
    assert_eq!(artifact.protection, Some(Protection::None));
    assert!(!format!("{artifact:?}").contains("private bytes"));
}

#[test]
fn the_ssh_key_crate_sees_the_same_keys() {
    let bench = Bench::new();
    bench.key("key", &["-t", "ed25519"]);
    let theirs = ssh_key::PrivateKey::from_openssh(bench.read("key")).unwrap();
    let ours = read_armoured(&bench.read("key")).only();
    assert_eq!(blob(&ours), theirs.public_key().to_bytes().unwrap());
    assert_eq!(comment(&ours), theirs.comment().as_str().ok());
}
