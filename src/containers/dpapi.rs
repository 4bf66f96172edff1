//! A file that is a blob of the Windows data protection interface. What it protects, only the master key of its user or
//! machine tells.

use crate::formats::Signature;
use crate::formats::wire::at_start::AtStart;
use crate::formats::wire::dpapi::{Blob, MAGIC};
use crate::formats::wire::unopened;
use crate::model::{Candidate, Clue, GapReason, Reading};

const NAME: &str = "dpapi";
/// The largest blob that is believed.
const SIZE_MAX: usize = 32 << 20;

/// The container.
pub static DPAPI: AtStart = AtStart {
    name: NAME,
    signatures: &[Signature::at_start(0, MAGIC, Clue::Magic)],
    read,
};

fn read(candidate: &Candidate<'_>) -> Reading {
    let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
    let Some(blob) = Blob::read(bytes) else {
        return Reading::NotMine;
    };
    let mut keystore = unopened::keystore(NAME, Vec::new());
    match blob {
        Ok(blob) => {
            keystore.cipher = Some(blob.cipher);
            let master_key = format!("closed under the master key {}", blob.master_key);
            keystore.notes.push(master_key.into());
            let detail = "DPAPI blob: not opened";
            let reason = GapReason::Unsupported;
            unopened::found(candidate, keystore, reason, detail, blob.length)
        }
        Err(cut) if !candidate.at_end && cut.needed <= SIZE_MAX => {
            Reading::NeedMore { from: candidate.at }
        }
        Err(_) => {
            let detail = "DPAPI blob: ends within a field";
            let reason = GapReason::Truncated;
            unopened::found(candidate, keystore, reason, detail, bytes.len())
        }
    }
}
