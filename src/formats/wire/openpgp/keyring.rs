//! Keys with what belongs to them: a primary key, its user ids, its subkeys, and the signatures that it made on
//! them (RFC 9580, section 10.1), any number one after the other.

use super::key::{Key, KeyError};
use super::packet::{Packet, PacketError, Packets, tag};
use super::protection::SecretPart;
use super::signature::{self, Signature, kind};
use crate::model::{Artifact, Encoding, Fault, Found, GapReason, Kind, Pgp, Protection};
use jiff::Timestamp;
use std::borrow::Cow;

/// The format's name in records.
pub const FORMAT: &str = "openpgp";
/// How many keys and subkeys are told of one file or armour.
pub const KEYS_MAX: usize = 20_000;
/// How many user ids are told of a key, and how long.
const USER_IDS_MAX: usize = 256;
const USER_ID_MAX: usize = 2048;
/// Subkeys are told with their key's main user id, cut to this length, unless there are more than so many of them.
const SUBKEY_USER_ID_MAX: usize = 256;
const SUBKEYS_MAX: usize = 64;
/// How many faults are told of one file or armour.
const FAULTS_MAX: usize = 100;

/// What was in the bytes beside artifacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Primary keys.
    pub keys: usize,
    /// Packets of any type.
    pub packets: usize,
}

/// Reads every key in `bytes`, which start at `base` of the candidate, into `found`.
pub fn read(bytes: &[u8], base: usize, encoding: Encoding, found: &mut Found) -> Tally {
    let mut reader = Ring {
        base,
        encoding,
        found,
        open: None,
        told: 0,
        faults: 0,
    };
    let mut tally = Tally::default();
    let mut packets = Packets::new(bytes);
    while let Some(packet) = packets.next() {
        match packet {
            Ok(packet) => {
                tally.packets += 1;
                tally.keys += usize::from(is_primary(packet.tag));
                if reader.told >= KEYS_MAX && is_key(packet.tag) {
                    let detail = format!("OpenPGP: more than {KEYS_MAX} keys");
                    reader.fault(GapReason::Limit, packet.start, detail);
                    break;
                }
                reader.take(&packet);
            }
            Err(error) => {
                let at = packets.at();
                let rest = bytes.get(at..).unwrap_or_default();
                // Files and members may be padded.
                if error == PacketError::Truncated
                    || !rest.iter().all(|b| matches!(b, 0 | b'\n' | b'\r'))
                {
                    let reason = match error {
                        PacketError::Truncated => GapReason::Truncated,
                        PacketError::NoPacket => GapReason::Malformed,
                    };
                    reader.fault(reason, at, format!("OpenPGP: {error}"));
                }
            }
        }
    }
    reader.close();
    tally
}

const fn is_primary(tag: u8) -> bool {
    matches!(tag, tag::PUBLIC_KEY | tag::SECRET_KEY)
}

const fn is_key(tag: u8) -> bool {
    is_primary(tag) || matches!(tag, tag::PUBLIC_SUBKEY | tag::SECRET_SUBKEY)
}

struct Ring<'f> {
    base: usize,
    encoding: Encoding,
    found: &'f mut Found,
    open: Option<Block>,
    told: usize,
    faults: usize,
}

/// One key with what belongs to it, while it is read.
struct Block {
    /// The primary key, if the packets begin with one, and its subkeys.
    keys: Vec<Member>,
    has_primary: bool,
    key_id: String,
    fingerprint: String,
    user_ids: Vec<UserId>,
    more_user_ids: usize,
    /// What signatures are about that follow now.
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// The key of this number; the primary one is 0.
    Key(usize),
    UserId(usize),
    /// Something that is not told.
    Other,
}

struct Member {
    artifact: Artifact,
    key_id: Option<String>,
    created: u32,
    version: u8,
    days: u16,
    revoked: bool,
    card: Option<String>,
    /// The newest signature that says what it is for.
    newest: Option<Signature>,
}

struct UserId {
    text: String,
    newest: Option<Signature>,
}

/// Keeps the newer of two; of equally old ones the later.
fn keep(slot: &mut Option<Signature>, signature: Signature) {
    if slot
        .as_ref()
        .is_none_or(|old| old.created <= signature.created)
    {
        *slot = Some(signature);
    }
}

