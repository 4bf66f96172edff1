//! The independent tools that tests compare with, and the way from bytes to artifacts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use keymuster::formats;
use keymuster::model::{Artifact, Candidate, Clue, Encoding, Fault, KeyId, Reading};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a tool with this input and gives what it writes. A tool that is missing or fails fails the test.
pub(crate) fn run(directory: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("GNUPGHOME", directory)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program} cannot be run ({e}): install its package"));
    // A tool that needs no input may have gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs openssl with this input.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    run(Path::new("/"), "openssl", arguments, input)
}

/// A new private key as PKCS#8 DER.
pub(crate) fn generate(algorithm: &str, options: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["genpkey", "-algorithm", algorithm, "-outform", "DER"];
    for option in options {
        arguments.extend(["-pkeyopt", option]);
    }
    let key = openssl(&arguments, &[]);
    // genpkey writes some keys in their traditional form.
    openssl(
        &[
            "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER",
        ],
        &key,
    )
}

/// A new EC private key on that curve as PKCS#8 DER.
pub(crate) fn generate_ec(curve: &str) -> Vec<u8> {
    generate(
        "EC",
        &[
            &format!("ec_paramgen_curve:{curve}"),
            "ec_param_enc:named_curve",
        ],
    )
}

/// What the readers, asked in their order, say of bytes.
pub(crate) fn read(bytes: &[u8], label: Option<&str>) -> (Vec<Artifact>, Vec<Fault>) {
    read_with(bytes, label, &[])
}

/// The same with PEM headers.
pub(crate) fn read_with(
    bytes: &[u8],
    label: Option<&str>,
    headers: &[(String, String)],
) -> (Vec<Artifact>, Vec<Fault>) {
    let (clue, encoding) = match label {
        Some(_) => (Clue::PemBody, Encoding::Pem),
        None => (Clue::DerObject, Encoding::Der),
    };
    let candidate = Candidate {
        clue,
        bytes,
        at: 0,
        at_end: true,
        at_start: true,
        encoding,
        label,
        headers,
        file_name: b"",
        unlock: keymuster::model::Unlock::NONE,
    };
    for format in formats::ALL {
        if !format.clues().contains(&clue) {
            continue;
        }
        if let Reading::Found(found) = format.read(&candidate) {
            assert!(found.end <= bytes.len(), "{}", format.name());
            return (found.artifacts, found.faults);
        }
    }
    (Vec::new(), Vec::new())
}

/// The one artifact that the readers find in bytes.
pub(crate) fn one(bytes: &[u8], label: Option<&str>) -> Artifact {
    let (mut artifacts, faults) = read(bytes, label);
    assert_eq!(
        (artifacts.len(), faults.len()),
        (1, 0),
        "{label:?} {faults:?}"
    );
    artifacts.remove(0)
}

/// The identity that a SubjectPublicKeyInfo in its canonical form has.
pub(crate) fn spki_id(spki: &[u8]) -> KeyId {
    let digest: [u8; 32] = Sha256::digest(spki).into();
    KeyId::Spki(keymuster::model::Hex(digest))
}
