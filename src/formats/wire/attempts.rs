//! Passwords on the entries of one store: what opened one is tried first on the next, as most stores have one password.

use crate::model::unlock::Password;
use crate::model::{Closed, Effort, Opened, Unlock};

/// The passwords in the order to try, and why trying stopped.
#[derive(Debug)]
pub struct Attempts<'u> {
    passwords: Vec<&'u Password>,
    effort: &'u Effort,
    limit: Option<String>,
}

impl<'u> Attempts<'u> {
    /// What may be tried on a candidate.
    pub fn new(unlock: &Unlock<'u>) -> Self {
        Self {
            passwords: unlock.passwords.iter().collect(),
            effort: unlock.effort,
            limit: None,
        }
    }

    /// Whether there is nothing to try.
    pub const fn is_empty(&self) -> bool {
        self.passwords.is_empty()
    }

    /// The first password that opens something, as [`Unlock::first`] does it.
    pub fn first<T>(
        &mut self,
        mut attempt: impl FnMut(&[u8], &Effort) -> Result<Option<T>, Closed>,
    ) -> Result<(T, Opened), Closed> {
        for (place, password) in self.passwords.iter().enumerate() {
            match attempt(password.text.expose(), self.effort) {
                Ok(None) => {}
                Ok(Some(open)) => {
                    let opened = password.opened;
                    if let Some(tried) = self.passwords.get_mut(..=place) {
                        tried.rotate_right(1);
                    }
                    return Ok((open, opened));
                }
                Err(closed) => {
                    if let Closed::Limit(why) = &closed {
                        self.limit.get_or_insert_with(|| why.clone());
                    }
                    return Err(closed);
                }
            }
        }
        Err(Closed::NoPassword)
    }

    /// Why something was not tried to the end, if so: what it asked for.
    pub fn limit(self) -> Option<String> {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Passwords, Secret};

    #[test]
    fn what_opened_one_entry_is_tried_first_on_the_next() {
        let texts = ["a", "b", "c"].map(|text| Secret::copy_of(text.as_bytes()));
        let passwords = Passwords::new(texts, false);
        let effort = Effort::new(0);
        let mut attempts = Attempts::new(&Unlock {
            passwords: &passwords,
            effort: &effort,
        });
        let tried = |attempts: &mut Attempts<'_>, wanted: &[u8]| {
            let mut order = Vec::new();
            let _ = attempts.first(|password, _| {
                order.extend_from_slice(password);
                Ok((password == wanted).then_some(()))
            });
            order
        };
        assert_eq!(tried(&mut attempts, b"c"), b"abc");
        assert_eq!(tried(&mut attempts, b"b"), b"cab");
        assert_eq!(tried(&mut attempts, b"b"), b"b");
        assert_eq!(tried(&mut attempts, b"x"), b"bca");
        let refused = attempts.first(|_, _| Err::<Option<()>, _>(Closed::Limit("much".into())));
        assert!(refused.is_err());
        assert_eq!(attempts.limit().as_deref(), Some("much"));
    }
}
