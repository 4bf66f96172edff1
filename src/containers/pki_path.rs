//! PkiPath: a chain of certificates in DER, the one nearest to the anchor first (RFC 6066, section 8; X.509; Java's
//! `CertPath`).
//!
//! ```asn1
//! PkiPath ::= SEQUENCE OF Certificate
//! ```

use crate::formats::Format;
use crate::formats::wire::certificate::Frame;
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::labels;
use crate::model::{Candidate, Clue, Encoding, Found, Nested, Reading};
use zeroize::Zeroizing;

/// The container.
pub struct PkiPath;

/// The most certificates of one path.
const CERTIFICATES_MAX: usize = 1000;

impl Format for PkiPath {
    fn name(&self) -> &'static str {
        "pki_path"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(mut path) = labels::object(candidate).and_then(|e| e.enter(der::SEQUENCE).ok())
        else {
            return Reading::NotMine;
        };
        let mut nested = Vec::new();
        while !path.is_empty() {
            let offset = candidate.bytes.len() - path.rest().len();
            let Ok(element) = path.element() else {
                return Reading::NotMine;
            };
            if !is_certificate(&element) || nested.len() >= CERTIFICATES_MAX {
                return Reading::NotMine;
            }
            let bytes = Zeroizing::new(element.raw.to_vec());
            // Inside an armour or base64 that is the place of all of it.
            let offset = match candidate.encoding {
                Encoding::Der => offset,
                _ => 0,
            };
            nested.push(Nested::new(
                Clue::DerObject,
                bytes,
                candidate.encoding,
                offset,
            ));
        }
        if nested.is_empty() {
            return Reading::NotMine;
        }
        Reading::Found(Found {
            nested,
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}

fn is_certificate(element: &Element<'_>) -> bool {
    Frame::read(element).is_ok_and(|frame| frame.is_plausible())
}
