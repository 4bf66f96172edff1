//! From the material that a format handed over to the key free of its encoding.

use super::public::{self, Public};
use super::{private, spki, ssh};
use crate::formats::wire::der::trim_zeros;
use crate::model::{KeyMaterial, PrivateNumbers};
use std::borrow::Cow;

/// The key free of its encoding, or why there is none.
pub(super) struct Derived<'a> {
    pub(super) public: Option<Public<'a>>,
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
            Self::NoArithmetic => "its public half cannot be computed from its private number",
        }
    }
}

impl<'a> Derived<'a> {
    pub(super) const fn of(public: Public<'a>) -> Self {
        Self {
            public: Some(public),
            note: None,
            algorithm: None,
        }
    }

    pub(super) const fn none(note: Note) -> Self {
        Self {
            public: None,
            note: Some(note),
            algorithm: None,
        }
    }

    pub(super) const fn inherited(algorithm: &'static str) -> Self {
        Self {
            public: None,
            note: Some(Note::Inherited),
            algorithm: Some(Cow::Borrowed(algorithm)),
        }
    }

    fn nothing() -> Self {
        Self {
            public: None,
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
        KeyMaterial::Opaque(_) | KeyMaterial::Unknown | KeyMaterial::None => Derived::nothing(),
    }
}

fn from_private(numbers: &PrivateNumbers) -> Derived<'_> {
    match numbers {
        PrivateNumbers::Ec { parameters, scalar } => {
            let mut derived = match private::ec(parameters, scalar.expose()) {
                Ok((curve, point)) => Derived::of(Public::Ec { curve, point }),
                Err(note) => Derived::none(note),
            };
            derived.algorithm = Some("EC".into());
            derived
        }
        PrivateNumbers::Raw { oid, private } => match private::raw(oid, private.expose()) {
            Ok(public) => spki::raw(oid, public.into()),
            Err(note) => Derived {
                algorithm: Some(
                    public::Public::Raw {
                        oid,
                        key: (&[]).into(),
                    }
                    .algorithm(),
                ),
                ..Derived::none(note)
            },
        },
        PrivateNumbers::Dsa { p, q, g, x } => match private::dsa(p, q, g, x.expose()) {
            Ok(y) => Derived::of(Public::Dsa {
                p: trim_zeros(p).into(),
                q: trim_zeros(q).into(),
                g: trim_zeros(g).into(),
                y: y.into(),
            }),
            Err(note) => Derived {
                algorithm: Some("DSA".into()),
                ..Derived::none(note)
            },
        },
    }
}
