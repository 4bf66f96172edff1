//! A sighting: its place, its file, and what it says of itself.

use super::super::escape::escape;
use crate::model::{Image, Kind, Pgp, Protection, Sighting};
use std::io::{self, Write};

/// Writes a sighting.
pub(super) fn write(sighting: &Sighting, out: &mut impl Write) -> io::Result<()> {
    let location = &sighting.location;
    let host = sighting.host.as_deref().unwrap_or_default();
    let line = match (location.line.get(), location.offset.get()) {
        (Some(line), _) => format!(", line {line}"),
        (None, Some(offset)) if offset > 0 => format!(", byte {offset}"),
        _ => String::new(),
    };
    let protection = match (sighting.protection, sighting.cipher()) {
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
    for member in location.inside() {
        let name = member.name.as_deref().unwrap_or_default();
        writeln!(
            out,
            "      inside {} {}",
            escape(&member.container),
            escape(name)
        )?;
    }
    for image in sighting.images() {
        writeln!(out, "      {}", escape(&image_words(image)))?;
    }
    if let Some(alias) = location.alias() {
        writeln!(out, "      as entry {}", escape(alias))?;
    }
    if let Some(opened) = sighting.opened() {
        writeln!(out, "      opened with {opened}")?;
    }
    for link in location.links() {
        writeln!(out, "      linked from {}", escape(link))?;
    }
    for link in location.hard_links() {
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
    for note in sighting.notes() {
        writeln!(out, "      note: {}", escape(note))?;
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
        for (name, values) in [
            ("hosts", ssh.hosts.join(", ")),
            ("principals", ssh.rare().principals.join(", ")),
        ] {
            if !values.is_empty() {
                writeln!(out, "      {name} {}", escape(&values))?;
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
            prints.pgp_fingerprint().map(str::to_owned),
        ),
        (
            "keygrip",
            prints
                .keygrip()
                .filter(|_| sighting.kind.is_pgp())
                .map(|grip| grip.to_string().to_ascii_uppercase()),
        ),
        (
            "certificate SHA-256",
            prints.cert_sha256().map(|d| d.to_string()),
        ),
        (
            "certificate SHA-1",
            prints.cert_sha1().map(|d| d.to_string()),
        ),
        ("SSH", prints.ssh_sha256().map(|d| d.to_string())),
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
