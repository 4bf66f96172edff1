//! What may be tried on closed things, and what trying may cost.

use super::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which list a password stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordList {
    /// The user's own.
    Given,
    /// The lists that the configuration gives for some paths, one after the other.
    Configured,
    /// The short list of defaults that programs and people use.
    BuiltIn,
    /// Texts beside the thing that name themselves its password.
    Found,
}

/// How something closed was opened: by the place in a list, never by the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Opened {
    /// Which list.
    pub list: PasswordList,
    /// 1-based place in it.
    pub position: u32,
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self.list {
            PasswordList::Given => "password",
            PasswordList::Configured => "configured password",
            PasswordList::BuiltIn => "default password",
            PasswordList::Found => "found password",
        };
        write!(f, "{list} {}", self.position)
    }
}

/// One password and its place.
#[derive(Debug, Clone)]
pub struct Password {
    /// The exact bytes, UTF-8 where they are text.
    pub text: Arc<Secret>,
    /// Where it stands.
    pub opened: Opened,
}

/// Passwords to try, in this order.
#[derive(Debug, Default)]
pub struct Passwords(Vec<Password>);

/// Defaults that programs and their documents use; the position in this list is told, so it only grows at its end.
const BUILT_IN: &[&str] = &[
    "",
    "changeit",
    "changeme",
    "password",
    "notasecret",
    "secret",
    "123456",
    "changeit1",
    "admin",
    "test",
];

/// Where a text stands among the defaults.
fn built_in(text: &[u8]) -> Option<Opened> {
    let place = BUILT_IN.iter().position(|known| known.as_bytes() == text)?;
    Some(Opened {
        list: PasswordList::BuiltIn,
        position: u32::try_from(place).ok()?.checked_add(1)?,
    })
}

impl Passwords {
    /// The user's passwords, then, unless turned off, the built-in ones.
    pub fn new(given: impl IntoIterator<Item = Secret>, built_in: bool) -> Self {
        let mut passwords = Self::default();
        passwords.add(PasswordList::Given, given.into_iter().map(Arc::new));
        if built_in {
            passwords.add_built_in();
        }
        passwords
    }

    /// Appends the built-in defaults.
    pub fn add_built_in(&mut self) {
        let texts = BUILT_IN.iter().map(|t| Secret::copy_of(t.as_bytes()));
        self.add(PasswordList::BuiltIn, texts.map(Arc::new));
    }

    /// Appends a list; places count from 1.
    pub fn add(&mut self, list: PasswordList, texts: impl IntoIterator<Item = Arc<Secret>>) {
        self.add_from(list, 1, texts);
    }

    /// Appends a part of a list whose places count from `first`.
    pub fn add_from(
        &mut self,
        list: PasswordList,
        first: u32,
        texts: impl IntoIterator<Item = Arc<Secret>>,
    ) {
        let places = texts.into_iter().zip(first..);
        self.0.extend(places.map(|(text, position)| Password {
            // A default is one wherever it was learnt.
            opened: built_in(text.expose()).unwrap_or(Opened { list, position }),
            text,
        }));
    }

    /// Appends another list as it is.
    pub fn append(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// All of them, in the order to try.
    pub fn iter(&self) -> std::slice::Iter<'_, Password> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Passwords {
    type Item = &'a Password;
    type IntoIter = std::slice::Iter<'a, Password>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// How much work key derivation may still cost for one file. The unit is one iteration of PBKDF2: two
/// applications of a hash's compression.
#[derive(Debug)]
pub struct Effort(AtomicU64);

impl Effort {
    /// What one file may cost: about a second.
    pub const PER_FILE: u64 = 4_000_000;
    /// The most memory, in bytes, that one derivation may take.
    pub const MEMORY_MAX: u64 = 128 << 20;

    /// So much effort.
    pub const fn new(units: u64) -> Self {
        Self(AtomicU64::new(units))
    }

    /// Takes so many units away; false, and nothing is taken, if fewer are left.
    pub fn spend(&self, units: u64) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(units)
            })
            .is_ok()
    }

    /// Fills it up again, for the next file.
    pub fn reset(&self) {
        self.0.store(Self::PER_FILE, Ordering::Relaxed);
    }
}

/// What a reader may try on a closed candidate.
#[derive(Debug, Clone, Copy)]
pub struct Unlock<'a> {
    /// The passwords.
    pub passwords: &'a Passwords,
    /// What trying may still cost for the file that holds the candidate.
    pub effort: &'a Effort,
}

impl Unlock<'static> {
    /// No password, no effort.
    pub const NONE: Self = Self {
        passwords: &Passwords(Vec::new()),
        effort: {
            static NO_EFFORT: Effort = Effort::new(0);
            &NO_EFFORT
        },
    };
}

/// Why something stayed closed although passwords were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// None of the passwords opens it (or there is none to try).
    NoPassword,
    /// Its scheme is not known here.
    Unsupported(String),
    /// Its derivation costs more than is allowed, or the effort for the file is spent; says what it asks for.
    Limit(String),
}

impl Unlock<'_> {
    /// The first password that opens something. `attempt` gives `None` for a wrong password and an error for what
    /// no password can change.
    pub fn first<T>(
        &self,
        mut attempt: impl FnMut(&[u8], &Effort) -> Result<Option<T>, Closed>,
    ) -> Result<(T, Opened), Closed> {
        for password in self.passwords {
            if let Some(opened) = attempt(password.text.expose(), self.effort)? {
                return Ok((opened, password.opened));
            }
        }
        Err(Closed::NoPassword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_is_spent_once() {
        let effort = Effort::new(10);
        assert!(effort.spend(7));
        assert!(!effort.spend(4));
        assert!(effort.spend(3));
        assert!(!effort.spend(1));
    }

    #[test]
    fn given_passwords_come_first_and_places_count_in_their_list() {
        let passwords = Passwords::new([Secret::copy_of(b"mine")], true);
        let unlock = Unlock {
            passwords: &passwords,
            effort: &Effort::new(0),
        };
        let by = |text: &[u8]| unlock.first(|p, _| Ok((p == text).then_some(())));
        let opened = |text| by(text).unwrap().1.to_string();
        assert_eq!(opened(b"mine"), "password 1");
        assert_eq!(opened(b"changeit"), "default password 2");
        assert_eq!(by(b"other"), Err(Closed::NoPassword));
    }

    #[test]
    fn a_default_that_the_user_names_too_is_still_a_default() {
        let passwords = Passwords::new(
            ["mine", "test"].map(|t| Secret::copy_of(t.as_bytes())),
            false,
        );
        let told: Vec<String> = passwords.iter().map(|p| p.opened.to_string()).collect();
        assert_eq!(told, ["password 1", "default password 10"]);
    }
}
