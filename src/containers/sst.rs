//! Windows serialized certificate stores (`.sst`; "Certificate Store File Format" of [MS-OSHARED], section 2.3.9.1 as
//! documentation).

use crate::formats::Signature;
use crate::formats::wire::at_start::AtStart;
use crate::model::{
    Artifact, Candidate, Clue, Encoding, EntryFacts, Fault, Found, GapReason, KeyMaterial, Kind,
    Nested, Reading,
};
use std::sync::Arc;
use zeroize::Zeroizing;

const NAME: &str = "sst";
/// Version 0, `CERT`.
const MAGIC: &[u8] = b"\0\0\0\0CERT";
/// CERT_FRIENDLY_NAME_PROP_ID.
const FRIENDLY_NAME: u32 = 11;
/// What ends an element, and is its content: certificate, revocation list, trust list.
const CONTENTS: std::ops::RangeInclusive<u32> = 32..=34;
/// A larger store is not read.
const SIZE_MAX: usize = 32 << 20;

/// The container.
pub static SST: AtStart = AtStart {
    name: NAME,
    signatures: &[Signature::at_start(0, MAGIC, Clue::Magic)],
    read,
};

fn read(candidate: &Candidate<'_>) -> Reading {
    let Some(body) = candidate.bytes.strip_prefix(MAGIC) else {
        return Reading::NotMine;
    };
    let mut found = Found {
        artifacts: vec![Artifact::new(
            Kind::Keystore,
            NAME,
            Encoding::Binary,
            KeyMaterial::None,
        )],
        end: candidate.bytes.len(),
        ..Found::default()
    };
    let mut rest = body;
    let mut alias = None;
    let mut elements = 0;
    let end = loop {
        let Some((id, length, content)) = property(rest) else {
            break Err(());
        };
        if id == 0 {
            break Ok(candidate.bytes.len() - content.len());
        }
        let Some((value, after)) = content.split_at_checked(length) else {
            break Err(());
        };
        if id == FRIENDLY_NAME {
            alias = name(value);
        } else if CONTENTS.contains(&id) {
            let facts = EntryFacts {
                alias: alias.take(),
                ..EntryFacts::default()
            };
            let offset = candidate.bytes.len() - content.len();
            let bytes = Zeroizing::new(value.to_vec());
            found.nested.push(Nested {
                entry: Some(Arc::new(facts)),
                declared: true,
                ..Nested::new(Clue::DerObject, bytes, Encoding::Der, offset)
            });
            elements += 1;
        }
        rest = after;
    };
    match end {
        Ok(end) => found.end = end,
        Err(()) if !candidate.at_end && candidate.bytes.len() < SIZE_MAX => {
            return Reading::NeedMore { from: 0 };
        }
        // Two words of chance and nothing behind them.
        Err(()) if elements == 0 => return Reading::NotMine,
        Err(()) => {
            let (reason, detail) = if candidate.at_end {
                (GapReason::Truncated, "cut off".to_owned())
            } else {
                let most = SIZE_MAX >> 20;
                (GapReason::Limit, format!("larger than {most} MiB"))
            };
            found.faults.push(Fault {
                reason,
                offset: 0,
                detail: format!("certificate store: {detail}"),
            });
        }
    }
    Reading::Found(found)
}

/// A property: id, length of its value, and what follows. The end of the store has id 0.
fn property(bytes: &[u8]) -> Option<(u32, usize, &[u8])> {
    let word = |at: usize| {
        let word = bytes.get(at..at.checked_add(4)?)?;
        word.try_into().ok().map(u32::from_le_bytes)
    };
    let (id, encoding, length) = (word(0)?, word(4)?, word(8)?);
    // X509_ASN_ENCODING, with or without PKCS_7_ASN_ENCODING; nothing at the end.
    let known = matches!(encoding, 1 | 0x0001_0001) || id == 0 && encoding == 0;
    known.then_some((id, usize::try_from(length).ok()?, bytes.get(12..)?))
}

/// UTF-16, little-endian, with a final zero.
fn name(value: &[u8]) -> Option<String> {
    let units: Vec<u16> = value
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|unit| *unit != 0)
        .collect();
    let name = String::from_utf16_lossy(&units);
    Some(name).filter(|name| !name.is_empty())
}
