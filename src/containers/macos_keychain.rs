//! File-based keychains of macOS (`.keychain`, `.keychain-db`): a database of Apple's CDSA (libyal, "MacOS keychain database file
//! format" as documentation). Keys and passwords in it are closed; certificates stand in its records in clear, and are found
//! there as in any other file.

use crate::formats::Signature;
use crate::formats::wire::at_start::AtStart;
use crate::formats::wire::java::{self, Cut, Input};
use crate::formats::wire::unopened;
use crate::formats::wire::whole::{self, Whole};
use crate::model::{Candidate, Clue, GapReason, Reading};

const NAME: &str = "macos_keychain";
/// Signature and version 1.0.
const MAGIC: &[u8] = b"kych\0\x01\0\0";
/// The header, of five words; offsets of tables count from behind it.
const HEADER: usize = 20;
/// A larger keychain is not read.
const SIZE_MAX: usize = 32 << 20;
/// How many tables a keychain is believed to have; those seen have about thirty.
const TABLES_MAX: u32 = 1000;

/// The container.
pub static MACOS_KEYCHAIN: AtStart = AtStart {
    name: NAME,
    signatures: &[Signature::at_start(0, MAGIC, Clue::Magic)],
    read,
};

fn read(candidate: &Candidate<'_>) -> Reading {
    let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
    if !bytes.starts_with(MAGIC) {
        return Reading::NotMine;
    }
    // It does not tell its size: all there is belongs to it.
    let size = bytes.len() + usize::from(!candidate.at_end);
    if let Whole::Other(reading) = whole::whole(candidate, size, SIZE_MAX, "macOS keychain") {
        return reading;
    }
    let mut keystore = unopened::keystore(NAME, Vec::new());
    let (reason, detail) = match tables(bytes) {
        Ok(tables) => {
            keystore.notes.push(holds(&tables).into());
            let detail = "macOS keychain: keys and passwords in it are not opened";
            (GapReason::Unsupported, detail)
        }
        Err(_) => {
            let detail = "macOS keychain: ends within a table";
            (GapReason::Truncated, detail)
        }
    };
    unopened::found(candidate, keystore, reason, detail, HEADER)
}

/// Record type (CSSM_DB_RECORDTYPE) and number of records of each table.
fn tables(bytes: &[u8]) -> Result<Vec<(u32, u32)>, Cut> {
    // Size of the header without the signature, then where the array of tables is.
    let mut header = Input::new(bytes, MAGIC.len() + 4);
    let array = header.u32()?;
    let mut array = Input::new(bytes, usize::try_from(array).unwrap_or(usize::MAX));
    array.u32()?;
    let count = array.u32()?.min(TABLES_MAX);
    let mut tables = Vec::new();
    for _ in 0..count {
        let offset = usize::try_from(array.u32()?).unwrap_or(usize::MAX);
        let at = HEADER.saturating_add(offset);
        let mut table = Input::new(bytes, at);
        let size = usize::try_from(table.u32()?).unwrap_or(usize::MAX);
        let (kind, records) = (table.u32()?, table.u32()?);
        // The whole of it must be there.
        Input::new(bytes, at).take(size)?;
        tables.push((kind, records));
    }
    Ok(tables)
}

/// What it holds, in words.
fn holds(tables: &[(u32, u32)]) -> String {
    const KINDS: [(u32, &str); 7] = [
        (16, "private key"),
        (17, "symmetric key"),
        (15, "public key"),
        (0x8000_1000, "certificate"),
        (0x8000_0000, "generic password"),
        (0x8000_0001, "internet password"),
        (0x8000_0002, "AppleShare password"),
    ];
    let parts = KINDS.map(|(kind, name)| {
        let of_kind = tables.iter().filter(|(found, _)| *found == kind);
        let records: u32 = of_kind.fold(0, |sum, (_, records)| sum.saturating_add(*records));
        (usize::try_from(records).unwrap_or(usize::MAX), name)
    });
    java::holds(&parts)
}
