//! OpenPGP keys as they are written down: packets (RFC 9580; RFC 4880 and RFC 1991 for the older forms), the
//! signatures that a key makes on itself, and libgcrypt's S-expressions, in which GnuPG keeps its private keys.
//!
//! No signature is verified: what is told is what the key says of itself.

pub mod curve;
pub mod key;
pub mod keygrip;
pub mod keyring;
pub mod numbers;
pub mod packet;
pub mod protection;
pub mod sexp;
pub mod signature;
