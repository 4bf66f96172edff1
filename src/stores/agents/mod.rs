//! Keys that agents hold: ssh-agent and gpg-agent, on their sockets.

mod assuan;
mod dialogue;
mod gnupg;
mod sockets;
mod ssh;

use self::dialogue::Dialogue;
use self::sockets::{Protocol, Socket};
use super::{Held, Holdings, Thing};
use crate::model::{Artifact, Gap, GapReason};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long an agent may take.
const TIME_MAX: Duration = Duration::from_secs(3);
/// How much longer than that its thread is waited for.
const GRACE: Duration = Duration::from_millis(200);
/// So many are asked at a time.
const AT_ONCE: usize = 16;

/// What one agent said.
#[derive(Debug, Default)]
struct Answer {
    keys: Vec<Artifact>,
    problems: Vec<Problem>,
}

/// Why there is no more of it.
#[derive(Debug, thiserror::Error)]
enum Problem {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not keep to its protocol.
    #[error("its answer is not one of the protocol")]
    Foreign,
    /// It says more than is read.
    #[error("it says more than 4 MiB or tells more than 4096 keys")]
    Large,
}

/// Asks every agent whose socket is found.
pub fn ask() -> Holdings {
    let mut holdings = Holdings::default();
    for some in sockets::all().chunks(AT_ONCE) {
        let deadline = Instant::now() + TIME_MAX;
        let asked: Vec<_> = some.iter().map(|socket| begin(socket, deadline)).collect();
        for (socket, receiver) in some.iter().zip(asked) {
            tell(socket, wait(&receiver, deadline), &mut holdings);
        }
    }
    holdings
}

/// Asks one agent on a thread of its own, as even to connect can take for ever.
fn begin(socket: &Socket, deadline: Instant) -> Receiver<Answer> {
    let socket = socket.clone();
    let (sender, receiver) = mpsc::channel();
    let asking = std::thread::Builder::new().spawn(move || {
        let answer = match Dialogue::open(&socket.path, deadline) {
            Ok(mut stream) => match socket.protocol {
                Protocol::Ssh => ssh::ask(&mut stream),
                Protocol::Gpg { with_ssh } => gnupg::ask(stream, with_ssh),
            },
            Err(error) => problem(error),
        };
        // Nobody waits for it any more.
        let _ = sender.send(answer);
    });
    if let Err(error) = asking {
        let (sender, receiver) = mpsc::channel();
        let _ = sender.send(problem(error));
        return receiver;
    }
    receiver
}

fn problem(error: io::Error) -> Answer {
    Answer {
        keys: Vec::new(),
        problems: vec![error.into()],
    }
}

fn wait(receiver: &Receiver<Answer>, deadline: Instant) -> Answer {
    let left = (deadline + GRACE).saturating_duration_since(Instant::now());
    receiver
        .recv_timeout(left)
        .unwrap_or_else(|_| problem(io::ErrorKind::TimedOut.into()))
}

fn tell(socket: &Socket, answer: Answer, holdings: &mut Holdings) {
    let path = socket.path.as_os_str().as_bytes();
    let (format, name, agent) = match socket.protocol {
        Protocol::Ssh => (ssh::FORMAT, "ssh-agent", "SSH agent"),
        Protocol::Gpg { .. } => (gnupg::FORMAT, "gpg-agent", "GnuPG agent"),
    };
    let held = answer.keys.into_iter().map(|artifact| Held {
        what: Thing::Artifact(Box::new(artifact)),
        path: path.to_vec(),
        store: format,
        name: name.to_owned(),
    });
    holdings.held.extend(held);
    for problem in answer.problems {
        if let Some((reason, what)) = gap(&problem) {
            let detail = format!("{agent}: {what}");
            holdings.gaps.push(Gap::at(path, reason, detail));
        }
    }
}

/// What is told of a problem.
fn gap(problem: &Problem) -> Option<(GapReason, String)> {
    let reason = match problem {
        Problem::Foreign => GapReason::Malformed,
        Problem::Large => GapReason::Limit,
        Problem::Io(error) => match error.kind() {
            // Nobody listens: what is left of an agent that ended.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => return None,
            io::ErrorKind::TimedOut => {
                let what = format!("no answer in {} s", TIME_MAX.as_secs());
                return Some((GapReason::Limit, what));
            }
            io::ErrorKind::PermissionDenied => GapReason::PermissionDenied,
            _ => GapReason::IoError,
        },
    };
    Some((reason, problem.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(socket: &Socket) -> Holdings {
        let deadline = Instant::now() + TIME_MAX;
        let mut holdings = Holdings::default();
        let answer = wait(&begin(socket, deadline), deadline);
        tell(socket, answer, &mut holdings);
        holdings
    }

    #[test]
    fn an_agent_that_does_not_answer_is_a_limit_and_one_that_ended_is_none() {
        let dir = tempfile::tempdir().unwrap();
        for protocol in [Protocol::Ssh, Protocol::Gpg { with_ssh: true }] {
            let path = dir.path().join(format!("{protocol:?}").replace(' ', ""));
            let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
            let socket = Socket { path, protocol };
            assert_eq!(asked(&socket).gaps[0].reason, GapReason::Limit);
            drop(listener);
            let holdings = asked(&socket);
            assert!(holdings.gaps.is_empty() && holdings.held.is_empty());
        }
    }
}
