//! OpenSSH's own private key file (PROTOCOL.key): the public half is in clear, also when it is encrypted.

use super::wire::ssh::{self, Reader, SshError};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Fault, Found, GapReason, KeyMaterial, Kind, Protection, Reading, Ssh,
};

/// The reader of `openssh-key-v1`, in its armour or as bare bytes.
pub struct OpensshPrivate;

/// What the structure starts with.
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The label of its armour.
const LABEL: &str = "OPENSSH PRIVATE KEY";

/// The most bytes that one structure is believed to have.
const SIZE_LIMIT: usize = 1024 * 1024;

/// The most keys that one structure is believed to have; OpenSSH writes one.
const KEY_LIMIT: u32 = 64;

/// The largest block of the ciphers in use, in bytes: padding is shorter (PROTOCOL.key, section 3).
const BLOCK: usize = 16;

impl Format for OpensshPrivate {
    fn name(&self) -> &'static str {
        "openssh_private"
    }

    fn signatures(&self) -> &'static [Signature] {
        const { &[Signature::anywhere(MAGIC, Clue::OpensshMagic)] }
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::OpensshMagic, Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let armoured = match candidate.clue {
            Clue::OpensshMagic => false,
            Clue::PemBody if candidate.label == Some(LABEL) => true,
            _ => return Reading::NotMine,
        };
        let bytes = candidate.bytes.get(candidate.at..).unwrap_or_default();
        let bytes = bytes.get(..SIZE_LIMIT).unwrap_or(bytes);
        let body = bytes.strip_prefix(MAGIC);
        // Program text has the magic number too, but no name of a cipher after it.
        let body = match body {
            Some(body) if armoured || begins_with_cipher(body, candidate.at_end) => body,
            None if armoured => {
                return Reading::Found(Found {
                    faults: vec![fault(SshError::Contents, candidate.at)],
                    end: candidate.bytes.len(),
                    ..Found::default()
                });
            }
            _ => return Reading::NotMine,
        };
        let open = !armoured && !candidate.at_end && bytes.len() < SIZE_LIMIT;
        let end = |rest: &[u8]| candidate.at + bytes.len() - rest.len();
        match Structure::read(body) {
            Err(SshError::Truncated) if open => Reading::NeedMore { from: candidate.at },
            Ok(structure) => {
                let mut artifacts = structure.artifacts(self.name(), candidate);
                if armoured && !structure.rest.is_empty() {
                    for artifact in &mut artifacts {
                        artifact
                            .notes
                            .push("bytes follow the key in its armour".into());
                    }
                }
                Reading::Found(Found {
                    artifacts,
                    end: end(structure.rest),
                    ..Found::default()
                })
            }
            Err(error) => Reading::Found(Found {
                faults: vec![fault(error, candidate.at)],
                end: candidate.at + MAGIC.len(),
                ..Found::default()
            }),
        }
    }
}

fn fault(error: SshError, offset: usize) -> Fault {
    Fault {
        reason: match error {
            SshError::Truncated => GapReason::Truncated,
            _ => GapReason::Malformed,
        },
        offset,
        detail: format!("openssh-key-v1 private key: {error}"),
    }
}

/// Whether the name of a cipher follows, or could if there are more bytes.
fn begins_with_cipher(body: &[u8], at_end: bool) -> bool {
    let mut fields = Reader::new(body);
    match fields.uint32() {
        Ok(length) if !(3..=64).contains(&length) => false,
        Ok(length) => fields
            .rest()
            .iter()
            .take(usize::try_from(length).unwrap_or(0))
            .all(|b| ssh::is_name_byte(*b)),
        Err(_) => !at_end,
    }
}

/// The structure of PROTOCOL.key, section 1.
struct Structure<'a> {
    cipher: &'a [u8],
    kdf: &'a [u8],
    kdf_options: &'a [u8],
    public: Vec<&'a [u8]>,
    private: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Structure<'a> {
    fn read(body: &'a [u8]) -> Result<Self, SshError> {
        let mut fields = Reader::new(body);
        let cipher = fields.string()?;
        let kdf = fields.string()?;
        let kdf_options = fields.string()?;
        let count = fields.uint32()?;
        if !(1..=KEY_LIMIT).contains(&count) {
            return Err(SshError::Contents);
        }
        let mut public = Vec::new();
        for _ in 0..count {
            let blob = fields.string()?;
            ssh::plain_key(blob).map_err(|_| SshError::Contents)?;
            public.push(blob);
        }
        let private = fields.string()?;
        // Ciphers that authenticate have their tag after the private section, outside its length.
        if is_authenticated(cipher) {
            fields.take(16)?;
        }
        Ok(Self {
            cipher,
            kdf,
            kdf_options,
            public,
            private,
            rest: fields.rest(),
        })
    }

    fn artifacts(&self, format: &'static str, candidate: &Candidate<'_>) -> Vec<Artifact> {
        let encrypted = self.cipher != b"none";
        let opened = if encrypted {
            None
        } else {
            Some(PrivateSection::read(self.private, &self.public))
        };
        let artifact = |(index, blob): (usize, &&[u8])| {
            let key = KeyMaterial::SshBlob(blob.to_vec());
            let mut artifact = Artifact::new(Kind::PrivateKey, format, candidate.encoding, key);
            artifact.offset = candidate.at;
            artifact.protection = Some(if encrypted {
                Protection::Encrypted
            } else {
                Protection::None
            });
            artifact.cipher = encrypted.then(|| self.cipher_text());
            match &opened {
                Some(Ok(section)) => {
                    if let Some(own) = section.public.get(index)
                        && own.as_slice() != *blob
                    {
                        artifact.key = KeyMaterial::SshBlob(own.clone());
                        artifact
                            .notes
                            .push("the public half in the header is another key's".into());
                    }
                    let comment = section.comments.get(index).filter(|c| !c.is_empty());
                    artifact.ssh = comment.map(|comment| {
                        Box::new(Ssh {
                            comment: Some(String::from_utf8_lossy(comment).into()),
                            ..Ssh::default()
                        })
                    });
                }
                Some(Err(reason)) => artifact.notes.push((*reason).into()),
                None => {}
            }
            artifact
        };
        self.public.iter().enumerate().map(artifact).collect()
    }

    /// As `aes256-ctr, bcrypt rounds=16`.
    fn cipher_text(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut options = Reader::new(self.kdf_options);
        let rounds = options.string().and_then(|_salt| options.uint32());
        match (self.kdf, rounds) {
            (b"bcrypt", Ok(rounds)) => {
                format!("{}, bcrypt rounds={rounds}", text(self.cipher))
            }
            (kdf, _) => format!("{}, {}", text(self.cipher), text(kdf)),
        }
    }
}

