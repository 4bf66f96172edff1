//! What a PEM label promises (RFC 7468 and OpenSSL's older labels), and whether the contents keep it.

use super::der::Element;
use crate::model::{Artifact, Candidate, Clue, Found, Reading};

/// The DER object that a candidate is. Under a label, bytes may follow it, as OpenSSL allows.
pub fn object<'a>(candidate: &Candidate<'a>) -> Option<Element<'a>> {
    let (element, rest) = Element::read(candidate.bytes).ok()?;
    (rest.is_empty() || is_labelled(candidate)).then_some(element)
}

/// Whether something declares what the bytes are, so that odd values are no reason to doubt it.
pub fn is_labelled(candidate: &Candidate<'_>) -> bool {
    candidate.clue == Clue::PemBody
}

/// The reading of a candidate that is one artifact. Notes if it stands under a label of something else, or
/// if bytes follow it.
pub fn found(candidate: &Candidate<'_>, own: &[&str], mut artifact: Artifact) -> Reading {
    if is_labelled(candidate)
        && let Some(label) = candidate.label
    {
        if !own.contains(&label) {
            artifact
                .notes
                .push(format!("stands under the label {label}").into());
        }
        // OpenSSL's `TRUSTED CERTIFICATE` has uses and an alias behind the certificate.
        let rest = Element::read(candidate.bytes).map_or(0, |(_, rest)| rest.len());
        if rest > 0 && !label.starts_with("TRUSTED") {
            artifact
                .notes
                .push(format!("{rest} bytes follow it").into());
        }
    }
    Reading::Found(Found {
        artifacts: vec![artifact],
        end: candidate.bytes.len(),
        ..Found::default()
    })
}
