//! The certificate extensions that judgement needs (RFC 5280, section 4.2).

use super::der::{self, DerError, Element, Reader};
use super::{names, oid};
use crate::model::{Certificate, SharedText};
use std::borrow::Cow;
use x509_parser::extensions::{ExtendedKeyUsage, KeyUsage, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer as _;

const SUBJECT_ALT_NAME: &[u8] = oid::oid!(2, 5, 29, 17);
/// The critical extension that keeps a precertificate out of use (RFC 6962, section 3.1).
const POISON: &[u8] = oid::oid!(1, 3, 6, 1, 4, 1, 11129, 2, 4, 3);

/// What the extensions say beside what goes into a [`Certificate`].
#[derive(Debug, Default)]
pub struct KeyIdentifiers<'a> {
    /// Subject key identifier.
    pub subject: Option<&'a [u8]>,
    /// Key identifier of the authority key identifier.
    pub authority: Option<&'a [u8]>,
    /// Serial number of the authority key identifier, as its contents bytes.
    pub authority_serial: Option<&'a [u8]>,
}

impl KeyIdentifiers<'_> {
    /// Whether they rule out that the certificate with this serial (contents bytes) signed itself.
    pub fn contradict_self_signed(&self, serial: &[u8]) -> bool {
        let key = matches!((self.subject, self.authority), (Some(s), Some(a)) if s != a);
        key || self.authority_serial.is_some_and(|s| s != serial)
    }
}

/// Reads the contents of an Extensions SEQUENCE into `certificate`. An extension that cannot be read
/// leaves a note, and the rest is used.
pub fn read<'a>(
    mut extensions: Reader<'a>,
    certificate: &mut Certificate,
    notes: &mut Vec<Cow<'static, str>>,
) -> KeyIdentifiers<'a> {
    let mut identifiers = KeyIdentifiers::default();
    while !extensions.is_empty() {
        let Ok(element) = extensions.element() else {
            notes.push("its extensions end early".into());
            break;
        };
        if read_one(&element, certificate, &mut identifiers).is_none() && notes.len() < 8 {
            let name = kind(&element).map_or_else(|_| "without a type".into(), oid::dotted);
            notes.push(format!("extension {name} cannot be read").into());
        }
    }
    if certificate.precertificate {
        notes.push("a precertificate, made for the logs of Certificate Transparency".into());
    }
    identifiers
}

fn kind<'a>(extension: &Element<'a>) -> Result<&'a [u8], DerError> {
    let mut fields = extension.enter(der::SEQUENCE)?;
    Ok(fields.expect(der::OID)?.content)
}

fn read_one<'a>(
    element: &Element<'a>,
    certificate: &mut Certificate,
    identifiers: &mut KeyIdentifiers<'a>,
) -> Option<()> {
    let kind = kind(element).ok()?;
    if kind == POISON {
        certificate.precertificate = true;
        return Some(());
    }
    // Read here, as one odd name must not hide the others.
    if kind == SUBJECT_ALT_NAME {
        let mut fields = element.enter(der::SEQUENCE).ok()?;
        fields.expect(der::OID).ok()?;
        fields.optional(der::BOOLEAN).ok()?;
        let value = fields.expect(der::OCTET_STRING).ok()?;
        let names = Element::read_all(value.content).ok()?;
        let (sans, whole) = names::general_names(names.enter(der::SEQUENCE).ok()?);
        let mut all = std::mem::take(&mut certificate.sans).into_vec();
        all.extend(sans);
        certificate.sans = all.into();
        return whole.then_some(());
    }
    let (_, extension) = X509Extension::from_der(element.raw).ok()?;
    match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(constraints) => certificate.is_ca = constraints.ca,
        ParsedExtension::KeyUsage(usage) => certificate.key_usage = key_usage(usage).into(),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            certificate.extended_key_usage = extended_key_usage(usage).into();
        }
        ParsedExtension::SubjectKeyIdentifier(id) => identifiers.subject = Some(id.0),
        ParsedExtension::AuthorityKeyIdentifier(id) => {
            identifiers.authority = id.key_identifier.as_ref().map(|key| key.0);
            identifiers.authority_serial = id.authority_cert_serial;
        }
        ParsedExtension::ParseError { .. } => return None,
        _ => {}
    }
    Some(())
}

/// Key usage bits by their names in RFC 5280, section 4.2.1.3.
fn key_usage(usage: &KeyUsage) -> Vec<SharedText> {
    [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name.into())
    .collect()
}

/// Extended key usages by OpenSSL's short names, unknown ones as dotted identifiers.
fn extended_key_usage(usage: &ExtendedKeyUsage<'_>) -> Vec<SharedText> {
    let mut names: Vec<SharedText> = [
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
        (usage.any, "anyExtendedKeyUsage"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name.into())
    .collect();
    names.extend(usage.other.iter().map(|other| {
        let id = other.as_bytes();
        oid::named(oid::purpose(id), id).into()
    }));
    names
}
