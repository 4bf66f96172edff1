//! Keys of GOST R 34.10: points as RFC 9215 writes them, and private values under masks.

use super::derive::Note;
use super::public::Public;
use super::weierstrass::{self, Affine};
use crate::formats::wire::curves::Curve;
use crate::formats::wire::der::Element;
use crate::formats::wire::gost;
use crate::formats::wire::spki::{Algorithm, Spki};
use zeroize::Zeroizing;

/// The most masks that are multiplied with.
const MASKS_MAX: usize = 16;

/// The key of a SubjectPublicKeyInfo, and whether its point is on its curve. None if it is no GOST key, or names a parameter set
/// that is not known.
pub(super) fn of_spki<'a>(info: &Spki<'a>) -> Option<(Public<'a>, bool)> {
    let set = set_of(&info.algorithm)?;
    let key = gost::coordinates(info.key)?;
    let public = Public::Gost {
        algorithm: info.algorithm.raw.into(),
        oid: info.algorithm.oid,
        set,
        key: key.into(),
    };
    Some((public, is_on_curve(set, key)))
}

/// The public key of a private value, or what of it is known and why it has none.
pub(super) fn of_private<'a>(algorithm: &'a [u8], private: &[u8]) -> (Public<'a>, Option<Note>) {
    let read = Element::read_all(algorithm)
        .ok()
        .and_then(|element| Algorithm::read(&element).ok());
    let Some((named, set)) = read.and_then(|named| Some((named, set_of(&named)?))) else {
        let unknown = Public::Opaque {
            spki: algorithm,
            oid: read.map_or(&[], |named| named.oid),
        };
        return (unknown, Some(Note::NoArithmetic));
    };
    let point = scalar(set, private).and_then(|scalar| weierstrass::public_point(set, &scalar));
    let note = point.is_none().then_some(Note::OutOfRange);
    let public = Public::Gost {
        algorithm: named.raw.into(),
        oid: named.oid,
        set,
        key: point.as_ref().map(swapped).unwrap_or_default().into(),
    };
    (public, note)
}

fn set_of(algorithm: &Algorithm<'_>) -> Option<&'static Curve> {
    if !gost::is_key(algorithm.oid) {
        return None;
    }
    gost::parameter_set(&algorithm.parameters?)
}

/// The private value times its masks (RFC 9548, section 4.2), big-endian.
fn scalar(set: &Curve, private: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let swapped: Vec<Zeroizing<Vec<u8>>> = private
        .chunks(set.field_bytes())
        .take(MASKS_MAX + 1)
        .map(|number| Zeroizing::new(number.iter().rev().copied().collect()))
        .collect();
    match swapped.as_slice() {
        [only] => Some(only.clone()),
        several if private.len() == several.len() * set.field_bytes() => {
            let numbers: Vec<&[u8]> = several.iter().map(|number| number.as_slice()).collect();
            weierstrass::product(set, &numbers)
        }
        _ => None,
    }
}

fn is_on_curve(set: &Curve, key: &[u8]) -> bool {
    let Some((x, y)) = key.split_at_checked(set.field_bytes()) else {
        return false;
    };
    let coordinates = |bytes: &[u8]| -> Vec<u8> { bytes.iter().rev().copied().collect() };
    let point = [vec![4], coordinates(x), coordinates(y)].concat();
    weierstrass::read_point(set, &point).is_some()
}

/// Both coordinates, least significant byte first.
fn swapped(point: &Affine) -> Vec<u8> {
    let swapped = |number: &[u8]| -> Vec<u8> { number.iter().rev().copied().collect() };
    [swapped(&point.x), swapped(&point.y)].concat()
}
