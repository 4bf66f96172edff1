//! RSA private keys of SSH version 1 (the file that OpenSSH wrote until version 7.5 as `identity`, and PuTTY still
//! writes). The public half is in clear, also when the file is encrypted.

use super::wire::private::is_product;
use super::wire::spki::RsaPublic;
use super::wire::ssh::{Reader, SshError};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection,
    Reading, Ssh,
};

/// The reader of `SSH PRIVATE KEY FILE FORMAT 1.1`.
pub struct Ssh1;

const MAGIC: &[u8] = b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0";

/// The most bytes that one file is believed to have.
const SIZE_LIMIT: usize = 64 * 1024;

impl Format for Ssh1 {
    fn name(&self) -> &'static str {
        "ssh1"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::at_start(0, MAGIC, Clue::Magic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let Some(body) = bytes.strip_prefix(MAGIC) else {
            return Reading::NotMine;
        };
        if !candidate.at_end && bytes.len() < SIZE_LIMIT {
            return Reading::NeedMore { from: candidate.at };
        }
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        match artifact(body, self.name()) {
            Ok(mut artifact) => {
                artifact.offset = candidate.at;
                found.artifacts.push(artifact);
            }
            Err(error) => found.faults.push(Fault {
                reason: match error {
                    SshError::Truncated => GapReason::Truncated,
                    _ => GapReason::Malformed,
                },
                offset: candidate.at,
                detail: format!("SSH version 1 private key: {error}"),
            }),
        }
        Reading::Found(found)
    }
}

fn artifact(body: &[u8], format: &'static str) -> Result<Artifact, SshError> {
    let mut fields = Reader::new(body);
    let cipher = fields.byte()?;
    let _reserved = fields.uint32()?;
    let _bits = fields.uint32()?;
    let (n, e) = (number(&mut fields)?, number(&mut fields)?);
    if !(RsaPublic { n, e }).is_acceptable(true) {
        return Err(SshError::Contents);
    }
    let comment = fields.string()?;
    let private = fields.rest();
    if private.len() < 8 || !private.len().is_multiple_of(8) {
        return Err(SshError::Truncated);
    }
    let key = KeyMaterial::Rsa {
        n: n.to_vec(),
        e: e.to_vec(),
    };
    let mut artifact = Artifact::new(Kind::PrivateKey, format, Encoding::Binary, key);
    if cipher == 0 {
        artifact.protection = Some(Protection::None);
        if let Err(note) = check(private, n) {
            artifact.notes.push(note.into());
        }
    } else {
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = Some(match cipher {
            1 => "idea-cfb, MD5".into(),
            2 => "des-cbc, MD5".into(),
            3 => "3des (SSH version 1), MD5".into(),
            other => format!("cipher {other} of SSH version 1, MD5"),
        });
    }
    artifact.ssh = (!comment.is_empty()).then(|| {
        Box::new(Ssh {
            comment: Some(String::from_utf8_lossy(comment).into()),
            ..Ssh::default()
        })
    });
    Ok(artifact)
}

/// Whether a private section in clear belongs to the modulus: two bytes twice, d, the coefficient, q and p.
fn check(private: &[u8], n: &[u8]) -> Result<(), &'static str> {
    const BAD: &str = "the private section is malformed";
    let mut fields = Reader::new(private);
    let first = fields.take(2).map_err(|_| BAD)?;
    if fields.take(2).map_err(|_| BAD)? != first {
        return Err("the check bytes of the private section differ");
    }
    for _exponent_and_coefficient in 0..2 {
        number(&mut fields).map_err(|_| BAD)?;
    }
    let (q, p) = (
        number(&mut fields).map_err(|_| BAD)?,
        number(&mut fields).map_err(|_| BAD)?,
    );
    if is_product(n, p, q) {
        Ok(())
    } else {
        Err("the private section is another key's")
    }
}

/// A number: how many bits it has in two bytes, and its bytes.
fn number<'a>(fields: &mut Reader<'a>) -> Result<&'a [u8], SshError> {
    let (high, low) = (fields.byte()?, fields.byte()?);
    let bits = usize::from(u16::from_be_bytes([high, low]));
    let bytes = super::wire::der::trim_zeros(fields.take(bits.div_ceil(8))?);
    if bytes.is_empty() {
        return Err(SshError::Contents);
    }
    Ok(bytes)
}
