//! The password of a key database.

use crate::formats::wire::nss::{self, Closing};
use crate::formats::wire::sqlite;
use crate::model::{Closed, Opened, Secret, Unlock};

/// What a right password makes of the check.
const CHECK: &[u8] = b"password-check";

/// The row of the table `metaData` by which a password is checked.
pub(super) struct Gate {
    salt: Vec<u8>,
    check: Vec<u8>,
}

impl Gate {
    /// Reads it; a certificate database has none.
    pub(super) fn read(database: &&[u8]) -> Option<Self> {
        let mut gate = None;
        sqlite::rows(database, b"metaData", &mut |row| {
            if let [b"password", salt, check, ..] = row {
                gate = Some(Self {
                    salt: salt.to_vec(),
                    check: check.to_vec(),
                });
            }
        })?;
        gate
    }

    /// The scheme of the check in words.
    pub(super) fn cipher(&self) -> String {
        Closing::read(&self.check).map_or_else(String::new, |closing| closing.describe())
    }

    /// The hashed password that opens the values, and by what it was found.
    pub(super) fn open(&self, unlock: Unlock<'_>) -> Result<(Secret, Opened), Closed> {
        let unreadable = || Closed::Unsupported("a password check that cannot be read".to_owned());
        let check = Closing::read(&self.check).ok_or_else(unreadable)?;
        unlock.first(|password, effort| {
            let hashed = nss::hashed(&self.salt, password);
            let clear = check.open(&hashed, effort)?;
            let right = clear.is_some_and(|clear| clear.as_slice() == CHECK);
            Ok(right.then(|| Secret::copy_of(&hashed)))
        })
    }
}
