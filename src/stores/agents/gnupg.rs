//! gpg-agent on its own socket: which keys it has, and their public numbers.
//!
//! `KEYINFO --list` and `READKEY` neither ask a person nor use a key (`help` of GnuPG's agent).

use super::assuan::Client;
use super::dialogue::Dialogue;
use super::{Answer, Problem};
use crate::formats::wire::openpgp::numbers::Numbers;
use crate::formats::wire::openpgp::sexp;
use crate::model::{Artifact, Encoding, Hex, KeyMaterial, Kind, Pgp, Protection, Sha1Hex};
use std::borrow::Cow;

/// The format's name in records.
pub(super) const FORMAT: &str = "gpg_agent";
/// More keys than that are not asked for.
const KEYS_MAX: usize = 4096;

/// What the agent has. `with_ssh` asks which keys serve SSH too; the agent would make its file `sshcontrol` for that if it had none.
pub(super) fn ask(stream: Dialogue, with_ssh: bool) -> Answer {
    let mut answer = Answer::default();
    if let Err(problem) = list(stream, with_ssh, &mut answer) {
        answer.problems.push(problem);
    }
    answer
}

fn list(stream: Dialogue, with_ssh: bool, answer: &mut Answer) -> Result<(), Problem> {
    let mut client = Client::greet(stream)?;
    let option = if with_ssh { " --with-ssh" } else { "" };
    let reply = client.ask(&format!("KEYINFO --list{option}"))?;
    let infos = reply
        .status
        .iter()
        .filter_map(|line| line.strip_prefix("KEYINFO "));
    for (number, line) in infos.enumerate() {
        if number >= KEYS_MAX {
            return Err(Problem::Large);
        }
        let info = Info::read(line).ok_or(Problem::Foreign)?;
        // A key that is not there any more is refused.
        let expression = client.ask(&format!("READKEY {}", info.keygrip))?.data;
        let key = info.key(&expression);
        answer.keys.push(key);
    }
    Ok(())
}

/// One line of `KEYINFO`: `keygrip type serial id cached protection fingerprint ttl flags`.
struct Info<'a> {
    keygrip: Sha1Hex,
    on_card: bool,
    serial: Option<&'a str>,
    cached: bool,
    protection: Option<Protection>,
    flags: &'a str,
}

impl<'a> Info<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split(' ');
        let keygrip = keygrip(words.next()?)?;
        let on_card = words.next()? == "T";
        let serial = words.next().filter(|word| *word != "-");
        let cached = words.nth(1) == Some("1");
        let protection = match words.next() {
            Some("P") => Some(Protection::Encrypted),
            Some("C") => Some(Protection::None),
            _ => None,
        };
        let flags = words.nth(2).filter(|word| *word != "-").unwrap_or_default();
        Some(Self {
            keygrip,
            on_card,
            serial,
            cached,
            protection,
            flags,
        })
    }

    /// The key, with its numbers where the agent tells them.
    fn key(&self, expression: &[u8]) -> Artifact {
        let kind = match self.on_card {
            true => Kind::PgpPublicKey,
            false => Kind::PgpSecretKey,
        };
        let numbers = sexp::read(expression).ok().and_then(|(node, _)| {
            let is_public = node.name() == Some(b"public-key");
            is_public.then(|| Numbers::read(node.members().get(1)?))?
        });
        let mut artifact = match numbers {
            Some(numbers) => numbers.into_artifact(kind, FORMAT, Encoding::Binary),
            None => Artifact::new(kind, FORMAT, Encoding::Binary, KeyMaterial::Unknown),
        };
        // What the numbers say themselves is held against it.
        artifact.keygrip = Some(self.keygrip);
        if self.on_card {
            artifact.pgp = Some(Box::new(Pgp {
                card: Some(self.serial.unwrap_or_default().to_owned()),
                ..Pgp::default()
            }));
        } else {
            artifact.protection = self.protection;
        }
        artifact.notes = self.notes();
        artifact
    }

    fn notes(&self) -> Vec<Cow<'static, str>> {
        let place = match self.on_card {
            true => "known to an agent; its secret part is on a card",
            false => "kept by an agent, in a file",
        };
        let mut notes: Vec<Cow<'static, str>> = vec![place.into()];
        if self.cached {
            notes.push("its passphrase is in the agent's memory".into());
        }
        if self.flags.contains('S') {
            notes.push(
                match (self.flags.contains('D'), self.flags.contains('c')) {
                    (true, _) => "listed for SSH, and disabled there",
                    (_, true) => "serves SSH, with a question before each use",
                    _ => "serves SSH",
                }
                .into(),
            );
        }
        notes
    }
}

/// 40 hexadecimal digits, and nothing that would end a line.
fn keygrip(text: &str) -> Option<Sha1Hex> {
    let mut bytes = [0; 20];
    if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRIP: &str = "E0A9567DD729EBDD72807525600DFCE901D93E98";

    fn notes(line: &str) -> Vec<Cow<'static, str>> {
        Info::read(&format!("{GRIP} {line}"))
            .unwrap()
            .key(b"")
            .notes
    }

    #[test]
    fn a_line_tells_where_a_key_is_and_what_it_serves() {
        assert_eq!(notes("D - - - P - - -"), ["kept by an agent, in a file"]);
        let all = notes("D - - 1 P - 600 Sc").join("; ");
        assert!(all.contains("memory") && all.contains("question"), "{all}");
        assert!(notes("D - - - C - - DS")[1].contains("disabled"));
        let line = format!("{GRIP} T D2760001240103 OPENPGP.1 - - - - -");
        let key = Info::read(&line).unwrap().key(b"");
        assert_eq!(key.kind, Kind::PgpPublicKey);
        assert_eq!(key.pgp.unwrap().card.as_deref(), Some("D2760001240103"));
        assert_eq!(key.protection, None);
        // Lines of older agents have fewer words.
        assert!(Info::read(&format!("{GRIP} D")).is_some());
        for line in [
            "",
            "E0 D",
            &format!("{GRIP}A D"),
            &GRIP.replace('9', "%"),
            GRIP,
        ] {
            assert!(Info::read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn numbers_that_are_no_public_key_are_not_read() {
        let line = format!("{GRIP} D - - - C - - -");
        let info = Info::read(&line).unwrap();
        for text in [
            &b"(11:private-key(3:rsa(1:n1:\x07)(1:e1:\x03)))"[..],
            b"(10:public-key)",
            b"(",
            b"",
            b"()",
        ] {
            assert!(matches!(info.key(text).key, KeyMaterial::Unknown));
        }
        let rsa = info.key(b"(10:public-key(3:rsa(1:n1:\x07)(1:e1:\x03)))");
        assert!(matches!(rsa.key, KeyMaterial::Rsa { .. }));
    }
}