impl Ring<'_> {
    fn fault(&mut self, reason: GapReason, offset: usize, detail: String) {
        self.faults += 1;
        if self.faults <= FAULTS_MAX {
            self.found.faults.push(Fault {
                reason,
                offset: self.base + offset,
                detail,
            });
        }
    }

    fn take(&mut self, packet: &Packet<'_>) {
        match packet.tag {
            tag::PUBLIC_KEY | tag::SECRET_KEY => {
                self.close();
                if let Some(member) = self.member(packet) {
                    self.open = Some(Block::new(member, true));
                }
            }
            tag::PUBLIC_SUBKEY | tag::SECRET_SUBKEY => {
                let member = self.member(packet);
                match (&mut self.open, member) {
                    (Some(block), Some(member)) => {
                        block.subject = Subject::Key(block.keys.len());
                        block.keys.push(member);
                    }
                    (Some(block), None) => block.subject = Subject::Other,
                    (slot, Some(member)) => *slot = Some(Block::new(member, false)),
                    (None, None) => {}
                }
            }
            tag::USER_ID => {
                if let Some(block) = &mut self.open {
                    block.user_id(packet.body);
                }
            }
            tag::USER_ATTRIBUTE => {
                if let Some(block) = &mut self.open {
                    block.subject = Subject::Other;
                }
            }
            tag::SIGNATURE => {
                // Signatures of others and of unknown versions are none of the key's own words.
                if let (Some(block), Ok(signature)) = (&mut self.open, Signature::read(packet.body))
                {
                    block.signature(signature);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, packet: &Packet<'_>) -> Option<Member> {
        let secret = matches!(packet.tag, tag::SECRET_KEY | tag::SECRET_SUBKEY);
        let read = if packet.in_parts {
            Err(KeyError::Short)
        } else {
            Key::read(packet.body, secret).and_then(|key| {
                let part = match key.fingerprint {
                    _ if !secret => None,
                    // Where its numbers end is not known.
                    None if key.version == 4 => None,
                    _ => Some(SecretPart::read(key.version, key.rest)?),
                };
                Ok((key, part))
            })
        };
        match read {
            Ok((key, part)) => {
                self.told += 1;
                Some(Member::new(
                    key,
                    secret,
                    part,
                    self.encoding,
                    self.base + packet.start,
                ))
            }
            Err(error) => {
                let reason = match error {
                    KeyError::Short => GapReason::Malformed,
                    KeyError::Version(_) => GapReason::Unsupported,
                };
                self.fault(reason, packet.start, format!("OpenPGP: {error}"));
                None
            }
        }
    }

    /// Hands over what is complete.
    fn close(&mut self) {
        if let Some(block) = self.open.take() {
            self.found.artifacts.extend(block.artifacts());
        }
    }
}

impl Block {
    fn new(first: Member, has_primary: bool) -> Self {
        let fingerprint = first.artifact.pgp_fingerprint.clone();
        Self {
            key_id: first.key_id.clone().unwrap_or_default(),
            fingerprint: fingerprint.unwrap_or_default(),
            keys: vec![first],
            has_primary,
            user_ids: Vec::new(),
            more_user_ids: 0,
            subject: Subject::Key(0),
        }
    }

    fn user_id(&mut self, body: &[u8]) {
        if self.user_ids.len() >= USER_IDS_MAX {
            self.more_user_ids += 1;
            self.subject = Subject::Other;
            return;
        }
        self.subject = Subject::UserId(self.user_ids.len());
        self.user_ids.push(UserId {
            text: cut(&String::from_utf8_lossy(body), USER_ID_MAX).to_owned(),
            newest: None,
        });
    }

    fn signature(&mut self, signature: Signature) {
        if !self.has_primary || !signature.is_by(&self.key_id, &self.fingerprint) {
            return;
        }
        match self.subject {
            Subject::Key(number) => {
                let Some(member) = self.keys.get_mut(number) else {
                    return;
                };
                match (number, signature.kind) {
                    (0, kind::KEY_REVOCATION) | (1.., kind::SUBKEY_REVOCATION) => {
                        member.revoked = true;
                    }
                    (0, kind::DIRECT) | (1.., kind::SUBKEY_BINDING) => {
                        keep(&mut member.newest, signature);
                    }
                    _ => {}
                }
            }
            Subject::UserId(number) => {
                if let Some(user_id) = self.user_ids.get_mut(number)
                    && (kind::CERTIFICATIONS.contains(&signature.kind)
                        || signature.kind == kind::CERTIFICATION_REVOCATION)
                {
                    keep(&mut user_id.newest, signature);
                }
            }
            Subject::Other => {}
        }
    }

    /// The user ids' own signatures that are in force, the newest last.
    fn certifications(&self) -> Vec<&Signature> {
        let mut all: Vec<&Signature> = self
            .user_ids
            .iter()
            .filter_map(|user_id| user_id.newest.as_ref())
            .filter(|signature| signature.kind != kind::CERTIFICATION_REVOCATION)
            .collect();
        all.sort_by_key(|signature| signature.created);
        all
    }

    /// End and uses of the primary key: what is signed directly on the key comes before what stands on its user ids.
    fn of_primary(&self) -> (Option<u32>, Option<u8>) {
        let direct = self.keys.first().and_then(|key| key.newest.as_ref());
        let certifications = self.certifications();
        let newest = |has: fn(&&&Signature) -> bool| certifications.iter().rev().find(has).copied();
        let expires = direct
            .and_then(|s| s.key_expires)
            .or_else(|| newest(|s| s.key_expires.is_some_and(|end| end > 0))?.key_expires);
        let flags = direct
            .and_then(|s| s.flags)
            .or_else(|| newest(|s| s.flags.is_some())?.flags);
        (expires, flags)
    }

    fn main_user_id(&self) -> Option<&str> {
        let in_force = |user_id: &&UserId| {
            let newest = user_id.newest.as_ref();
            newest.is_none_or(|s| s.kind != kind::CERTIFICATION_REVOCATION)
        };
        let named = self
            .user_ids
            .iter()
            .filter(in_force)
            .filter(|user_id| user_id.newest.as_ref().is_some_and(|s| s.primary_user_id));
        let named = named.max_by_key(|u| u.newest.as_ref().map(|s| s.created));
        let first = || self.user_ids.iter().find(in_force);
        named.or_else(first).map(|user_id| user_id.text.as_str())
    }

    fn artifacts(self) -> Vec<Artifact> {
        let (expires, flags) = self.of_primary();
        let revoked = self.has_primary && self.keys.first().is_some_and(|key| key.revoked);
        let main = self
            .main_user_id()
            .filter(|_| self.keys.len() <= SUBKEYS_MAX)
            .map(|text| cut(text, SUBKEY_USER_ID_MAX).to_owned());
        let mut user_ids: Vec<String> = self.user_ids.into_iter().map(|u| u.text).collect();
        let primary = Some(self.fingerprint).filter(|print| !print.is_empty());
        let mut out = Vec::with_capacity(self.keys.len());
        for (number, mut member) in self.keys.into_iter().enumerate() {
            let is_primary = number == 0 && self.has_primary;
            let newest = member.newest.take();
            let (expires, flags) = match newest {
                _ if is_primary => (expires, flags),
                Some(signature) => (signature.key_expires, signature.flags),
                None => (None, None),
            };
            let mut pgp = Pgp {
                version: member.version,
                created: instant(u64::from(member.created)),
                expires: member.end(expires),
                revoked: member.revoked || revoked,
                capabilities: flags.map(signature::capabilities).unwrap_or_default(),
                card: member.card.take(),
                ..Pgp::default()
            };
            if is_primary {
                pgp.user_ids = std::mem::take(&mut user_ids);
                if self.more_user_ids > 0 {
                    let note = format!("{} further user ids are not told", self.more_user_ids);
                    member.artifact.notes.push(note.into());
                }
            } else if self.has_primary {
                pgp.primary.clone_from(&primary);
                pgp.user_ids.extend(main.clone());
            } else {
                member
                    .artifact
                    .notes
                    .push("a subkey without its primary key".into());
            }
            member.artifact.pgp = Some(Box::new(pgp));
            out.push(member.artifact);
        }
        out
    }
}

impl Member {
    fn new(
        key: Key<'_>,
        secret: bool,
        part: Option<SecretPart>,
        encoding: Encoding,
        offset: usize,
    ) -> Self {
        let mut notes: Vec<Cow<'static, str>> = Vec::new();
        let mut card = None;
        let mut cipher = None;
        let (kind, protection) = match part {
            None if secret => {
                notes.push("how its secret part is protected cannot be told".into());
                (Kind::PgpSecretKey, None)
            }
            None => (Kind::PgpPublicKey, None),
            Some(SecretPart::Clear) => (Kind::PgpSecretKey, Some(Protection::None)),
            Some(SecretPart::Encrypted(text)) => {
                cipher = Some(text);
                (Kind::PgpSecretKey, Some(Protection::Encrypted))
            }
            Some(SecretPart::Absent) => {
                notes.push("its secret part was left out (gnu-dummy)".into());
                (Kind::PgpPublicKey, None)
            }
            Some(SecretPart::Card(serial)) => {
                notes.push("its secret part is on a card".into());
                card = Some(serial);
                (Kind::PgpPublicKey, None)
            }
        };
        let key_id = key.key_id();
        let mut artifact = Artifact::new(kind, FORMAT, encoding, key.material);
        artifact.algorithm = key.name;
        artifact.bits = key.bits;
        artifact.keygrip = key.keygrip;
        artifact.pgp_fingerprint = key.fingerprint;
        artifact.protection = protection;
        artifact.cipher = cipher;
        artifact.notes = notes;
        artifact.offset = offset;
        Self {
            artifact,
            key_id,
            created: key.created,
            version: key.version,
            days: key.days,
            revoked: false,
            card,
            newest: None,
        }
    }

    /// The end, from a number of seconds after its creation, where 0 is none.
    fn end(&self, expires: Option<u32>) -> Option<Timestamp> {
        let seconds = match self.version {
            2 | 3 => u64::from(self.days) * 86_400,
            _ => u64::from(expires.unwrap_or(0)),
        };
        if seconds == 0 {
            return None;
        }
        instant(u64::from(self.created) + seconds)
    }
}

fn instant(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// The text up to a number of bytes, not in the middle of a character.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
