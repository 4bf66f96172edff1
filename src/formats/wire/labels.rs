//! What a PEM label promises (RFC 7468 and OpenSSL's older labels), and whether the contents keep it.

use crate::model::{Artifact, Candidate, Clue};

/// Notes on the artifact that it stands under a label of something else.
pub fn note_other_label(candidate: &Candidate<'_>, own: &[&str], artifact: &mut Artifact) {
    if candidate.clue != Clue::PemBody {
        return;
    }
    if let Some(label) = candidate.label
        && !own.contains(&label)
    {
        artifact
            .notes
            .push(format!("stands under the label {label}").into());
    }
}
