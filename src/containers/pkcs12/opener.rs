//! Which passwords a part is tried with, in which order.

use crate::formats::wire::oid;
use crate::formats::wire::pbe;
use crate::formats::wire::spki::Algorithm;
use crate::model::{Closed, Opened, Unlock};
use zeroize::Zeroizing;

/// What a password made of a part, and which one.
pub(super) type Clear = (Zeroizing<Vec<u8>>, Opened);

pub(super) struct Opener<'a> {
    pub(super) unlock: Unlock<'a>,
    /// The password that the MAC selected.
    pub(super) selected: Option<Opened>,
}

impl Opener<'_> {
    /// Opens a part: first with the password that the MAC selected, then with the others, as a part may have its own.
    pub(super) fn open(
        &self,
        algorithm: &Algorithm<'_>,
        data: &[u8],
        is_right: fn(&[u8]) -> bool,
    ) -> Result<Clear, Closed> {
        if let Some(opened) = self.open_with_selected(algorithm, data, is_right)? {
            return Ok(opened);
        }
        let mut passwords = self.unlock.passwords.iter();
        self.unlock.first(|password, effort| {
            let place = passwords.next().map(|password| password.opened);
            if place == self.selected {
                return Ok(None);
            }
            pbe::open(algorithm, data, password, effort, |clear| {
                is_right(&clear).then_some(clear)
            })
        })
    }

    /// Opens a part with the password that the MAC selected, if there is one.
    pub(super) fn open_with_selected(
        &self,
        algorithm: &Algorithm<'_>,
        data: &[u8],
        is_right: fn(&[u8]) -> bool,
    ) -> Result<Option<Clear>, Closed> {
        let selected = self
            .unlock
            .passwords
            .iter()
            .find(|password| Some(password.opened) == self.selected);
        let Some(selected) = selected else {
            return Ok(None);
        };
        let (text, effort) = (selected.text.expose(), self.unlock.effort);
        let accept = |clear: Zeroizing<Vec<u8>>| is_right(&clear).then_some(clear);
        let mut clear = pbe::open(algorithm, data, text, effort, accept)?;
        if clear.is_none() && algorithm.oid == oid::PBES2 {
            // Older NSS took the BMPString of PKCS#12 for PBES2 too.
            for form in pbe::pkcs12::forms(text) {
                let opened = pbe::open_exactly(algorithm, data, &form, effort)?;
                clear = clear.or_else(|| opened.and_then(accept));
            }
        }
        Ok(clear.map(|clear| (clear, selected.opened)))
    }
}
