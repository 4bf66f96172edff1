//! Certificates and public keys that stand in a cell as such: their digests are computed here, and what they say is the
//! truth that the row's other cells are held against.

use crate::formats::wire::certificate::Frame;
use crate::formats::wire::der::Element;
use crate::model::{Certificate, Encoding, Hex, Identifier, Sha256Hex};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::Digest as _;

/// Standard base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A certificate, read.
#[derive(Debug)]
pub(super) struct Carried {
    /// Its digests, its key's, and issuer and serial.
    pub(super) identifiers: Vec<Identifier>,
    /// Its fields.
    pub(super) facts: Certificate,
}

/// Whether a cell is a certificate as such, in PEM.
pub(super) fn is_pem(cell: &str) -> bool {
    cell.trim_start().starts_with(BEGIN)
}

/// Reads the first certificate of a cell: PEM (with line ends, blanks or `\n` in it), base64 of DER, or base64 of PEM.
pub(super) fn certificate(cell: &str) -> Result<Carried, &'static str> {
    const NONE: &str = "no certificate in PEM or base64";
    let der = der(cell, 0).ok_or(NONE)?;
    let (element, _) = Element::read(&der).map_err(|_| NONE)?;
    let frame = Frame::read(&element)
        .ok()
        .filter(Frame::is_plausible)
        .ok_or("DER, but no certificate")?;
    let facts = frame
        .artifact("x509", Encoding::Der)
        .certificate
        .ok_or("DER, but no certificate")?;
    let mut identifiers = vec![
        Identifier::CertSha256(sha256(element.raw)),
        Identifier::CertSha1(Hex(sha1::Sha1::digest(element.raw).into())),
        Identifier::SpkiSha256(sha256(frame.spki.raw)),
    ];
    if !facts.issuer.is_empty() {
        let serial = facts.serial.trim_start_matches('0');
        identifiers.push(Identifier::IssuerSerial {
            issuer: (*facts.issuer).into(),
            serial: if serial.is_empty() { "0" } else { serial }.into(),
        });
    }
    Ok(Carried {
        identifiers,
        facts: *facts,
    })
}

/// Reads public keys: lines of OpenSSH (RFC 4253, section 6.6), or one SubjectPublicKeyInfo in PEM.
pub(super) fn public_keys(cell: &str) -> Result<Vec<Identifier>, &'static str> {
    const NONE: &str = "no public key of OpenSSH's form or in PEM";
    if let Some(body) = between(cell, "-----BEGIN PUBLIC KEY-----") {
        let der = decoded(body).ok_or(NONE)?;
        let (element, _) = Element::read(&der).map_err(|_| NONE)?;
        return Ok(vec![Identifier::SpkiSha256(sha256(element.raw))]);
    }
    let mut found = Vec::new();
    for line in cell.lines().filter(|l| !l.trim().is_empty()).take(1_000) {
        let line = match decoded(line).and_then(|b| String::from_utf8(b).ok()) {
            Some(text) => text,
            None => line.to_owned(),
        };
        // The algorithm's name stands before the blob and in it.
        let words: Vec<&str> = line.split_whitespace().collect();
        let blob = words.windows(2).find_map(|pair| {
            let (name, body) = (pair.first()?, pair.get(1)?);
            let blob = decoded(body)?;
            let length = blob
                .get(..4)
                .and_then(|l| l.try_into().ok())
                .map(u32::from_be_bytes)?;
            let length = usize::try_from(length).ok()?;
            (blob.get(4..length.checked_add(4)?)? == name.as_bytes()).then_some(blob)
        });
        found.push(Identifier::SshSha256(sha256(&blob.ok_or(NONE)?)));
    }
    if found.is_empty() {
        Err(NONE)
    } else {
        Ok(found)
    }
}

fn der(cell: &str, depth: u8) -> Option<Vec<u8>> {
    if let Some(body) = between(cell, BEGIN) {
        return decoded(body);
    }
    let bytes = decoded(cell).or_else(|| decoded(cell.lines().next()?))?;
    if bytes.first() == Some(&0x30) {
        return Some(bytes);
    }
    // Kubernetes keeps PEM in base64.
    let text = std::str::from_utf8(&bytes).ok()?;
    (depth == 0).then(|| der(text, 1)).flatten()
}

fn between<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once("-----END").map(|(body, _)| body)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    // Line ends that an export escaped.
    let text = text.replace("\\r", "").replace("\\n", "");
    let body: String = text.split_whitespace().collect();
    (!body.is_empty())
        .then(|| BASE64.decode(body).ok())
        .flatten()
}

fn sha256(bytes: &[u8]) -> Sha256Hex {
    Hex(sha2::Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_in_every_dress() {
        let pem = include_str!("../../fixtures/identity/p256/certificate.pem");
        let plain = certificate(pem).unwrap();
        assert_eq!(plain.identifiers.len(), 4);
        let body: String = between(pem, BEGIN).unwrap().split_whitespace().collect();
        for dress in [
            pem.replace('\n', "\\n"),
            pem.replace('\n', " "),
            body.clone(),
            base64::engine::general_purpose::STANDARD.encode(pem),
            format!("{pem}{pem}"),
        ] {
            assert_eq!(certificate(&dress).unwrap().identifiers, plain.identifiers);
        }
        for no in ["", "hello", "AAAA", &body[..body.len() / 2], "MAA="] {
            assert!(certificate(no).is_err(), "{no}");
        }
    }

    #[test]
    fn public_keys_of_both_forms_are_read() {
        let line = include_str!("../../fixtures/identity/ed25519/openssh_public.pub");
        let found = public_keys(line).unwrap();
        assert!(matches!(found[..], [Identifier::SshSha256(_)]));
        assert_eq!(public_keys(&format!("restrict {line}")).unwrap(), found);
        assert!(public_keys("ssh-ed25519 AAAA").is_err());
        assert!(public_keys("").is_err());
    }
}
