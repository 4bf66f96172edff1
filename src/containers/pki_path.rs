//! PkiPath: a chain of certificates in DER, the one nearest to the anchor first (RFC 6066, section 8; X.509; Java's
//! `CertPath`).
//!
//! ```asn1
//! PkiPath ::= SEQUENCE OF Certificate
//! ```

use crate::formats::Format;
use crate::formats::wire::certificate;
use crate::formats::wire::labels;
use crate::model::{Candidate, Clue, Encoding, Found, Nested, Reading};
use zeroize::Zeroizing;

/// The container.
pub struct PkiPath;

impl Format for PkiPath {
    fn name(&self) -> &'static str {
        "pki_path"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(path) = labels::object(candidate).and_then(|e| certificate::path(&e)) else {
            return Reading::NotMine;
        };
        let first = candidate.bytes.as_ptr().addr();
        let nested = path.into_iter().map(|item| {
            // Inside an armour or base64 that is the place of all of it.
            let offset = match candidate.encoding {
                Encoding::Der => item.raw.as_ptr().addr().saturating_sub(first),
                _ => 0,
            };
            let bytes = Zeroizing::new(item.raw.to_vec());
            Nested::new(Clue::DerObject, bytes, candidate.encoding, offset)
        });
        Reading::Found(Found {
            nested: nested.collect(),
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}
