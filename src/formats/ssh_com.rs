//! The private key file of ssh.com's programs, as PuTTY documents it (the comments of its `import.c`).
//!
//! A magic number, the whole length, a text that names the algorithm, the cipher's name and the payload, which is
//! encrypted as a whole: without the password not even the public half is in clear.

use super::wire::private::is_product;
use super::wire::spki::RsaPublic;
use super::wire::ssh::{self, Reader, SshError};
use super::wire::ssh2_armour::{self, Marker};
use super::{Format, Signature};
use crate::model::Hex;
use crate::model::{
    Artifact, Candidate, Clue, Encoding, KeyMaterial, Kind, Protection, Reading, Unlock,
};
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The reader of `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`, which also holds keys that are not encrypted.
pub struct SshCom;

const MARKER: Marker = Marker {
    begin: b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY",
    tight: b"----BEGIN SSH2 ENCRYPTED PRIVATE KEY",
    end: b"END SSH2 ENCRYPTED PRIVATE KEY",
    what: "SSH2 private key",
};

const MAGIC: u32 = 0x3f6f_f9eb;

/// The most bits that one number is believed to have.
const BITS_MAX: u32 = 65_536;

impl Format for SshCom {
    fn name(&self) -> &'static str {
        "ssh_com"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature::anywhere(MARKER.begin, Clue::Ssh2Armour),
            Signature::anywhere(MARKER.tight, Clue::Ssh2Armour),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Ssh2Armour]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        ssh2_armour::read(candidate, &MARKER, |body| {
            artifact(&body, self.name(), candidate.unlock)
        })
    }
}

fn artifact(body: &[u8], format: &'static str, unlock: Unlock<'_>) -> Result<Artifact, SshError> {
    let mut fields = Reader::new(body);
    if fields.uint32()? != MAGIC {
        return Err(SshError::Contents);
    }
    let _length = fields.uint32()?;
    let algorithm = Algorithm::named(fields.string()?);
    let cipher = fields.string()?;
    let payload = fields.string()?;

    let of = |key| Artifact::new(Kind::PrivateKey, format, Encoding::Text, key);
    if cipher == b"none" {
        let key = algorithm.ok_or(SshError::Unsupported)?.read(payload)?;
        let mut artifact = of(key);
        artifact.protection = Some(Protection::None);
        return Ok(artifact);
    }
    let named = (3..=ssh::NAME_LIMIT).contains(&cipher.len());
    let name = std::str::from_utf8(cipher).map_err(|_| SshError::Contents)?;
    if !named || !cipher.iter().all(|b| ssh::is_name_byte(*b)) {
        return Err(SshError::Contents);
    }
    let opened = (name == "3des-cbc").then(|| {
        unlock.first(|password, effort| {
            if !effort.spend(1) {
                return Ok(None);
            }
            let clear = decrypt(payload, password);
            Ok(clear.and_then(|clear| algorithm?.read(&clear).ok()))
        })
    });
    let mut artifact = match opened {
        Some(Ok((key, opened))) => {
            let mut artifact = of(key);
            artifact.opened = Some(opened);
            artifact
        }
        _ => {
            let mut artifact = of(KeyMaterial::Opaque(Hex(Sha256::digest(payload).into())));
            artifact.algorithm = algorithm.map(|algorithm| algorithm.word().into());
            artifact
        }
    };
    artifact.protection = Some(Protection::Encrypted);
    artifact.cipher = Some(format!("{name}, MD5"));
    Ok(artifact)
}

/// Triple DES in CBC mode from zeros, under MD5 of the password, and MD5 of the password and that.
fn decrypt(payload: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let first = Md5::digest(password);
    let second = Md5::new().chain_update(password).chain_update(first);
    let mut key = Zeroizing::new([0u8; 24]);
    let bytes = first.iter().copied().chain(second.finalize());
    for (slot, byte) in key.iter_mut().zip(bytes) {
        *slot = byte;
    }
    let mut mode =
        cbc::Decryptor::<des::TdesEde3>::new_from_slices(key.as_slice(), &[0; 8]).ok()?;
    let mut clear = Zeroizing::new(payload.to_vec());
    let (blocks, rest) = clear.as_chunks_mut::<8>();
    if !rest.is_empty() {
        return None;
    }
    for block in blocks {
        mode.decrypt_block(block.into());
    }
    Some(clear)
}

/// The algorithms that PuTTY knows in these files.
#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Rsa,
    Dsa,
}

impl Algorithm {
    /// By what begins the text that names algorithm and schemes, as `if-modn{sign{rsa-pkcs1-sha1},…}`.
    fn named(text: &[u8]) -> Option<Self> {
        if text.starts_with(b"if-modn{sign{rsa") {
            Some(Self::Rsa)
        } else if text.starts_with(b"dl-modp{sign{dsa") {
            Some(Self::Dsa)
        } else {
            None
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Dsa => "DSA",
        }
    }

    /// The public half of a payload in clear.
    fn read(self, payload: &[u8]) -> Result<KeyMaterial, SshError> {
        let mut fields = Reader::new(Reader::new(payload).string()?);
        match self {
            Self::Rsa => {
                let e = number(&mut fields)?;
                let _private_exponent = number(&mut fields)?;
                let n = number(&mut fields)?;
                let _coefficient = number(&mut fields)?;
                let (p, q) = (number(&mut fields)?, number(&mut fields)?);
                let acceptable = RsaPublic { n, e }.is_acceptable(true);
                if !acceptable || !is_product(n, p, q) {
                    return Err(SshError::Contents);
                }
                Ok(KeyMaterial::Rsa {
                    n: n.to_vec(),
                    e: e.to_vec(),
                })
            }
            Self::Dsa => {
                // Parameters that have a name are not written out.
                if fields.uint32()? != 0 {
                    return Err(SshError::Unsupported);
                }
                let mut next = || number(&mut fields).map(<[u8]>::to_vec);
                let (p, g, q, y) = (next()?, next()?, next()?, next()?);
                let _private_value = Zeroizing::new(next()?);
                if p.len() < 64 || q.len() < 20 || y.len() > p.len() || g.len() > p.len() {
                    return Err(SshError::Contents);
                }
                Ok(KeyMaterial::Dsa { p, q, g, y })
            }
        }
    }
}

/// A number: how many bits it has, and its bytes.
fn number<'a>(fields: &mut Reader<'a>) -> Result<&'a [u8], SshError> {
    let bits = fields.uint32()?;
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(SshError::Contents);
    }
    let length = usize::try_from(bits.div_ceil(8)).map_err(|_| SshError::Contents)?;
    let bytes = super::wire::der::trim_zeros(fields.take(length)?);
    if bytes.is_empty() {
        return Err(SshError::Contents);
    }
    Ok(bytes)
}
