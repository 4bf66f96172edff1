//! The header of LUKS1 ("LUKS1 On-Disk Format Specification", section 2.1): numbers are big-endian.

use super::{Header, Stop, text};

/// How long the header is.
const LENGTH: usize = 592;
/// Where the key slots begin, how long each is, and how many there are.
const SLOTS: usize = 208;
const SLOT: usize = 48;
const COUNT: usize = 8;

const ENABLED: u32 = 0x00ac_71f3;
const DISABLED: u32 = 0x0000_dead;

pub(super) fn read(bytes: &[u8]) -> Result<Header, Stop> {
    let header = bytes.get(..LENGTH).ok_or(Stop::Cut)?;
    let field = |at: usize, length: usize| {
        let field = header.get(at..at + length).unwrap_or_default();
        text(field)
    };
    let word = |at: usize| {
        let word = header.get(at..).and_then(<[u8]>::first_chunk::<4>);
        word.map_or(0, |word| u32::from_be_bytes(*word))
    };
    let (cipher, mode, hash, uuid) = (field(8, 32), field(40, 32), field(72, 32), field(168, 40));
    let words = [&cipher, &mode, &hash];
    let is_word = |word: &&String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic());
    let key_octets = word(108);
    if !words.iter().all(is_word) || !(1..=1024).contains(&key_octets) {
        return Err(Stop::Broken("LUKS1: the header names no cipher"));
    }
    let mut notes = vec![format!("LUKS1, UUID {uuid}")];
    let mut slots = 0;
    for number in 0..COUNT {
        let at = SLOTS + number * SLOT;
        match word(at) {
            ENABLED => {
                slots += 1;
                let iterations = word(at + 4);
                notes.push(format!(
                    "key slot {number}: PBKDF2 {hash}, {iterations} iterations"
                ));
            }
            DISABLED => {}
            _ => return Err(Stop::Broken("LUKS1: a key slot is neither on nor off")),
        }
    }
    Ok(Header {
        version: 1,
        cipher: Some(format!("{cipher}-{mode}, key of {} bits", key_octets * 8)),
        slots,
        notes,
        end: LENGTH,
    })
}
