//! IBM's CMS key databases (`.kdb`), by the bytes that they begin with: no document tells more of them.

use crate::formats::Signature;
use crate::formats::wire::at_start::AtStart;
use crate::formats::wire::unopened;
use crate::model::{Candidate, Clue, GapReason, Reading};

const NAME: &str = "ibm_kdb";
/// As the tables of file signatures have it (Kessler, "File signatures": KDB).
const MAGIC: &[u8] = b"7H\x03\x02\0\0\0\0X509KEY";

/// The container.
pub static IBM_KDB: AtStart = AtStart {
    name: NAME,
    signatures: &[Signature::at_start(0, MAGIC, Clue::Magic)],
    read,
};

fn read(candidate: &Candidate<'_>) -> Reading {
    let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
    if !bytes.starts_with(MAGIC) {
        return Reading::NotMine;
    }
    let keystore = unopened::keystore(NAME, Vec::new());
    let detail = "IBM CMS key database: not opened";
    let reason = GapReason::Unsupported;
    unopened::found(candidate, keystore, reason, detail, MAGIC.len())
}
