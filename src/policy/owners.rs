//! Who still answers for keys: the list behind `--owners`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Largest list that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Words in the status column that mean that somebody is gone (contract, section 5).
const GONE: [&str; 8] = [
    "left",
    "leaver",
    "gone",
    "inactive",
    "disabled",
    "terminated",
    "departed",
    "former",
];

/// What the list says of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There.
    Present,
    /// Gone, with the list's own word for it.
    Gone(String),
    /// Not in the list.
    Unknown,
}

/// The people and teams that may own keys, by name and by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// Name or address, lower case, to the word for being gone.
    standing: HashMap<String, Option<String>>,
    /// Name or address to the first line that has it.
    line: HashMap<String, usize>,
}

/// Why a list of owners cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnersError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path as given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than what is read.
    #[error("{path}: larger than the {MAX_BYTES} bytes that are read")]
    TooLarge {
        /// The path as given.
        path: String,
    },
    /// It is no such list.
    #[error(
        "{path}: no list of owners; expected CSV with a column owner, name, mail or email, and an optional column status"
    )]
    NoColumn {
        /// The path as given.
        path: String,
    },
    /// It has a header and nobody in it.
    #[error("{path}: a list of owners without a single owner")]
    Empty {
        /// The path as given.
        path: String,
    },
}

/// Reads a list of owners.
///
/// # Errors
/// If it cannot be read, lacks the columns, or names nobody.
pub fn read_owners(path: &Path) -> Result<Owners, OwnersError> {
    let shown = path.display().to_string();
    let failed = |source| OwnersError::Io {
        path: shown.clone(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(OwnersError::TooLarge { path: shown });
    }
    Owners::from_bytes(&shown, &bytes)
}

impl Owners {
    /// Reads the list from its bytes; `path` is what an error cites.
    ///
    /// # Errors
    /// If it lacks the columns, or names nobody.
    pub fn from_bytes(path: &str, bytes: &[u8]) -> Result<Self, OwnersError> {
        let no_column = || OwnersError::NoColumn {
            path: path.to_owned(),
        };
        let text = decode(bytes);
        let first = text
            .lines()
            .find(|l| !l.trim().is_empty())
            .ok_or_else(no_column)?;
        let delimiter = [b',', b';', b'\t', b'|']
            .into_iter()
            .rev()
            .max_by_key(|d| first.bytes().filter(|b| b == d).count())
            .unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|_| no_column())?.clone();
        let plain = |h: &str| -> String {
            h.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase()
        };
        let named = |wanted: &[&str]| -> Vec<usize> {
            headers
                .iter()
                .enumerate()
                .filter(|(_, h)| wanted.contains(&plain(h).as_str()))
                .map(|(i, _)| i)
                .collect()
        };
        let names = named(&[
            "owner",
            "name",
            "mail",
            "email",
            "owneremail",
            "ownername",
            "emailaddress",
        ]);
        let status = named(&["status", "state"]).first().copied();
        if names.is_empty() {
            return Err(no_column());
        }
        let mut owners = Self::default();
        for (line, record) in reader.records().map_while(Result::ok).enumerate() {
            let word = status.and_then(|i| record.get(i)).unwrap_or("");
            let gone = GONE
                .contains(&word.to_lowercase().as_str())
                .then(|| word.to_lowercase());
            for name in names
                .iter()
                .filter_map(|i| record.get(*i))
                .filter(|n| !n.is_empty())
            {
                owners.line.entry(normal(name)).or_insert(line);
                owners
                    .standing
                    .entry(normal(name))
                    // Two rows of one name: being there once is being there.
                    .and_modify(|known| {
                        if gone.is_none() {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| gone.clone());
            }
        }
        if owners.standing.is_empty() {
            return Err(OwnersError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(owners)
    }

    /// What the list says of an owner as an inventory names him: a name, an address, or both as `Name <address>`.
    pub fn standing(&self, owner: &str) -> Standing {
        // The whole text first, then the address, which is one person's, then the name.
        match spellings(owner).iter().find_map(|n| self.standing.get(n)) {
            Some(None) => Standing::Present,
            Some(Some(word)) => Standing::Gone(word.clone()),
            None => Standing::Unknown,
        }
    }

    /// Whether one line of the list has both.
    pub fn are_one(&self, one: &str, other: &str) -> bool {
        let line = |owner: &str| {
            let names = spellings(owner);
            names.iter().find_map(|n| self.line.get(n).copied())
        };
        line(one).is_some_and(|found| line(other) == Some(found))
    }
}

/// What a person may be found by: the whole text, and of `Name <address>` the address and the name.
pub(super) fn spellings(owner: &str) -> Vec<String> {
    let whole = normal(owner);
    let both = whole.split_once('<').and_then(|(name, rest)| {
        let address = rest.split_once('>')?.0.trim();
        Some([address.to_owned(), name.trim().to_owned()])
    });
    let parts = both.into_iter().flatten();
    let mut out = vec![whole];
    out.extend(parts.filter(|part| !part.is_empty()));
    out
}

/// Lower case with single blanks.
fn normal(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// UTF-8 or UTF-16 by byte order mark, else UTF-8, else Windows-1252.
fn decode(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            encoding
                .decode_without_bom_handling(bytes.get(length..).unwrap_or(&[]))
                .0
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => {
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(bytes)
                    .0
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(text: &str) -> Owners {
        Owners::from_bytes("owners.csv", text.as_bytes()).unwrap()
    }

    #[test]
    fn name_mail_and_status_are_read() {
        let list = owners(
            "\u{feff}Name;E-Mail;Status\nAnna Berg;anna@example.com;active\nBert Cole;bert@example.com; Left \nTeam Web;;\n",
        );
        for (owner, expected) in [
            ("Anna Berg", Standing::Present),
            (" anna  berg ", Standing::Present),
            ("ANNA@example.com", Standing::Present),
            ("Anna Berg <anna@example.com>", Standing::Present),
            ("Bert Cole", Standing::Gone("left".into())),
            ("bert@example.com", Standing::Gone("left".into())),
            ("Bert <bert@example.com>", Standing::Gone("left".into())),
            ("team web", Standing::Present),
            ("Carl", Standing::Unknown),
            ("", Standing::Unknown),
        ] {
            assert_eq!(list.standing(owner), expected, "{owner:?}");
        }
    }

    #[test]
    fn every_word_of_the_contract_means_gone() {
        for word in [
            "left",
            "leaver",
            "gone",
            "inactive",
            "disabled",
            "terminated",
            "departed",
            "former",
            "Departed",
        ] {
            let list = owners(&format!("owner,status\nx,{word}\n"));
            assert_eq!(list.standing("x"), Standing::Gone(word.to_lowercase()));
        }
        assert_eq!(
            owners("owner,status\nx,on holiday\n").standing("x"),
            Standing::Present
        );
        assert_eq!(
            owners("owner,status\nx,left\nx,active\n").standing("x"),
            Standing::Present
        );
    }

    #[test]
    fn other_files_are_refused() {
        for (text, empty) in [("", false), ("a,b\n1,2\n", false), ("owner,status\n", true)] {
            let error = Owners::from_bytes("o.csv", text.as_bytes()).unwrap_err();
            assert_eq!(
                matches!(error, OwnersError::Empty { .. }),
                empty,
                "{text:?}"
            );
        }
    }
}
