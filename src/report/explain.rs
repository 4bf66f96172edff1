//! All about one key or entry: where, matched how, flagged why.

use super::access;
use super::advice;
use super::escape::escape;
use super::words::{excused, key_words};
use crate::model::{
    EntryReport, Finding, Image, KeyReport, Kind, Pgp, Protection, Report, Sighting, SshAccess,
};
use serde::Serialize;
use std::io::{self, Write};

/// The part of a report that an id names.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Explained<'a> {
    /// The keys that it names.
    pub keys: Vec<&'a KeyReport>,
    /// The sightings without key that it names.
    pub others: Vec<&'a Sighting>,
    /// The entries that it names, and those of the keys.
    pub entries: Vec<&'a EntryReport>,
    /// The findings on exceptions of the policy that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<&'a Finding>,
    /// What the keys open by SSH.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<&'a SshAccess>,
}

impl Explained<'_> {
    /// Whether the id named nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.entries.is_empty()
            && self.others.is_empty()
            && self.exceptions.is_empty()
    }
}

/// Finds what an id names: a key id, a finding id, a fingerprint in any usual spelling, a path with or without
/// its host, a host, an entry id or name.
pub fn find<'a>(report: &'a Report, id: &str) -> Explained<'a> {
    let wanted = Wanted::new(id);
    let mut found = Explained {
        keys: report.keys.iter().filter(|key| wanted.key(key)).collect(),
        others: report
            .others
            .iter()
            .filter(|s| wanted.sighting(s))
            .collect(),
        entries: Vec::new(),
        exceptions: report
            .policy
            .iter()
            .flat_map(|policy| &policy.flags)
            .filter(|finding| finding.id == wanted.exact)
            .collect(),
        access: Vec::new(),
    };
    found.entries = report
        .entries
        .iter()
        .filter(|entry| {
            let of_key = |key: &&KeyReport| {
                key.entries.contains(&entry.id)
                    || key
                        .flags
                        .iter()
                        .any(|f| f.entry.as_ref() == Some(&entry.id))
            };
            wanted.entry(entry) || found.keys.iter().any(of_key)
        })
        .collect();
    // An entry leads to its keys.
    let direct: Vec<&EntryReport> = report.entries.iter().filter(|e| wanted.entry(e)).collect();
    for key in &report.keys {
        let linked = direct.iter().any(|entry| {
            entry.keys.contains(&key.key_id)
                || key
                    .flags
                    .iter()
                    .any(|f| f.entry.as_ref() == Some(&entry.id))
        });
        if linked && !found.keys.iter().any(|known| known.key_id == key.key_id) {
            found.keys.push(key);
        }
    }
    let named = |access: &&SshAccess| found.keys.iter().any(|k| k.key_id == access.key_id);
    found.access = report.access.iter().filter(named).collect();
    found
}

/// What is looked for, in the spellings that can occur.
struct Wanted {
    exact: String,
    /// Hexadecimal digits alone, lower case, of at least 8.
    digits: Option<String>,
    base64: String,
}

impl Wanted {
    fn new(id: &str) -> Self {
        let exact = id.trim().to_owned();
        // openssl writes `SHA256 Fingerprint=…`; at its end the sign is base64's padding.
        let unpadded = exact.trim_end_matches('=');
        let bare = unpadded
            .rsplit_once('=')
            .map_or(unpadded, |(_, value)| value);
        let lower = bare.to_ascii_lowercase();
        let lower = ["sha256:", "sha1:", "md5:", "sha-256:", "sha-1:", "0x"]
            .iter()
            .find_map(|prefix| lower.strip_prefix(prefix))
            .unwrap_or(&lower)
            .to_owned();
        let digits: String = lower
            .chars()
            .filter(|c| !matches!(c, ':' | ' ' | '-'))
            .collect();
        let is_hex = digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        Self {
            base64: bare.trim_start_matches("SHA256:").to_owned(),
            digits: is_hex.then_some(digits),
            exact,
        }
    }

    fn key(&self, key: &KeyReport) -> bool {
        let id = key.key_id.to_string();
        let digest = id.rsplit_once(':').map_or("", |(_, digest)| digest);
        id == self.exact
            || self.is_digest(digest)
            || key.flags.iter().any(|flag| flag.id == self.exact)
            || key.sightings.iter().any(|sighting| self.sighting(sighting))
    }

