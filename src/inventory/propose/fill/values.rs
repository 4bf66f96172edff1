//! What single columns say of a thing: states, types, names, algorithms, sizes, dates.

use super::{Column, Filler};
use crate::inventory::cells as cell_words;
use crate::inventory::columns::Field;
use crate::inventory::heading::compact;
use crate::inventory::propose::identifiers;
use crate::inventory::propose::spelling::{self, most_common, plain};
use crate::inventory::words;
use crate::model::{EntryKind, Thing};

impl Filler<'_> {
    /// The value of a thing for a column that is neither an identifier, a place nor the type.
    pub(super) fn value(&self, thing: &Thing, column: &Column<'_>) -> Option<String> {
        let certificate = thing.certificate.as_ref();
        let text = |text: &str| Some(plain(text)).filter(|t| !t.is_empty());
        match column.field {
            Field::Name => text(thing.name.as_deref()?),
            Field::NotBefore => Some(self.date(thing.not_before?, column)),
            Field::Expires => Some(self.date(thing.expires?, column)),
            Field::State => Some(
                most_common(
                    column
                        .pairs
                        .iter()
                        .filter(|(_, meant)| words::state(meant) == Some(thing.state))
                        .map(|(cell, _)| *cell),
                )
                .unwrap_or(thing.state.as_str())
                .to_owned(),
            ),
            Field::Serial => {
                identifiers::serial_cell(&certificate?.serial, column.hints.base, &column.cells)
            }
            Field::Subject => self.name(&certificate?.subject, column),
            Field::Issuer => self.name(&certificate?.issuer, column),
            Field::Sans => {
                let names = &certificate?.sans;
                let labelled = column.cells.iter().any(|c| c.contains("DNS"));
                let bare = |n: &String| n.split_once(':').map_or(n.as_str(), |(_, b)| b).to_owned();
                let names: Vec<String> = names
                    .iter()
                    .map(|n| plain(&if labelled { n.clone() } else { bare(n) }))
                    .collect();
                let between = if self.export.lists.contains(&column.index) {
                    "\n"
                } else {
                    spelling::separator(&column.cells).unwrap_or(", ")
                };
                Some(names.join(between)).filter(|n| !n.is_empty())
            }
            Field::Algorithm => self.algorithm(thing, column),
            Field::Bits => Some(spelling::size(thing.bits?, &column.cells)),
            _ => None,
        }
    }

    /// A distinguished name; where the column has common names alone, that.
    fn name(&self, dn: &str, column: &Column<'_>) -> Option<String> {
        let short = !column.cells.is_empty() && !column.cells.iter().any(|c| c.contains('='));
        let common = dn
            .split(',')
            .find_map(|part| part.trim().strip_prefix("CN="))
            .filter(|_| short);
        Some(plain(common.unwrap_or(dn))).filter(|n| !n.is_empty())
    }

    /// An algorithm as the column names it: as a cell that names this one, else by its own name.
    fn algorithm(&self, thing: &Thing, column: &Column<'_>) -> Option<String> {
        let own = thing.algorithm.as_deref()?;
        let has_sizes = |cell: &str| cell_words::bits_of_name(cell).is_some();
        let wanted = family(own);
        let alike = column.cells.iter().copied().filter(|cell| {
            let sized = cell_words::bits_of_name(cell);
            family(cell) == wanted
                && (sized.is_none() || sized == thing.bits)
                && (wanted != "ec" || curve(cell).is_none_or(|bits| Some(bits) == thing.bits))
        });
        if let Some(cell) = most_common(alike) {
            return Some(cell.to_owned());
        }
        let sized = column.cells.iter().find(|c| has_sizes(c));
        match (sized, thing.bits) {
            (Some(like), Some(bits)) if matches!(wanted.as_str(), "rsa" | "dsa") => {
                let between = if like.contains('-') {
                    "-"
                } else if like.contains(' ') {
                    " "
                } else {
                    ""
                };
                Some(format!("{own}{between}{bits}"))
            }
            _ => Some(own.to_owned()),
        }
    }

    /// The word of the type column, and what it is understood as.
    pub(super) fn type_cell(&self, thing: &Thing) -> (Option<String>, Option<EntryKind>) {
        let Some(column) = self.columns.iter().find(|c| c.field == Field::Type) else {
            return (None, None);
        };
        let algorithms = column
            .pairs
            .iter()
            .filter(|(_, m)| words::is_algorithm(m))
            .count();
        if algorithms * 2 > column.pairs.len() {
            let word = self.algorithm(thing, column);
            let kind = word.as_deref().and_then(words::kind);
            return (word, kind);
        }
        let is_ca = thing.certificate.as_ref().is_some_and(|c| c.is_ca);
        let of_kind = |kind: EntryKind| {
            let names_ca = |m: &str| {
                m.split(|c: char| !c.is_alphanumeric()).any(|w| {
                    matches!(
                        w.to_lowercase().as_str(),
                        "ca" | "root" | "authority" | "intermediate"
                    )
                })
            };
            let pairs = column.pairs.iter();
            most_common(
                pairs
                    .filter(|(_, m)| {
                        words::kind(m) == Some(kind)
                            && (kind != EntryKind::Certificate || names_ca(m) == is_ca)
                    })
                    .map(|(cell, _)| *cell),
            )
        };
        let word = of_kind(thing.kind).unwrap_or(match thing.kind {
            EntryKind::Certificate if is_ca => "CA certificate",
            EntryKind::Certificate => "certificate",
            EntryKind::SshKey => "SSH key",
            EntryKind::SshHostKey => "SSH host key",
            EntryKind::Grant => "authorized key",
            EntryKind::KeyPair => "private key",
            EntryKind::PublicKey => "public key",
            EntryKind::Symmetric => "symmetric key",
            EntryKind::Pgp => "OpenPGP key",
        });
        (Some(word.to_owned()), Some(thing.kind))
    }

    /// A certificate's start stands for the making of the row's thing where there is no column of its own for it.
    pub(super) fn stands_for_start(&self, thing: &Thing) -> Option<jiff::Timestamp> {
        let own = self.columns.iter().any(|c| c.field == Field::NotBefore);
        thing.not_before.filter(|_| !own)
    }

    pub(super) fn date(&self, at: jiff::Timestamp, column: &Column<'_>) -> String {
        spelling::date(at, &column.cells, column.order)
    }
}

/// A word for algorithms that are one, whatever the spelling.
fn family(name: &str) -> String {
    let word = compact(name);
    for (starts, family) in [
        (&["rsa", "sshrsa"][..], "rsa"),
        (&["ed25519", "sshed25519", "eddsa25519"], "ed25519"),
        (&["ed448"], "ed448"),
        (
            &[
                "ecdsa",
                "ecdh",
                "ec",
                "idecpublickey",
                "secp",
                "prime256v1",
                "nistp",
                "p256",
                "p384",
                "p521",
            ],
            "ec",
        ),
        (&["dsa", "sshdss"], "dsa"),
    ] {
        if starts.iter().any(|s| word.starts_with(s)) {
            return family.to_owned();
        }
    }
    word
}

/// The size of the curve that a name tells.
fn curve(name: &str) -> Option<u32> {
    let word = compact(name);
    [224, 256, 384, 521]
        .into_iter()
        .find(|bits| word.contains(&bits.to_string()))
}
