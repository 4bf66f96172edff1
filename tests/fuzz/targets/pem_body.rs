//! Decoded bodies under every label: the first byte chooses it, the rest is the body.
#![no_main]

use keymuster::formats;
use keymuster::model::{Candidate, Clue, Encoding};
use keymuster::parse::Parser;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::new(formats::ALL));

/// RFC 7468, OpenSSL's pem.h and OpenSSH; the empty one stands for a bare DER object.
const LABELS: &[&str] = &[
    "",
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    "X509 CRL",
    "PKCS7",
    "PKCS #7 SIGNED DATA",
    "CMS",
    "PUBLIC KEY",
    "RSA PUBLIC KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "DSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "EC PARAMETERS",
    "DH PARAMETERS",
    "X9.42 DH PARAMETERS",
    "DSA PARAMETERS",
    "OPENSSH PRIVATE KEY",
    "ATTRIBUTE CERTIFICATE",
    "SSH2 ENCRYPTED PRIVATE KEY",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let label = LABELS[usize::from(*first) % LABELS.len()];
    let encrypted = [
        ("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned()),
        (
            "DEK-Info".to_owned(),
            "AES-256-CBC,00112233445566778899AABBCCDDEEFF".to_owned(),
        ),
    ];
    let bare = label.is_empty();
    let parsed = PARSER.examine(&Candidate {
        clue: if bare { Clue::DerObject } else { Clue::PemBody },
        bytes: body,
        at: 0,
        at_end: true,
        at_start: true,
        encoding: if bare { Encoding::Der } else { Encoding::Pem },
        label: (!bare).then_some(label),
        headers: if *first >= 0x80 { &encrypted } else { &[] },
        file_name: b"x",
        unlock: keymuster::model::Unlock::NONE,
    });
    for artifact in &parsed.artifacts {
        assert!(artifact.offset <= body.len());
    }
    for fault in &parsed.faults {
        assert!(fault.offset <= body.len());
    }
});