    fn is_digest(&self, digest: &str) -> bool {
        self.digits
            .as_ref()
            .is_some_and(|digits| digest.to_ascii_lowercase().starts_with(digits.as_str()))
    }

    fn sighting(&self, sighting: &Sighting) -> bool {
        let prints = &sighting.fingerprints;
        let digests = [
            prints.spki_sha256.map(|d| d.to_string()),
            prints.cert_sha256.map(|d| d.to_string()),
            prints.cert_sha1.map(|d| d.to_string()),
            prints.cert_md5.map(|d| d.to_string()),
            prints.keygrip.map(|d| d.to_string()),
            prints.ski.as_deref().map(str::to_owned),
            prints.pgp_fingerprint.as_deref().map(str::to_owned),
            prints.pgp_keyid.as_deref().map(str::to_owned),
            prints.pkcs11_id.as_deref().map(str::to_owned),
            prints
                .ssh_md5
                .map(|d| d.to_string().trim_start_matches("MD5:").replace(':', "")),
            sighting.certificate.as_ref().map(|c| c.serial.clone()),
        ];
        let ssh = prints.ssh_sha256.map(|d| d.to_string()).unwrap_or_default();
        digests
            .iter()
            .flatten()
            .any(|digest| self.is_digest(digest))
            || (!ssh.is_empty() && ssh.trim_start_matches("SHA256:") == self.base64)
            || prints
                .jwk_thumbprint
                .is_some_and(|d| d.to_string() == self.exact)
            || self.place(sighting)
    }

    fn place(&self, sighting: &Sighting) -> bool {
        let host = sighting.host.as_deref().unwrap_or_default();
        let location = &sighting.location;
        self.exact == host
            || std::iter::once(&location.path)
                .chain(location.links.iter())
                .chain(location.hard_links.iter())
                .any(|path| {
                    *path == self.exact
                        || self
                            .exact
                            .split_once(':')
                            .is_some_and(|(h, p)| h == host && *path == *p)
                })
    }

    fn entry(&self, entry: &EntryReport) -> bool {
        *entry.id == *self.exact
            || entry.source.to_string() == self.exact
            || entry
                .name
                .as_ref()
                .is_some_and(|name| **name == *self.exact)
            || entry.flags.iter().any(|flag| flag.id == self.exact)
    }
}

/// Writes what was found, for people.
pub fn write_text(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    for key in &found.keys {
        let access = found.access.iter().filter(|a| a.key_id == key.key_id);
        let access = access.copied().collect::<Vec<_>>();
        write_key(key, (&found.entries, &access), out)?;
    }
    for other in &found.others {
        writeln!(out, "{}", other.kind)?;
        write_sighting(other, out)?;
        writeln!(out)?;
    }
    for entry in &found.entries {
        write_entry(entry, out)?;
    }
    for finding in &found.exceptions {
        writeln!(out, "Exception")?;
        write_flags(std::slice::from_ref(*finding), &found.entries, out)?;
    }
    Ok(())
}

/// Writes what was found as one JSON document.
pub fn write_json(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, found)?;
    out.write_all(b"\n")
}

/// Writes what was found as JSON Lines: a line a key, other sighting, entry and access.
pub fn write_lines(found: &Explained<'_>, out: &mut impl Write) -> io::Result<()> {
    for key in &found.keys {
        line(out, "key", key)?;
    }
    for other in &found.others {
        line(out, "other", other)?;
    }
    for entry in &found.entries {
        line(out, "entry", entry)?;
    }
    for finding in &found.exceptions {
        line(out, "exception", finding)?;
    }
    for access in &found.access {
        line(out, "access", access)?;
    }
    Ok(())
}

fn line<T: Serialize>(out: &mut impl Write, record: &str, value: &T) -> io::Result<()> {
    #[derive(Serialize)]
    struct Record<'a, T> {
        record: &'a str,
        #[serde(flatten)]
        value: &'a T,
    }
    serde_json::to_writer(&mut *out, &Record { record, value })?;
    out.write_all(b"\n")
}

