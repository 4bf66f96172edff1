//! Files that are a key blob of Microsoft's CryptoAPI (`openssl rsa -outform MSBLOB`, .NET's `ExportCspBlob`, strong name
//! keys `.snk`).

use super::wire::capi::{self, Stop};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, Kind, Protection, Reading,
};

/// The reader of a PUBLICKEYBLOB or PRIVATEKEYBLOB.
pub struct CapiBlob;

impl Format for CapiBlob {
    fn name(&self) -> &'static str {
        "capi_blob"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 6] = [
            Signature::at_start(0, b"\x06\x02\0\0\0\xa4\0\0RSA1", Clue::Magic),
            Signature::at_start(0, b"\x06\x02\0\0\0\x24\0\0RSA1", Clue::Magic),
            Signature::at_start(0, b"\x07\x02\0\0\0\xa4\0\0RSA2", Clue::Magic),
            Signature::at_start(0, b"\x07\x02\0\0\0\x24\0\0RSA2", Clue::Magic),
            Signature::at_start(0, b"\x06\x02\0\0\0\x22\0\0DSS1", Clue::Magic),
            Signature::at_start(0, b"\x07\x02\0\0\0\x22\0\0DSS2", Clue::Magic),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let begins = |s: &Signature| bytes.starts_with(s.literal);
        if candidate.at != 0 || !candidate.at_start || !self.signatures().iter().any(begins) {
            return Reading::NotMine;
        }
        let mut found = Found {
            // Behind one that cannot be read other things may follow.
            end: capi::HEADER,
            ..Found::default()
        };
        let mut fault = |reason, what: &str| {
            found.faults.push(Fault {
                reason,
                offset: 0,
                detail: format!("CryptoAPI key blob: {what}"),
            });
        };
        match capi::read(bytes) {
            Err(Stop::Other) => return Reading::NotMine,
            Err(Stop::Cut) if !candidate.at_end => return Reading::NeedMore { from: 0 },
            Err(Stop::Cut) => fault(GapReason::Truncated, "cut off"),
            Err(Stop::Bad) => fault(GapReason::Malformed, "its numbers are no key"),
            Ok(blob) => {
                let kind = if blob.header.is_private {
                    Kind::PrivateKey
                } else {
                    Kind::PublicKey
                };
                let mut artifact = Artifact::new(kind, self.name(), Encoding::Binary, blob.key);
                artifact.protection = blob.header.is_private.then_some(Protection::None);
                found.artifacts.push(artifact);
                found.end = blob.length;
            }
        }
        Reading::Found(found)
    }
}
