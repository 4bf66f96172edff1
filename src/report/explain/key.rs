//! A key: what it is, where it is registered, what it opens, and all its sightings.

use super::super::access;
use super::super::escape::escape;
use super::super::words::key_words;
use super::entry::write_flags;
use super::sighting;
use crate::model::{EntryReport, KeyReport, Kind, Sighting, SshAccess};
use std::io::{self, Write};

/// Writes a key, with the rows and the access that were found with it.
pub(super) fn write(
    key: &KeyReport,
    (entries, access): (&[&EntryReport], &[&SshAccess]),
    out: &mut impl Write,
) -> io::Result<()> {
    let words = key_words(key.algorithm.as_deref(), key.bits);
    writeln!(out, "Key {}", key.key_id)?;
    writeln!(out, "  {} · class {}", escape(&words), key.class.as_str())?;
    if let Some((since, by)) = exists_since(key) {
        writeln!(out, "  exists since {since} at the latest, by {by}")?;
    }
    if let Some(source) = &key.known_public {
        writeln!(out, "  its private half is published: {}", escape(source))?;
    }
    match (&key.matched_by, &*key.entries) {
        (_, []) => writeln!(out, "  in no row of the inventory")?,
        (Some(by), entries) => writeln!(
            out,
            "  rows {}, matched by {}",
            escape(&entries.join(", ")),
            escape(by)
        )?,
        (None, entries) => writeln!(out, "  rows {}", escape(&entries.join(", ")))?,
    }
    write_flags(&key.flags, entries, out)?;
    write_access(key, access, out)?;
    writeln!(out, "  seen {}", times(key.sightings.len()))?;
    for sighting in &key.sightings {
        sighting::write(sighting, out)?;
    }
    writeln!(out)
}

/// What a key opens, and who holds it.
fn write_access(key: &KeyReport, all: &[&SshAccess], out: &mut impl Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    for (title, lets_in) in [("opens", true), ("does not open", false)] {
        let some: Vec<_> = all
            .iter()
            .filter(|a| a.state.lets_in() == lets_in)
            .collect();
        if !some.is_empty() {
            writeln!(out, "  {title}")?;
        }
        for one in some {
            writeln!(out, "    {}", escape(&access::sentence(one)))?;
        }
    }
    let held = || key.sightings.iter().filter(|s| s.kind.is_private());
    let mut places: Vec<String> = held()
        .map(|s| {
            let host = s.host.as_deref().unwrap_or_default();
            format!("{host}:{}", s.location.path)
        })
        .collect();
    places.dedup();
    if places.is_empty() {
        // Of an encrypted key only what lies beside it says which it is.
        places.extend(all.iter().flat_map(|a| a.held_at.iter().cloned()).take(1));
    }
    match places.as_slice() {
        [] => writeln!(out, "  its private key was not seen"),
        places => writeln!(out, "  held at {}", escape(&places.join(", "))),
    }
}

/// The first day on which something of a key says that it existed, and what that is.
fn exists_since(key: &KeyReport) -> Option<(String, &'static str)> {
    let of = |s: &Sighting| {
        let certificate = s
            .certificate
            .as_deref()
            .filter(|_| s.kind == Kind::Certificate);
        [
            (certificate.and_then(|c| c.not_before), "a certificate"),
            (s.pgp.as_deref().and_then(|p| p.created), "the OpenPGP key"),
            (s.created(), "an entry of a keystore"),
            (
                s.file.as_ref().and_then(|f| f.modified),
                "the date of a file",
            ),
        ]
    };
    let dated = key.sightings.iter().flat_map(|s| of(s));
    let (at, by) = dated.filter_map(|(at, by)| Some((at?, by))).min()?;
    Some((at.strftime("%Y-%m-%d").to_string(), by))
}

fn times(number: usize) -> String {
    match number {
        1 => "once:".to_owned(),
        _ => format!("{number} times:"),
    }
}