fn write_key(
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
    match (&key.matched_by, key.entries.as_slice()) {
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
        write_sighting(sighting, out)?;
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

/// Each finding as an auditor notes it: what, where, by which row and rule, and what to do.
fn write_flags(
    flags: &[Finding],
    entries: &[&EntryReport],
    out: &mut impl Write,
) -> io::Result<()> {
    for flag in flags {
        writeln!(
            out,
            "  {} {} ({}): {}",
            flag.severity.as_str(),
            flag.flag.as_str(),
            flag.id,
            escape(&flag.why)
        )?;
        if let Some(excuse) = &flag.exception {
            writeln!(out, "    {}", escape(&excused(excuse)))?;
        }
        if let Some(place) = &flag.place {
            writeln!(out, "    where: {}", escape(place))?;
        }
        if let Some(certificate) = &flag.cert_sha256 {
            writeln!(out, "    certificate: {certificate}")?;
        }
        if let Some(id) = &flag.entry {
            let source = entries.iter().find(|e| e.id == *id);
            let source = source.map(|e| format!(" ({})", e.source));
            let source = source.unwrap_or_default();
            writeln!(out, "    row: {}{}", escape(id), escape(&source))?;
        }
        writeln!(out, "    rule: {}", advice::rule(flag.flag))?;
        writeln!(out, "    to do: {}", advice::remedy(flag.flag))?;
    }
    Ok(())
}

/// `in image app:1 (sha256:…), deleted by layer sha256:…`
fn image_words(image: &Image) -> String {
    let name = match image.names.as_slice() {
        [] => "without a name".to_owned(),
        names => names.join(", "),
    };
    let digest = image.digest.as_ref().or(image.id.as_ref());
    let digest = digest.map(|d| format!(" ({d})")).unwrap_or_default();
    let removed = image.removed.zip(image.removed_by.as_deref());
    let removed = removed
        .map(|(how, by)| format!(", {} by layer {by}", how.as_str()))
        .unwrap_or_default();
    format!("in image {name}{digest}{removed}")
}

fn write_sighting(sighting: &Sighting, out: &mut impl Write) -> io::Result<()> {
    let location = &sighting.location;
    let host = sighting.host.as_deref().unwrap_or_default();
    let line = match (location.line, location.offset) {
        (Some(line), _) => format!(", line {line}"),
        (None, Some(offset)) if offset > 0 => format!(", byte {offset}"),
        _ => String::new(),
    };
    let protection = match (sighting.protection, &sighting.cipher) {
        (Some(Protection::None), _) => ", in clear".to_owned(),
        (Some(Protection::Encrypted), Some(cipher)) => format!(", encrypted ({cipher})"),
        (Some(Protection::Encrypted), None) => ", encrypted".to_owned(),
        (None, _) => String::new(),
    };
    writeln!(
        out,
        "    {} ({}{protection}) at {}:{}{line}",
        sighting.kind,
        escape(&sighting.format),
        escape(host),
        escape(&location.path)
    )?;
    for member in location.inside.iter() {
        let name = member.name.as_deref().unwrap_or_default();
        writeln!(
            out,
            "      inside {} {}",
            escape(&member.container),
            escape(name)
        )?;
    }
    for image in sighting.images.iter().flat_map(|images| images.iter()) {
        writeln!(out, "      {}", escape(&image_words(image)))?;
    }
    if let Some(alias) = &location.alias {
        writeln!(out, "      as entry {}", escape(alias))?;
    }
    if let Some(opened) = &sighting.opened {
        writeln!(out, "      opened with {opened}")?;
    }
    for link in location.links.iter() {
        writeln!(out, "      linked from {}", escape(link))?;
    }
    for link in location.hard_links.iter() {
        writeln!(out, "      also {}", escape(link))?;
    }
    if let Some(file) = &sighting.file {
        let owner = file.owner.as_deref().unwrap_or("?");
        let group = file.group.as_deref().unwrap_or("?");
        let package = file
            .package
            .as_deref()
            .map(|package| format!(", package {package}"))
            .unwrap_or_default();
        writeln!(
            out,
            "      mode {} {}:{} ({}:{}){}",
            file.mode,
            escape(owner),
            escape(group),
            file.uid,
            file.gid,
            escape(&package)
        )?;
    }
    write_contents(sighting, out)?;
    for note in &sighting.notes {
        writeln!(out, "      note: {}", escape(note))?;
    }
    Ok(())
}

fn write_contents(sighting: &Sighting, out: &mut impl Write) -> io::Result<()> {
    if let Some(certificate) = &sighting.certificate {
        let day = |moment: Option<jiff::Timestamp>| {
            moment.map_or_else(|| "?".to_owned(), |t| t.strftime("%Y-%m-%d").to_string())
        };
        // A revocation list has an issuer alone.
        if !certificate.subject.is_empty() {
            writeln!(out, "      subject {}", escape(&certificate.subject))?;
        }
        if sighting.kind != Kind::CertificateRequest {
            writeln!(
                out,
                "      issuer {}; serial {}; valid {} to {}",
                escape(&certificate.issuer),
                escape(&certificate.serial),
                day(certificate.not_before),
                day(certificate.not_after)
            )?;
        }
    }
    if let Some(ssh) = &sighting.ssh {
        for (name, value) in [("comment", &ssh.comment), ("options", &ssh.options)] {
            if let Some(value) = value {
                writeln!(out, "      {name} {}", escape(value))?;
            }
        }
        for (name, values) in [("hosts", &ssh.hosts), ("principals", &ssh.principals)] {
            if !values.is_empty() {
                writeln!(out, "      {name} {}", escape(&values.join(", ")))?;
            }
        }
    }
    if let Some(pgp) = &sighting.pgp {
        write_pgp(pgp, out)?;
    }
    let prints = &sighting.fingerprints;
    for (name, value) in [
        (
            "OpenPGP fingerprint",
            prints.pgp_fingerprint.as_deref().map(str::to_owned),
        ),
        (
            "keygrip",
            prints
                .keygrip
                .filter(|_| sighting.kind.is_pgp())
                .map(|grip| grip.to_string().to_ascii_uppercase()),
        ),
        (
            "certificate SHA-256",
            prints.cert_sha256.map(|d| d.to_string()),
        ),
        ("certificate SHA-1", prints.cert_sha1.map(|d| d.to_string())),
        ("SSH", prints.ssh_sha256.map(|d| d.to_string())),
    ] {
        if let Some(value) = value {
            writeln!(out, "      {name} {value}")?;
        }
    }
    Ok(())
}

/// User ids, times and uses of an OpenPGP key.
fn write_pgp(pgp: &Pgp, out: &mut impl Write) -> io::Result<()> {
    const USER_IDS: usize = 8;
    for user_id in pgp.user_ids.iter().take(USER_IDS) {
        writeln!(out, "      user id {}", escape(user_id))?;
    }
    if pgp.user_ids.len() > USER_IDS {
        writeln!(out, "      and {} more", pgp.user_ids.len() - USER_IDS)?;
    }
    if let Some(primary) = &pgp.primary {
        writeln!(out, "      subkey of {}", escape(primary))?;
    }
    let day = |moment: jiff::Timestamp| moment.strftime("%Y-%m-%d").to_string();
    if let Some(created) = pgp.created {
        let end = pgp.expires.map_or_else(
            || "no end".to_owned(),
            |end| format!("valid until {}", day(end)),
        );
        let revoked = if pgp.revoked { ", revoked" } else { "" };
        writeln!(out, "      created {}, {end}{revoked}", day(created))?;
    }
    if !pgp.capabilities.is_empty() {
        writeln!(out, "      may {}", escape(&pgp.capabilities.join(", ")))?;
    }
    match pgp.card.as_deref() {
        Some("") => writeln!(out, "      on a card"),
        Some(serial) => writeln!(out, "      on card {}", escape(serial)),
        None => Ok(()),
    }
}

fn write_entry(entry: &EntryReport, out: &mut impl Write) -> io::Result<()> {
    let name = entry.name.as_deref().unwrap_or_default();
    writeln!(
        out,
        "Row {} {} ({}): {}",
        escape(&entry.id),
        escape(name),
        escape(&entry.source.to_string()),
        entry.status.as_str()
    )?;
    let owner = entry.owner.as_deref().unwrap_or("none");
    let state = entry.state.as_deref().unwrap_or("not told");
    writeln!(out, "  owner {}; state {}", escape(owner), escape(state))?;
    if let Some(by) = &entry.matched_by {
        writeln!(out, "  matched by {}", escape(by))?;
    }
    for key in &entry.keys {
        writeln!(out, "  key {key}")?;
    }
    write_flags(&entry.flags, &[entry], out)?;
    writeln!(out)
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
            (s.created, "an entry of a keystore"),
            (
                s.file.as_ref().and_then(|f| f.modified),
                "the date of a file",
            ),
        ]
    };
    let dated = key.sightings.iter().flat_map(of);
    let (at, by) = dated.filter_map(|(at, by)| Some((at?, by))).min()?;
    Some((at.strftime("%Y-%m-%d").to_string(), by))
}

fn times(number: usize) -> String {
    match number {
        1 => "once:".to_owned(),
        _ => format!("{number} times:"),
    }
}
