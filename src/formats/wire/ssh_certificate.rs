//! OpenSSH certificates (PROTOCOL.certkeys): the certified key's plain blob, and what is said of it.

use super::ssh::{self, CERTIFICATE_SUFFIX, Reader, SshError};
use crate::model::{Artifact, Encoding, KeyMaterial, Kind, RareSsh, Ssh};
use jiff::Timestamp;

/// How many fields a certified key of an unknown algorithm may have.
const UNKNOWN_FIELDS: std::ops::RangeInclusive<usize> = 1..=6;

/// A certificate's fields, as they stand in the blob.
#[derive(Debug)]
pub struct SshCertificate<'a> {
    /// The certified key's own blob, as if it stood alone.
    pub public: Vec<u8>,
    /// Serial number.
    pub serial: u64,
    /// 1 for users, 2 for hosts.
    pub kind: u32,
    /// Free text of the issuer.
    pub key_id: &'a [u8],
    /// Names that it holds for; empty means all.
    pub principals: Vec<&'a [u8]>,
    /// Seconds since 1970, 0 for no start.
    pub valid_after: u64,
    /// Seconds since 1970, all ones for no end.
    pub valid_before: u64,
    /// Critical options, then extensions: name and data.
    pub extensions: Vec<(&'a [u8], &'a [u8])>,
    /// Blob of the key that signed it.
    pub signature_key: &'a [u8],
}

impl<'a> SshCertificate<'a> {
    /// Reads a certificate's blob to its end.
    ///
    /// Where the algorithm is not known, neither is the number of its key's fields: the only number that
    /// makes the rest a certificate is taken.
    pub fn read(blob: &'a [u8]) -> Result<Self, SshError> {
        let mut fields = Reader::new(blob);
        let name = ssh::algorithm_name(fields.string()?).ok_or(SshError::Contents)?;
        let plain = plain_name(name).ok_or(SshError::Contents)?;
        let _nonce = fields.string()?;
        if let Some(count) = ssh::field_count(&plain) {
            let certificate = Self::read_fields(&plain, count, fields)?;
            ssh::plain_key(&certificate.public)?;
            return Ok(certificate);
        }
        let mut readings = UNKNOWN_FIELDS
            .filter_map(|count| Self::read_fields(&plain, count, fields).ok())
            .filter(|certificate| matches!(certificate.kind, 1 | 2));
        match (readings.next(), readings.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(SshError::Contents),
        }
    }

    fn read_fields(plain: &str, count: usize, mut fields: Reader<'a>) -> Result<Self, SshError> {
        let mut public = Vec::new();
        ssh::put_string(&mut public, plain.as_bytes());
        for _ in 0..count {
            ssh::put_string(&mut public, fields.string()?);
        }
        let serial = fields.uint64()?;
        let kind = fields.uint32()?;
        let key_id = fields.string()?;
        let mut names = Reader::new(fields.string()?);
        let valid_after = fields.uint64()?;
        let valid_before = fields.uint64()?;
        let critical = fields.string()?;
        let extensions = fields.string()?;
        let _reserved = fields.string()?;
        let signature_key = fields.string()?;
        let _signature = fields.string()?;
        fields.finish()?;

        let mut principals = Vec::new();
        while !names.is_empty() {
            principals.push(names.string()?);
        }
        let mut pairs = Vec::new();
        for list in [critical, extensions] {
            let mut list = Reader::new(list);
            while !list.is_empty() {
                pairs.push((list.string()?, list.string()?));
            }
        }
        Ok(Self {
            public,
            serial,
            kind,
            key_id,
            principals,
            valid_after,
            valid_before,
            extensions: pairs,
            signature_key,
        })
    }

    /// What the certificate says beside the key.
    pub fn facts(&self) -> Ssh {
        Ssh::from(RareSsh {
            principals: self.principals.iter().map(|p| text(p)).collect(),
            certificate_type: match self.kind {
                1 => Some("user".to_owned()),
                2 => Some("host".to_owned()),
                _ => None,
            },
            certificate_key_id: Some(text(self.key_id)),
            serial: Some(self.serial.to_string()),
            valid_after: match self.valid_after {
                0 => None,
                // A start beyond the calendar never comes; the calendar's end says so.
                seconds => Some(timestamp(seconds).unwrap_or(Timestamp::MAX)),
            },
            valid_before: timestamp(self.valid_before),
            signed_by: Some(ssh::fingerprint(self.signature_key)),
            extensions: self.extensions.iter().map(|(n, d)| option(n, d)).collect(),
            ..RareSsh::default()
        })
    }
}

