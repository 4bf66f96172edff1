//! X.509 certificate revocation lists (RFC 5280, section 5).

use super::Format;
use super::wire::crl::Frame;
use super::wire::der::Element;
use crate::model::{Candidate, Clue, Found, Reading};

/// One revocation list.
pub struct Crl;

impl Format for Crl {
    fn name(&self) -> &'static str {
        "crl"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody, Clue::DerObject]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Ok((element, rest)) = Element::read(candidate.bytes) else {
            return Reading::NotMine;
        };
        let Ok(frame) = Frame::read(&element) else {
            return Reading::NotMine;
        };
        if candidate.clue == Clue::DerObject && !(frame.is_plausible() && rest.is_empty()) {
            return Reading::NotMine;
        }
        Reading::Found(Found {
            artifacts: vec![frame.artifact(self.name(), candidate.encoding)],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}
