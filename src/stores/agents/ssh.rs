//! ssh-agent's protocol (draft-ietf-sshm-ssh-agent): one request, for its identities.

use super::dialogue::Dialogue;
use super::{Answer, Problem};
use crate::formats::wire::ssh::{Reader, SshError};
use crate::formats::wire::ssh_certificate::SshCertificate;
use crate::model::{Artifact, Encoding, KeyMaterial, Kind, Ssh};
use std::io::{Read as _, Write as _};

/// The format's name in records.
pub(super) const FORMAT: &str = "ssh_agent";
/// Request and answer numbers of the protocol.
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// OpenSSH's own limit of a message.
const MESSAGE_MAX: usize = 256 << 10;

/// What the agent answers to a request for its identities.
pub(super) fn ask(stream: &mut Dialogue) -> Answer {
    let mut answer = Answer::default();
    match message(stream).and_then(|message| identities(&message).map_err(|_| Problem::Foreign)) {
        Ok(keys) => answer.keys = keys,
        Err(problem) => answer.problems.push(problem),
    }
    answer
}

fn message(stream: &mut Dialogue) -> Result<Vec<u8>, Problem> {
    stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES])?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > MESSAGE_MAX {
        return Err(Problem::Foreign);
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
        comment: (!comment.is_empty()).then(|| comment.into()),
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
}
