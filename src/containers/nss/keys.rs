//! Keys of a key database: the public half is in clear, private values are encrypted.

use super::NAME;
use super::attributes::{self as a, Object, class};
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::nss::Closing;
use crate::formats::wire::oid;
use crate::model::{
    Artifact, Encoding, Hex, KeyMaterial, Kind, Opened, PrivateNumbers, Protection, Secret, Unlock,
};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// CKK_….
mod key_type {
    pub(super) const RSA: u32 = 0;
    pub(super) const DSA: u32 = 1;
    pub(super) const EC: u32 = 3;
    pub(super) const GENERIC_SECRET: u32 = 0x10;
    pub(super) const DES2: u32 = 0x14;
    pub(super) const DES3: u32 = 0x15;
    pub(super) const AES: u32 = 0x1f;
    pub(super) const EC_EDWARDS: u32 = 0x40;
    pub(super) const EC_MONTGOMERY: u32 = 0x41;
}

/// A key as an artifact, by what is in clear or what the password opens.
pub(super) fn artifact(
    object: &Object,
    opened: Option<&(Secret, Opened)>,
    unlock: Unlock<'_>,
) -> Option<Artifact> {
    let kind = match object.class()? {
        class::PUBLIC_KEY => Kind::PublicKey,
        class::PRIVATE_KEY => Kind::PrivateKey,
        _ => Kind::SymmetricKey,
    };
    // Either holds the private number: of RSA and the others.
    let closed = [a::PRIVATE_EXPONENT, a::VALUE]
        .into_iter()
        .find_map(|attribute| object.bytes(attribute));
    let closing = closed
        .filter(|_| kind != Kind::PublicKey)
        .and_then(Closing::read);
    let clear = || {
        let ((hashed, _), closing) = (opened?, closing.as_ref()?);
        closing.open(hashed.expose(), unlock.effort).ok().flatten()
    };
    let key = match kind {
        Kind::SymmetricKey => clear().map(|value| KeyMaterial::Symmetric(Secret::copy_of(&value))),
        _ => public(object).or_else(|| private(object, &clear()?)),
    };
    let opaque = || {
        let digest = Sha256::digest(closing.as_ref()?.data);
        Some(KeyMaterial::Opaque(Hex(digest.into())))
    };
    let key = key.or_else(opaque).unwrap_or(KeyMaterial::Unknown);
    let mut artifact = Artifact::new(kind, NAME, Encoding::Binary, key);
    if kind == Kind::SymmetricKey {
        artifact.algorithm = algorithm(object);
        if let KeyMaterial::Symmetric(value) = &artifact.key {
            artifact.bits = u32::try_from(value.expose().len() * 8).ok();
        }
    }
    if kind.is_private() {
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = closing.as_ref().map(Closing::describe);
        artifact.opened = opened.map(|(_, by)| *by);
    }
    artifact.alias = object.label();
    artifact.pkcs11_id = object.id();
    Some(artifact)
}

fn algorithm(object: &Object) -> Option<Cow<'static, str>> {
    Some(match object.number(a::KEY_TYPE)? {
        key_type::AES => "AES".into(),
        key_type::DES2 | key_type::DES3 => "3DES".into(),
        key_type::GENERIC_SECRET => "generic secret".into(),
        other => format!("CKK 0x{other:x}").into(),
    })
}

/// The public half, as far as it is in clear.
fn public(object: &Object) -> Option<KeyMaterial> {
    let bytes = |attribute| object.bytes(attribute).map(<[u8]>::to_vec);
    // A public key has its own point; a private one NSS's copy of it.
    let value = object
        .bytes(a::EC_POINT)
        .or_else(|| object.bytes(a::NSS_DB));
    match object.number(a::KEY_TYPE)? {
        key_type::RSA => Some(KeyMaterial::Rsa {
            n: bytes(a::MODULUS)?,
            e: bytes(a::PUBLIC_EXPONENT)?,
        }),
        key_type::DSA => Some(KeyMaterial::Dsa {
            p: bytes(a::PRIME)?,
            q: bytes(a::SUBPRIME)?,
            g: bytes(a::BASE)?,
            y: object
                .bytes(a::NSS_DB)
                .or_else(|| object.bytes(a::VALUE))?
                .to_vec(),
        }),
        key_type::EC => Some(KeyMaterial::Ec {
            parameters: bytes(a::EC_PARAMS)?,
            point: unwrapped(value?).to_vec(),
        }),
        kind @ (key_type::EC_EDWARDS | key_type::EC_MONTGOMERY) => {
            let public = unwrapped(value?).to_vec();
            let oid = match (kind, public.len()) {
                (key_type::EC_EDWARDS, 32) => oid::ED25519,
                (key_type::EC_EDWARDS, 57) => oid::ED448,
                (key_type::EC_MONTGOMERY, 32) => oid::X25519,
                (key_type::EC_MONTGOMERY, 56) => oid::X448,
                _ => return None,
            };
            Some(KeyMaterial::Raw {
                oid: oid.to_vec(),
                public,
            })
        }
        _ => None,
    }
}

/// A private number without its public half.
fn private(object: &Object, value: &[u8]) -> Option<KeyMaterial> {
    (object.number(a::KEY_TYPE)? == key_type::EC).then(|| {
        KeyMaterial::Private(PrivateNumbers::Ec {
            parameters: object.bytes(a::EC_PARAMS).unwrap_or_default().to_vec(),
            scalar: Secret::copy_of(value),
        })
    })
}

/// CKA_EC_POINT is the point in an OCTET STRING; NSS keeps its own copy either way.
fn unwrapped(point: &[u8]) -> &[u8] {
    match Element::read_all(point) {
        Ok(element) if element.tag == der::OCTET_STRING => element.content,
        _ => point,
    }
}
