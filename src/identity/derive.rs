//! From the material that a format handed over to the key free of its encoding.

use super::public::Public;
use super::{gost, lattice, private, spki, ssh};
use crate::formats::wire::der::trim_zeros;
use crate::model::{KeyMaterial, PrivateNumbers};
use std::borrow::Cow;

/// The key free of its encoding, or why there is none.
pub(super) struct Derived<'a> {
    pub(super) public: Option<Public<'a>>,
    /// Where there is no public half: what tells algorithm, size and curve all the same.
    pub(super) shape: Option<Public<'a>>,
    pub(super) note: Option<Note>,
    /// The algorithm, where it says more than the key.
    pub(super) algorithm: Option<Cow<'static, str>>,
}

/// What is odd about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Unreadable,
    Invalid,
    OffCurve,
    Inherited,
    OutOfRange,
    Contradicts,
    NoArithmetic,
}

impl Note {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "its public key cannot be read",
            Self::Invalid => "its public key is not one of its algorithm; identified by its bytes",
            Self::OffCurve => "its point is not on its curve; identified by its bytes",
            Self::Inherited => {
                "its key parameters are inherited from an issuer, so the key has no identity of its own"
            }
            Self::OutOfRange => "its private number is out of range, so it has no public half",
            Self::Contradicts => {
                "the parts of its private key contradict one another, so it has no public half"
            }
            Self::NoArithmetic => "its public half cannot be computed from its private number",
        }
    }
}

impl<'a> Derived<'a> {
    pub(super) const fn of(public: Public<'a>) -> Self {
        Self {
            public: Some(public),
            shape: None,
            note: None,
            algorithm: None,
        }
    }

    pub(super) const fn none(note: Note) -> Self {
        Self {
            public: None,
            shape: None,
            note: Some(note),
            algorithm: None,
        }
    }

    pub(super) const fn inherited(algorithm: &'static str) -> Self {
        Self {
            public: None,
            shape: None,
            note: Some(Note::Inherited),
            algorithm: Some(Cow::Borrowed(algorithm)),
        }
    }

    fn nothing() -> Self {
        Self {
            public: None,
            shape: None,
            note: None,
            algorithm: None,
        }
    }
}

/// The key free of its encoding.
pub(super) fn derive(key: &KeyMaterial) -> Derived<'_> {
    match key {
        KeyMaterial::Spki(raw) => spki::read(raw),
        KeyMaterial::Rsa { n, e } => Derived::of(Public::Rsa {
            n: trim_zeros(n).into(),
            e: trim_zeros(e).into(),
        }),
        KeyMaterial::Dsa { p, q, g, y } => Derived::of(Public::Dsa {
            p: trim_zeros(p).into(),
            q: trim_zeros(q).into(),
            g: trim_zeros(g).into(),
            y: trim_zeros(y).into(),
        }),
        KeyMaterial::Ec { parameters, point } => {
            spki::ec(parameters.as_slice().into(), point.as_slice().into())
        }
        KeyMaterial::Raw { oid, public } => spki::raw(oid, public.as_slice().into()),
        KeyMaterial::Private(numbers) => from_private(numbers),
        KeyMaterial::SshBlob(blob) => ssh::read(blob),
        KeyMaterial::Opaque(_)
        | KeyMaterial::Pgp(_)
        | KeyMaterial::Symmetric(_)
        | KeyMaterial::Guessable(_)
        | KeyMaterial::Unknown
        | KeyMaterial::None => Derived::nothing(),
    }
}

fn from_private(numbers: &PrivateNumbers) -> Derived<'_> {
    let nothing = || Cow::Borrowed(&[][..]);
    let without = |note, shape| Derived {
        shape: Some(shape),
        ..Derived::none(note)
    };
    match numbers {
        PrivateNumbers::Ec { parameters, scalar } => {
            match private::ec(parameters, scalar.expose()) {
                Ok((curve, point)) => Derived::of(Public::Ec { curve, point }),
                Err(note) => without(
                    note,
                    Public::OtherEc {
                        parameters: parameters.as_slice().into(),
                        point: nothing(),
                    },
                ),
            }
        }
        PrivateNumbers::Raw { oid, private } => match lattice::public(oid, private.expose())
            .unwrap_or_else(|| private::raw(oid, private.expose()))
        {
            Ok(public) => spki::raw(oid, public.into()),
            Err(note) => without(
                note,
                Public::Raw {
                    oid,
                    key: nothing(),
                },
            ),
        },
        PrivateNumbers::Gost { algorithm, private } => {
            let (public, note) = gost::of_private(algorithm, private.expose());
            match note {
                None => Derived::of(public),
                Some(note) => without(note, public),
            }
        }
        PrivateNumbers::Dsa { p, q, g, x } => {
            let computed = private::dsa(p, q, g, x.expose());
            let note = computed.as_ref().err().copied();
            let public = Public::Dsa {
                p: trim_zeros(p).into(),
                q: trim_zeros(q).into(),
                g: trim_zeros(g).into(),
                y: computed.unwrap_or_default().into(),
            };
            match note {
                None => Derived::of(public),
                Some(note) => without(note, public),
            }
        }
    }
}
