//! From the attributes of an object to an artifact.

use super::FORMAT;
use super::wire::{Class, Object};
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use crate::model::{Artifact, Encoding, KeyMaterial, Kind, Protection};
use crate::stores::Thing;

/// What an object is; nothing if a certificate has no value.
pub(super) fn thing(object: Object) -> Option<Thing> {
    let id: String = object.id.iter().map(|b| format!("{b:02x}")).collect();
    let id = Some(id).filter(|id| !id.is_empty());
    if object.class == Class::Certificate {
        return (!object.value.is_empty()).then_some(Thing::Certificate {
            der: object.value,
            label: object.label,
            id,
        });
    }
    let kind = match object.class {
        Class::SecretKey => Kind::SymmetricKey,
        Class::PrivateKey => Kind::PrivateKey,
        Class::PublicKey | Class::Certificate => Kind::PublicKey,
    };
    let mut artifact = Artifact::new(kind, FORMAT, Encoding::Binary, material(&object));
    artifact.algorithm = algorithm(&object, &artifact.key).map(Into::into);
    artifact.bits = object
        .length
        .filter(|_| kind == Kind::SymmetricKey)
        .and_then(|bytes| u32::try_from(bytes.checked_mul(8)?).ok())
        .or_else(|| bits_of_des(&object));
    if kind.is_private() {
        // What a token lets out in clear is said by its traits.
        artifact.protection = Some(Protection::Encrypted);
        artifact.cipher = Some("PKCS#11 token".to_owned());
    }
    if !object.check.is_empty() {
        let check: String = object.check.iter().map(|b| format!("{b:02x}")).collect();
        artifact
            .notes
            .push(format!("key check value {check}").into());
    }
    if !object.traits.is_empty() {
        artifact.notes.push(object.traits.join(", ").into());
    }
    artifact.alias = object.label;
    artifact.pkcs11_id = id;
    Some(Thing::Artifact(Box::new(artifact)))
}

/// The public half, where the object has one.
fn material(object: &Object) -> KeyMaterial {
    if object.class == Class::SecretKey {
        return KeyMaterial::Unknown;
    }
    if !object.public_key_info.is_empty() {
        return KeyMaterial::Spki(object.public_key_info.clone());
    }
    match object.key_type.as_deref().unwrap_or_default() {
        "RSA" if !object.modulus.is_empty() && !object.exponent.is_empty() => KeyMaterial::Rsa {
            n: object.modulus.clone(),
            e: object.exponent.clone(),
        },
        "EC" if !object.ec_parameters.is_empty() && !object.ec_point.is_empty() => {
            KeyMaterial::Ec {
                parameters: object.ec_parameters.clone(),
                point: unwrapped(&object.ec_point).to_vec(),
            }
        }
        kind @ ("EC_EDWARDS" | "EC_MONTGOMERY") if !object.ec_point.is_empty() => {
            let public = unwrapped(&object.ec_point).to_vec();
            let oid = match (kind, public.len()) {
                ("EC_EDWARDS", 32) => oid::ED25519,
                ("EC_EDWARDS", 57) => oid::ED448,
                ("EC_MONTGOMERY", 32) => oid::X25519,
                ("EC_MONTGOMERY", 56) => oid::X448,
                _ => return KeyMaterial::Unknown,
            };
            KeyMaterial::Raw {
                oid: oid.to_vec(),
                public,
            }
        }
        _ => KeyMaterial::Unknown,
    }
}

/// CKA_EC_POINT is the point in an OCTET STRING; some modules give the point alone.
fn unwrapped(point: &[u8]) -> &[u8] {
    match Element::read_all(point) {
        Ok(element) if element.tag == der::OCTET_STRING => element.content,
        _ => point,
    }
}

/// The algorithm's name where the material does not tell it.
fn algorithm(object: &Object, key: &KeyMaterial) -> Option<String> {
    if !matches!(key, KeyMaterial::Unknown) {
        return None;
    }
    let word = object.key_type.as_deref()?;
    Some(match word {
        "EC" | "RSA" | "DSA" | "AES" => word.to_owned(),
        "GENERIC_SECRET" => "generic secret".to_owned(),
        "DES3" | "DES2" => "3DES".to_owned(),
        word => match word.strip_suffix("_HMAC") {
            Some(hash) => format!("HMAC-{}", hash.replace('_', "-")),
            None => word.replace('_', "-"),
        },
    })
}

/// DES keys have no CKA_VALUE_LEN; their sizes count without parity.
fn bits_of_des(object: &Object) -> Option<u32> {
    match object.key_type.as_deref()? {
        "DES" => Some(56),
        "DES2" => Some(112),
        "DES3" => Some(168),
        _ => None,
    }
}
