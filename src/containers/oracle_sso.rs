//! Oracle's wallets that open by themselves (`cwallet.sso`): a header with an obfuscated password, and the PKCS#12 that it
//! opens, which is found behind the header as any other is (go-ora, `configurations/wallet.go`, and "Reading Oracle's auto-login
//! wallets" as documentation of the header).

use crate::formats::Signature;
use crate::formats::wire::at_start::AtStart;
use crate::formats::wire::der;
use crate::formats::wire::java::{Cut, Input};
use crate::formats::wire::unopened;
use crate::model::{Candidate, Clue, GapReason, Reading};

const NAME: &str = "oracle_sso";
const MAGIC: &[u8] = b"\xa1\xf8\x4e";
/// Magic number, type, version and the length of the section.
const DECLARED: usize = 3 + 1 + 4 + 4;
/// The longest header that is believed; 65 bytes were seen behind the first fields.
const SECTION_MAX: usize = 4096;

/// The container.
pub static ORACLE_SSO: AtStart = AtStart {
    name: NAME,
    signatures: &[Signature::at_start(0, MAGIC, Clue::Magic)],
    read,
};

fn read(candidate: &Candidate<'_>) -> Reading {
    let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
    // Less declares nothing.
    if !bytes.starts_with(MAGIC) || (candidate.at_end && bytes.len() < DECLARED) {
        return Reading::NotMine;
    }
    let header = match Header::read(bytes) {
        Ok(Some(header)) => header,
        Ok(None) => return Reading::NotMine,
        Err(_) if !candidate.at_end => return Reading::NeedMore { from: candidate.at },
        Err(_) => {
            let keystore = unopened::keystore(NAME, Vec::new());
            let detail = "Oracle wallet: ends within its header";
            let reason = GapReason::Truncated;
            return unopened::found(candidate, keystore, reason, detail, bytes.len());
        }
    };
    let mut notes = vec![header.binding.into(), header.scheme.into()];
    notes.push("its password stands in it, obfuscated: whoever reads the file can open it".into());
    let keystore = unopened::keystore(NAME, notes);
    // What is cut off in other bytes would leave no trace.
    let store = bytes.get(header.length..).unwrap_or_default();
    let is_cut = der::header(store).map_or(store.len() < 6, |(_, start, length)| {
        start.saturating_add(length) > store.len()
    });
    let (reason, detail, end) = if is_cut && candidate.at_end {
        let detail = "Oracle wallet: the PKCS#12 in it is cut off";
        (GapReason::Truncated, detail, bytes.len())
    } else {
        let detail = "Oracle wallet: the password in it is not used";
        (GapReason::Unsupported, detail, header.length)
    };
    unopened::found(candidate, keystore, reason, detail, end)
}

/// What stands before the PKCS#12.
struct Header {
    binding: &'static str,
    scheme: &'static str,
    length: usize,
}

impl Header {
    /// Magic number and type (a digit), version, length of the section that follows, and in it first the scheme.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Cut> {
        let mut input = Input::new(bytes, MAGIC.len());
        let binding = match input.u8()? {
            b'6' | b'7' => "opens on any machine",
            b'8' => "opens for one user on one machine",
            _ => return Ok(None),
        };
        let version = input.u32()?;
        let section = usize::try_from(input.u32()?).unwrap_or(usize::MAX);
        if !matches!(version, 5 | 6) || !(1..=SECTION_MAX).contains(&section) {
            return Ok(None);
        }
        let scheme = match input.take(section)?.first() {
            Some(b'5') => "password obfuscated with DES",
            Some(6) => "password obfuscated with AES-128",
            _ => "password obfuscated in a way of its own",
        };
        Ok(Some(Self {
            binding,
            scheme,
            length: input.at(),
        }))
    }
}
