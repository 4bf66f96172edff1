//! X.509 certificates, versions 1 to 3 (RFC 5280), also with OpenSSL's trust settings behind them.

use super::Format;
use super::wire::certificate::Frame;
use super::wire::der::Element;
use crate::model::{Candidate, Clue, Found, Reading};

/// One certificate.
pub struct X509;

impl Format for X509 {
    fn name(&self) -> &'static str {
        "x509"
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
        let mut artifact = frame.artifact(self.name(), candidate.encoding);
        // `TRUSTED CERTIFICATE` has uses and an alias behind the certificate; elsewhere it is a stranger.
        if !rest.is_empty() && !candidate.label.is_some_and(|l| l.starts_with("TRUSTED")) {
            artifact
                .notes
                .push(format!("{} bytes follow the certificate", rest.len()).into());
        }
        Reading::Found(Found {
            artifacts: vec![artifact],
            end: candidate.bytes.len(),
            ..Found::default()
        })
    }
}