fn is_authenticated(cipher: &[u8]) -> bool {
    cipher.ends_with(b"-gcm@openssh.com") || cipher == b"chacha20-poly1305@openssh.com"
}

/// A field of a private section (PROTOCOL.key, section 3; PROTOCOL.agent, section 4.2).
#[derive(Clone, Copy)]
enum Field {
    /// A public string, with its place among the fields of the blob.
    Public(usize),
    /// A private string: stepped over, never kept.
    Private,
    /// A byte of flags.
    Byte,
}

/// The fields of a key in the private section; `None` for algorithms that are not known here.
fn layout(algorithm: &[u8]) -> Option<&'static [Field]> {
    use Field::{Byte, Private, Public};
    Some(match algorithm {
        // n and e stand the other way round in the blob.
        b"ssh-rsa" => &[Public(1), Public(0), Private, Private, Private, Private],
        b"ssh-dss" => &[Public(0), Public(1), Public(2), Public(3), Private],
        b"ssh-ed25519" | b"ssh-ed448" => &[Public(0), Private],
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => {
            &[Public(0), Public(1), Private]
        }
        b"sk-ssh-ed25519@openssh.com" => &[Public(0), Public(1), Byte, Private, Private],
        b"sk-ecdsa-sha2-nistp256@openssh.com" => {
            &[Public(0), Public(1), Public(2), Byte, Private, Private]
        }
        _ => return None,
    })
}

/// The public parts of a private section that stands in clear.
struct PrivateSection<'a> {
    public: Vec<Vec<u8>>,
    comments: Vec<&'a [u8]>,
}

impl<'a> PrivateSection<'a> {
    /// Reads a section to its end. A comment is believed only if everything around it is as it should be:
    /// in a section that is out of step, private bytes would stand in its place.
    fn read(section: &'a [u8], blobs: &[&[u8]]) -> Result<Self, &'static str> {
        const BAD: &str = "the private section is malformed";
        let mut fields = Reader::new(section);
        let (Ok(first), Ok(second)) = (fields.uint32(), fields.uint32()) else {
            return Err(BAD);
        };
        if first != second {
            return Err("the check numbers of the private section differ");
        }
        let mut read = Self {
            public: Vec::new(),
            comments: Vec::new(),
        };
        for _ in blobs {
            let name = fields.string().map_err(|_| BAD)?;
            let layout =
                layout(name).ok_or("the private section is of an algorithm that is not known")?;
            let (blob, comment) = Self::read_key(name, layout, &mut fields).map_err(|_| BAD)?;
            ssh::plain_key(&blob).map_err(|_| BAD)?;
            read.public.push(blob);
            read.comments.push(comment);
        }
        let padding = fields.rest();
        let counts = padding.iter().zip(1u8..).all(|(byte, n)| *byte == n);
        if padding.len() < BLOCK && counts {
            Ok(read)
        } else {
            Err(BAD)
        }
    }

    fn read_key(
        name: &[u8],
        layout: &[Field],
        fields: &mut Reader<'a>,
    ) -> Result<(Vec<u8>, &'a [u8]), SshError> {
        let mut parts: [&[u8]; 4] = [b""; 4];
        let mut count = 0;
        for field in layout {
            match field {
                Field::Public(place) => {
                    let part = fields.string()?;
                    *parts.get_mut(*place).ok_or(SshError::Contents)? = part;
                    count += 1;
                }
                Field::Private => {
                    fields.string()?;
                }
                Field::Byte => {
                    fields.byte()?;
                }
            }
        }
        let comment = fields.string()?;
        let mut blob = Vec::new();
        ssh::put_string(&mut blob, name);
        for part in parts.iter().take(count) {
            ssh::put_string(&mut blob, part);
        }
        Ok((blob, comment))
    }
}
