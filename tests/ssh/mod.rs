//! SSH material as the real tools write it, read by the formats and compared with what `ssh-keygen` says.

mod hostile;
mod lines;
mod private;
mod trust;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use keymuster::formats::ALL;
use keymuster::model::{Artifact, Candidate, Clue, Encoding, Fault, KeyMaterial, Reading};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the formats say of some bytes.
#[derive(Debug, Default)]
struct Told {
    artifacts: Vec<Artifact>,
    faults: Vec<Fault>,
}

impl Told {
    /// The only artifact.
    fn only(self) -> Artifact {
        let [artifact] = <[Artifact; 1]>::try_from(self.artifacts)
            .unwrap_or_else(|all| panic!("not one artifact: {all:#?}; {:?}", self.faults));
        assert_eq!(self.faults, []);
        artifact
    }
}

/// Asks every format about one candidate; at most one of them may answer.
fn ask(candidate: &Candidate<'_>) -> Reading {
    let mut answer = Reading::NotMine;
    for format in ALL {
        if !format.clues().contains(&candidate.clue) {
            continue;
        }
        let reading = format.read(candidate);
        let same_need = matches!(
            (&answer, &reading),
            (Reading::NeedMore { from: a }, Reading::NeedMore { from: b }) if a == b
        );
        if !matches!(reading, Reading::NotMine) {
            assert!(
                same_need || matches!(answer, Reading::NotMine),
                "two formats take one candidate: {answer:?} and {reading:?}"
            );
            answer = reading;
        }
    }
    answer
}

fn candidate(clue: Clue, bytes: &[u8], at: usize) -> Candidate<'_> {
    Candidate {
        clue,
        bytes,
        at,
        at_end: true,
        at_start: true,
        encoding: Encoding::Text,
        label: None,
        headers: &[],
        file_name: b"",
        unlock: keymuster::model::Unlock::NONE,
    }
}

/// Finds the literals of every format in a whole file, in order, and lets the formats read there.
fn read_file(bytes: &[u8], file_name: &str) -> Told {
    let signatures: std::collections::BTreeSet<_> = ALL
        .iter()
        .flat_map(|format| format.signatures())
        .map(|signature| (signature.literal, signature.clue))
        .collect();
    let mut hits: Vec<(usize, Clue)> = signatures
        .into_iter()
        .filter(|(_, clue)| matches!(clue, Clue::SshLine | Clue::Ssh2Armour | Clue::OpensshMagic))
        .flat_map(|(literal, clue)| {
            memchr::memmem::find_iter(bytes, literal).map(move |at| (at, clue))
        })
        .collect();
    hits.sort_unstable();
    let mut told = Told::default();
    let mut done = 0;
    for (at, clue) in hits {
        if at < done {
            continue;
        }
        let candidate = Candidate {
            file_name: file_name.as_bytes(),
            ..candidate(clue, bytes, at)
        };
        match ask(&candidate) {
            Reading::Found(found) => {
                assert!(found.end > at && found.end <= bytes.len());
                assert!(found.artifacts.iter().all(|a| a.offset < bytes.len()));
                done = found.end;
                told.artifacts.extend(found.artifacts);
                told.faults.extend(found.faults);
            }
            Reading::NotMine => {}
            Reading::NeedMore { .. } => panic!("there is no more than the whole file"),
        }
    }
    told
}

/// Reads the decoded body of an armour.
fn read_armoured(text: &str) -> Told {
    let block = pem::parse(text).unwrap();
    let candidate = Candidate {
        label: Some(block.tag()),
        encoding: Encoding::Pem,
        ..candidate(Clue::PemBody, block.contents(), 0)
    };
    match ask(&candidate) {
        Reading::Found(found) => Told {
            artifacts: found.artifacts,
            faults: found.faults,
        },
        other => panic!("{other:?}"),
    }
}

fn blob(artifact: &Artifact) -> &[u8] {
    match &artifact.key {
        KeyMaterial::SshBlob(blob) => blob,
        other => panic!("{other:?}"),
    }
}

fn sha256(blob: &[u8]) -> String {
    use sha2::Digest as _;
    format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(sha2::Sha256::digest(blob))
    )
}

fn md5(blob: &[u8]) -> String {
    use md5::Digest as _;
    let hex: Vec<_> = md5::Md5::digest(blob)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("MD5:{}", hex.join(":"))
}

/// A directory with keys, and the tool that makes them.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), contents).unwrap();
        self.path(name)
    }

    /// Runs `ssh-keygen` in the directory and gives what it prints.
    fn keygen(&self, arguments: &[&str]) -> String {
        let output = Command::new("ssh-keygen")
            .args(arguments)
            .current_dir(self.directory.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()
            .expect("ssh-keygen runs (package openssh-client)");
        assert!(
            output.status.success(),
            "ssh-keygen {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a key without passphrase.
    fn key(&self, name: &str, arguments: &[&str]) {
        let fixed = ["-q", "-N", "", "-f", name, "-C", &format!("{name} comment")];
        self.keygen(&[arguments, &fixed].concat());
    }

    /// The base64-decoded blob of a `.pub` file with no options.
    fn public_blob(&self, name: &str) -> Vec<u8> {
        let line = self.read(name);
        STANDARD
            .decode(line.split(' ').nth(1).unwrap().trim())
            .unwrap()
    }

    /// What `ssh-keygen -l` says of each key in a file: its fingerprint in one digest.
    fn fingerprints(&self, path: &Path, digest: &str) -> Vec<String> {
        self.keygen(&["-l", "-E", digest, "-f", path.to_str().unwrap()])
            .lines()
            .map(|line| line.split(' ').nth(1).unwrap().to_owned())
            .collect()
    }
}

/// One of every type that `ssh-keygen` makes without hardware: name and arguments.
const TYPES: [(&str, &[&str]); 8] = [
    ("rsa1024", &["-t", "rsa", "-b", "1024"]),
    ("rsa2048", &["-t", "rsa", "-b", "2048"]),
    ("rsa3072", &["-t", "rsa", "-b", "3072"]),
    ("p256", &["-t", "ecdsa", "-b", "256"]),
    ("p384", &["-t", "ecdsa", "-b", "384"]),
    ("p521", &["-t", "ecdsa", "-b", "521"]),
    ("ed25519", &["-t", "ed25519"]),
    ("dsa", &["-t", "dsa"]),
];

/// Appends an SSH string.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A blob of a FIDO key, which needs hardware to be made: the fields of PROTOCOL.u2f.
fn fido_blob() -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put(&mut blob, &[0x42; 32]);
    put(&mut blob, b"ssh:");
    blob
}