/// The artifact of a blob in text: a certificate where its name says so, else a thing of the given kind.
pub fn artifact_of_blob(
    blob: Vec<u8>,
    kind: Kind,
    format: &'static str,
    encoding: Encoding,
) -> Result<Artifact, SshError> {
    let name = Reader::new(&blob).string()?;
    if name.ends_with(CERTIFICATE_SUFFIX.as_bytes()) {
        let certificate = SshCertificate::read(&blob)?;
        let facts = certificate.facts();
        let key = KeyMaterial::SshBlob(certificate.public);
        let mut artifact = Artifact::new(Kind::SshCertificate, format, encoding, key);
        artifact.ssh = Some(Box::new(facts));
        Ok(artifact)
    } else {
        ssh::plain_key(&blob)?;
        let key = KeyMaterial::SshBlob(blob);
        Ok(Artifact::new(kind, format, encoding, key))
    }
}

/// The name of the certified key's own algorithm.
fn plain_name(name: &str) -> Option<String> {
    let plain = name.strip_suffix(CERTIFICATE_SUFFIX)?;
    // FIDO keys have a name in OpenSSH's domain with and without certificate (PROTOCOL.u2f).
    Some(if plain.starts_with("sk-") {
        format!("{plain}@openssh.com")
    } else {
        plain.to_owned()
    })
}

/// The data of an option is empty or a string of its own (PROTOCOL.certkeys, "Critical options").
fn option(name: &[u8], data: &[u8]) -> String {
    let name = text(name);
    let mut inner = Reader::new(data);
    match inner.string() {
        Ok(value) if inner.is_empty() => format!("{name}={}", text(value)),
        _ if data.is_empty() => name,
        _ => format!("{name}={}", text(data)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A time, if the calendar has it; later ones, all ones among them, mean no end.
fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str, fields: &[&[u8]], kind: u32) -> Vec<u8> {
        let mut out = Vec::new();
        ssh::put_string(&mut out, name.as_bytes());
        ssh::put_string(&mut out, &[9; 32]);
        for field in fields {
            ssh::put_string(&mut out, field);
        }
        out.extend_from_slice(&7u64.to_be_bytes());
        out.extend_from_slice(&kind.to_be_bytes());
        ssh::put_string(&mut out, b"me \xff");
        let mut names = Vec::new();
        ssh::put_string(&mut names, b"root");
        ssh::put_string(&mut out, &names);
        out.extend_from_slice(&0u64.to_be_bytes());
        out.extend_from_slice(&u64::MAX.to_be_bytes());
        for part in [&b""[..], b"", b"", b"signer", b"signature"] {
            ssh::put_string(&mut out, part);
        }
        out
    }

    #[test]
    fn a_certificate_of_an_unknown_algorithm_gives_its_plain_key() {
        let name = "ssh-new-cert-v01@openssh.com";
        let blob = certificate(name, &[&[1; 40], &[2; 20]], 1);
        let read = SshCertificate::read(&blob).unwrap();
        let mut plain = Vec::new();
        ssh::put_string(&mut plain, b"ssh-new");
        ssh::put_string(&mut plain, &[1; 40]);
        ssh::put_string(&mut plain, &[2; 20]);
        assert_eq!(read.public, plain);
        let facts = read.facts();
        assert_eq!(facts.rare().serial.as_deref(), Some("7"));
        assert_eq!(
            facts.rare().certificate_key_id.as_deref(),
            Some("me \u{fffd}")
        );
        assert_eq!(facts.rare().principals, ["root"]);
        assert_eq!(
            (facts.rare().valid_after, facts.rare().valid_before),
            (None, None)
        );
    }

    #[test]
    fn the_plain_name_of_a_fido_key_keeps_its_domain() {
        let name = "sk-ssh-ed25519-cert-v01@openssh.com";
        let blob = certificate(name, &[&[1; 32], b"ssh:"], 2);
        let read = SshCertificate::read(&blob).unwrap();
        assert_eq!(
            ssh::plain_key(&read.public),
            Ok("sk-ssh-ed25519@openssh.com")
        );
        assert_eq!(
            read.facts().rare().certificate_type.as_deref(),
            Some("host")
        );
    }

    #[test]
    fn every_cut_is_an_error() {
        let name = "ssh-ed25519-cert-v01@openssh.com";
        let blob = certificate(name, &[&[1; 32]], 1);
        assert!(SshCertificate::read(&blob).is_ok());
        for end in 0..blob.len() {
            assert!(SshCertificate::read(&blob[..end]).is_err(), "{end}");
        }
    }
}
