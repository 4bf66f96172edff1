//! X.509 certificate revocation lists (RFC 5280, section 5).

use super::Format;
use super::wire::crl::Frame;
use super::wire::labels;
use crate::model::{Candidate, Clue, Reading};

/// One revocation list.
pub struct Crl;

const LABELS: &[&str] = &["X509 CRL", "CRL"];

impl Format for Crl {
    fn name(&self) -> &'static str {
        "crl"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Some(element) = labels::object(candidate) else {
            return Reading::NotMine;
        };
        let Ok(frame) = Frame::read(&element) else {
            return Reading::NotMine;
        };
        if !labels::is_labelled(candidate) && !frame.is_plausible() {
            return Reading::NotMine;
        }
        let artifact = frame.artifact(self.name(), candidate.encoding);
        labels::found(candidate, LABELS, artifact)
    }
}
