//! Keys that agents hold: ssh-agent (draft-ietf-sshm-ssh-agent) on its socket.

use super::{Held, Holdings, Thing};
use crate::formats::wire::ssh::{Reader, SshError};
use crate::formats::wire::ssh_certificate::SshCertificate;
use crate::model::{Artifact, Encoding, Gap, GapReason, KeyMaterial, Kind, Ssh};
use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// The format's name in records.
pub const FORMAT: &str = "ssh_agent";
/// Request and answer numbers of the protocol.
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// OpenSSH's own limit of a message.
const MESSAGE_MAX: usize = 256 << 10;
/// How long an agent may take.
const TIME_MAX: Duration = Duration::from_secs(3);
/// More directories than that at one place are not looked at.
const ENTRIES_MAX: usize = 4096;

/// Asks every agent whose socket is found.
pub fn ask() -> Holdings {
    let mut holdings = Holdings::default();
    for socket in sockets() {
        ask_one(&socket, &mut holdings);
    }
    holdings
}

/// Where agents listen: what the environment names, and the usual places of all users.
fn sockets() -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    found.extend(std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from));
    for directory in below(Path::new("/tmp"), "ssh-") {
        found.extend(below(&directory, "agent."));
    }
    for user in below(Path::new("/run/user"), "") {
        let usual = [
            "ssh-agent.socket",
            "openssh_agent",
            "keyring/ssh",
            "gcr/ssh",
            "gnupg/S.gpg-agent.ssh",
        ];
        found.extend(usual.map(|name| user.join(name)));
    }
    let mut homes = below(Path::new("/home"), "");
    homes.push(PathBuf::from("/root"));
    for home in homes {
        found.insert(home.join(".gnupg/S.gpg-agent.ssh"));
        found.extend(below(&home.join(".ssh/agent"), ""));
    }
    found.retain(|path| is_socket(path));
    // Links and bind mounts lead to one agent twice.
    let mut known = BTreeSet::new();
    found.retain(|path| known.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    found.into_iter().collect()
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|facts| facts.file_type().is_socket())
}

fn below(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .take(ENTRIES_MAX)
        .filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path())
        .collect()
}

fn ask_one(socket: &Path, holdings: &mut Holdings) {
    let path = socket.as_os_str().as_bytes();
    let mut gap = |reason, detail: String| holdings.gaps.push(Gap::at(path, reason, detail));
    match answer(socket) {
        // Nobody listens: what is left of an agent that ended.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
            ) => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            gap(GapReason::PermissionDenied, format!("SSH agent: {error}"));
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let detail = format!("SSH agent: no answer in {} s", TIME_MAX.as_secs());
            gap(GapReason::Limit, detail);
        }
        Err(error) => gap(GapReason::IoError, format!("SSH agent: {error}")),
        Ok(message) => match identities(&message) {
            Ok(keys) => holdings.held.extend(keys.into_iter().map(|artifact| Held {
                what: Thing::Artifact(Box::new(artifact)),
                path: path.to_vec(),
                store: FORMAT,
                name: "ssh-agent".to_owned(),
            })),
            Err(_) => gap(
                GapReason::Malformed,
                "SSH agent: its answer is not one of the protocol".to_owned(),
            ),
        },
    }
}

/// What the agent answers to a request for its identities. All of it happens on a thread of its own, as even to connect can
/// take for ever.
fn answer(socket: &Path) -> io::Result<Vec<u8>> {
    let socket = socket.to_owned();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(converse(&socket));
    });
    match receiver.recv_timeout(TIME_MAX) {
        Ok(answer) => answer,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

fn converse(socket: &Path) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIME_MAX))?;
    stream.set_write_timeout(Some(TIME_MAX))?;
    stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES])?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > MESSAGE_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// The keys of an answer.
fn identities(message: &[u8]) -> Result<Vec<Artifact>, SshError> {
    let Some((&IDENTITIES_ANSWER, rest)) = message.split_first() else {
        return Err(SshError::Contents);
    };
    let mut fields = Reader::new(rest);
    let count = fields.uint32()?;
    let mut keys = Vec::new();
    for _ in 0..count {
        let blob = fields.string()?;
        let comment = String::from_utf8_lossy(fields.string()?).into_owned();
        keys.push(identity(blob, comment));
    }
    Ok(keys)
}

fn identity(blob: &[u8], comment: String) -> Artifact {
    let certificate = SshCertificate::read(blob).ok();
    let (kind, key, facts) = match &certificate {
        Some(certificate) => (
            Kind::SshCertificate,
            certificate.public.clone(),
            certificate.facts(),
        ),
        None => (Kind::PrivateKey, blob.to_vec(), Ssh::default()),
    };
    let mut artifact = Artifact::new(kind, FORMAT, Encoding::Binary, KeyMaterial::SshBlob(key));
    artifact.ssh = Some(Box::new(Ssh {
        comment: Some(comment).filter(|text| !text.is_empty()),
        ..facts
    }));
    artifact
        .notes
        .push("held by an agent; for how long is not told".into());
    artifact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_lie_end() {
        for message in [
            &b""[..],
            &[5],
            &[IDENTITIES_ANSWER, 0xff, 0xff, 0xff, 0xff],
            &[IDENTITIES_ANSWER, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(identities(message).is_err());
        }
        assert!(
            identities(&[IDENTITIES_ANSWER, 0, 0, 0, 0])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn an_agent_that_does_not_answer_is_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.1");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let mut holdings = Holdings::default();
        ask_one(&path, &mut holdings);
        assert_eq!(holdings.gaps[0].reason, GapReason::Limit);
        drop(listener);
        let mut holdings = Holdings::default();
        ask_one(&path, &mut holdings);
        assert!(holdings.gaps.is_empty() && holdings.held.is_empty());
    }
}
