//! PKCS#11 objects as rows: attributes by number.

use std::collections::BTreeMap;

/// CKA_… by number, without prefix.
pub(super) const CLASS: u32 = 0x0;
pub(super) const LABEL: u32 = 0x3;
pub(super) const VALUE: u32 = 0x11;
pub(super) const KEY_TYPE: u32 = 0x100;
pub(super) const ID: u32 = 0x102;
pub(super) const MODULUS: u32 = 0x120;
pub(super) const PUBLIC_EXPONENT: u32 = 0x122;
pub(super) const PRIVATE_EXPONENT: u32 = 0x123;
pub(super) const PRIME: u32 = 0x130;
pub(super) const SUBPRIME: u32 = 0x131;
pub(super) const BASE: u32 = 0x132;
pub(super) const EC_PARAMS: u32 = 0x180;
pub(super) const EC_POINT: u32 = 0x181;
/// NSS's own: the public value of a private key.
pub(super) const NSS_DB: u32 = 0xd5a0_db00;
/// NSS's own: SHA-1 of the certificate that a trust object is about.
pub(super) const CERT_SHA1: u32 = 0xce53_63b4;

/// CKO_….
pub(super) mod class {
    pub(in super::super) const CERTIFICATE: u32 = 1;
    pub(in super::super) const PUBLIC_KEY: u32 = 2;
    pub(in super::super) const PRIVATE_KEY: u32 = 3;
    pub(in super::super) const SECRET_KEY: u32 = 4;
    /// NSS's own.
    pub(in super::super) const TRUST: u32 = 0xce53_4353;
}

/// What stands for an empty value.
const EXPLICIT_NULL: &[u8] = &[0xa5, 0x00, 0x5a];

/// One row.
pub(super) struct Object(BTreeMap<u32, Vec<u8>>);

impl Object {
    /// The attributes of a row under these columns.
    pub(super) fn of(columns: &[Vec<u8>], row: &[&[u8]]) -> Self {
        let attributes = columns.iter().zip(row).filter_map(|(column, value)| {
            let number = std::str::from_utf8(column.strip_prefix(b"a")?).ok()?;
            let number = u32::from_str_radix(number, 16).ok()?;
            let is_set = !value.is_empty() && *value != EXPLICIT_NULL;
            is_set.then(|| (number, value.to_vec()))
        });
        Self(attributes.collect())
    }

    /// The bytes of an attribute that is set.
    pub(super) fn bytes(&self, number: u32) -> Option<&[u8]> {
        self.0.get(&number).map(Vec::as_slice)
    }

    /// A number: four octets, the first the highest.
    pub(super) fn number(&self, number: u32) -> Option<u32> {
        self.bytes(number)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(super) fn class(&self) -> Option<u32> {
        self.number(CLASS)
    }

    pub(super) fn label(&self) -> Option<String> {
        let label = String::from_utf8_lossy(self.bytes(LABEL)?).into_owned();
        Some(label).filter(|label| !label.is_empty())
    }

    pub(super) fn id(&self) -> Option<String> {
        let id = self.bytes(ID)?;
        Some(id.iter().map(|b| format!("{b:02x}")).collect())
    }
}
