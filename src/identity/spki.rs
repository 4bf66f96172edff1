//! From a SubjectPublicKeyInfo as it was found to the key free of its encoding.

use super::derive::{Derived, Note};
use super::gost;
use super::public::{self, Public};
use crate::formats::wire::der::{self, Element};
use crate::formats::wire::oid;
use crate::formats::wire::spki::{self, RsaPublic, Spki};
use std::borrow::Cow;

const ED25519_OPENPGP: &[u8] = oid::oid!(1, 3, 6, 1, 4, 1, 11591, 15, 1);
const X25519_OPENPGP: &[u8] = oid::oid!(1, 3, 6, 1, 4, 1, 3029, 1, 5, 1);

/// Takes a SubjectPublicKeyInfo apart. What is not a key of its algorithm stays as it is, with a note.
pub(super) fn read(raw: &[u8]) -> Derived<'_> {
    let Ok(info) = Element::read_all(raw).and_then(|element| Spki::read(&element)) else {
        return Derived::none(Note::Unreadable);
    };
    let id = info.algorithm.oid;
    let restricted = match id {
        oid::RSA_PSS => Some("RSASSA-PSS"),
        oid::RSA_OAEP => Some("RSAES-OAEP"),
        _ => None,
    };
    let as_found = || Derived {
        public: Some(Public::Opaque { spki: raw, oid: id }),
        shape: None,
        note: Some(Note::Invalid),
        algorithm: None,
    };
    match id {
        oid::RSA | oid::RSA_PSS | oid::RSA_OAEP | oid::RSA_X500 => {
            let Some(key) = Element::read_all(info.key)
                .ok()
                .and_then(|element| RsaPublic::read(&element, false))
            else {
                return as_found();
            };
            let mut derived = Derived::of(Public::Rsa {
                n: key.n.into(),
                e: key.e.into(),
            });
            derived.algorithm = restricted.map(Cow::Borrowed);
            derived
        }
        oid::EC | oid::EC_DH | oid::EC_MQV => match info.algorithm.set_parameters() {
            None => Derived::inherited("EC"),
            Some(parameters) => ec(parameters.raw.into(), info.key.into()),
        },
        oid::DSA | oid::DSA_OIW => match info.algorithm.set_parameters() {
            None => Derived::inherited("DSA"),
            Some(parameters) => dsa(&parameters, info.key).map_or_else(as_found, Derived::of),
        },
        _ if spki::raw_public_length(id).is_some() => self::raw(id, info.key.into()),
        _ => match gost::of_spki(&info) {
            Some((public, on_curve)) => Derived {
                note: (!on_curve).then_some(Note::OffCurve),
                ..Derived::of(public)
            },
            None => Derived::of(Public::Opaque { spki: raw, oid: id }),
        },
    }
}

/// A point with its ECParameters, a whole element.
pub(super) fn ec<'a>(parameters: Cow<'a, [u8]>, point: Cow<'a, [u8]>) -> Derived<'a> {
    let (public, off_curve) = public::ec(parameters, point);
    Derived {
        public: Some(public),
        shape: None,
        note: off_curve.then_some(Note::OffCurve),
        algorithm: None,
    }
}

/// A key that is plain bytes. OpenPGP's own identifiers and its prefix byte (RFC 9580, section 9.2) become
/// those of RFC 8410.
pub(super) fn raw<'a>(id: &'a [u8], key: Cow<'a, [u8]>) -> Derived<'a> {
    let (id, key) = match id {
        ED25519_OPENPGP => (oid::ED25519, without_prefix(key)),
        X25519_OPENPGP => (oid::X25519, without_prefix(key)),
        _ => (id, key),
    };
    let fits = spki::raw_public_length(id).is_none_or(|length| length == key.len());
    Derived {
        public: Some(Public::Raw { oid: id, key }),
        shape: None,
        note: (!fits).then_some(Note::Invalid),
        algorithm: None,
    }
}

fn without_prefix(key: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match key {
        Cow::Borrowed([0x40, rest @ ..]) if rest.len() == 32 => Cow::Borrowed(rest),
        Cow::Owned(mut key) if key.len() == 33 && key.first() == Some(&0x40) => {
            key.remove(0);
            Cow::Owned(key)
        }
        other => other,
    }
}

fn dsa<'a>(parameters: &Element<'a>, key: &'a [u8]) -> Option<Public<'a>> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    let mut number = || fields.expect(der::INTEGER).ok()?.unsigned().ok();
    let (p, q, g) = (number()?, number()?, number()?);
    let y = Element::read_all(key).ok()?.unsigned().ok()?;
    Some(Public::Dsa {
        p: p.into(),
        q: q.into(),
        g: g.into(),
        y: y.into(),
    })
}
