//! X.509 certificates, versions 1 to 3 (RFC 5280), also with OpenSSL's trust settings behind them.

use super::Format;
use super::wire::certificate::Frame;
use super::wire::labels;
use crate::model::{Candidate, Clue, Reading};

/// One certificate.
pub struct X509;

const LABELS: &[&str] = &[
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "X.509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
];

impl Format for X509 {
    fn name(&self) -> &'static str {
        "x509"
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
