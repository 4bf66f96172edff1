//! Says why a body under a label of this family was read by no other reader. Asked last.

use super::Format;
use super::wire::ber;
use super::wire::der::{self, DerError, Element};
use crate::model::{Candidate, Clue, Fault, Found, GapReason, Reading};

/// The bodies that no reader took.
pub struct UnreadDer;

/// Labels of DER bodies end so (RFC 7468; OpenSSL's `pem.h`).
const ENDINGS: &[&str] = &[
    "CERTIFICATE",
    "CERTIFICATE REQUEST",
    "CRL",
    "PKCS7",
    "PKCS #7 SIGNED DATA",
    "CMS",
    "PUBLIC KEY",
    "PRIVATE KEY",
];

impl Format for UnreadDer {
    fn name(&self) -> &'static str {
        "der"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(label) = candidate.label else {
            return Reading::NotMine;
        };
        let known = ENDINGS.iter().any(|ending| label.ends_with(ending));
        if !known || label.starts_with("OPENSSH ") || label.starts_with("SSH2 ") {
            return Reading::NotMine;
        }
        let (reason, what) = match Element::read(candidate.bytes) {
            // The armour has its end, so this is no cut file but wrong contents.
            Err(DerError::Truncated { .. }) if candidate.bytes.first() == Some(&der::SEQUENCE) => {
                (GapReason::Malformed, "ends before its DER does")
            }
            Err(_) if ber::read(candidate.bytes).is_ok() => {
                (GapReason::Unsupported, "is BER with indefinite lengths")
            }
            Err(_) => (GapReason::Malformed, "is not DER"),
            Ok((_, rest)) if !rest.is_empty() => {
                (GapReason::Malformed, "is no single object of a known form")
            }
            Ok(_) => (GapReason::Malformed, "is DER of no known form"),
        };
        Reading::Found(Found {
            faults: vec![Fault {
                reason,
                offset: 0,
                detail: format!("the body under {label} {what}"),
            }],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}
