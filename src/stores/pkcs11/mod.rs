//! PKCS#11 tokens (OASIS PKCS #11 3.1): the parent's side. The module is loaded by a child process.

pub mod child;
mod discover;
mod objects;
mod wire;

pub use discover::modules;

use super::{Held, Holdings, Thing};
use crate::model::{Artifact, Encoding, Gap, GapReason, KeyMaterial, Kind, Secret};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wire::{Answer, Ask};
use zeroize::Zeroizing;

/// The format's name in records.
pub const FORMAT: &str = "pkcs11";
/// The word with which the binary is called to be the child.
pub const CHILD: &str = "pkcs11-child";
/// How long a module may take for all its tokens.
const TIME_MAX: Duration = Duration::from_secs(20);
/// The most that a child may answer.
const ANSWER_MAX: u64 = 64 << 20;

/// What is asked of the modules.
#[derive(Debug)]
pub struct Tokens {
    /// The modules, shared libraries.
    pub modules: Vec<PathBuf>,
    /// PINs of users.
    pub pins: Pins,
    /// This binary.
    pub program: PathBuf,
}

/// PINs of users, by the token's label. One without a label is for the only token that there is: a wrong one costs a
/// try, and tokens lock themselves.
#[derive(Debug, Default)]
pub struct Pins(Vec<(Option<String>, Secret)>);

impl Pins {
    /// Reads lines `LABEL=PIN`, or a single line that is a PIN.
    pub fn read(text: &[u8]) -> Self {
        let lines: Vec<&[u8]> = text
            .split(|b| *b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .collect();
        let pin = |line: &&[u8]| match memchr::memchr(b'=', line) {
            Some(at) => {
                let label = line.get(..at).unwrap_or_default();
                let label = String::from_utf8_lossy(label).trim().to_owned();
                let pin = line.get(at + 1..).unwrap_or_default();
                (Some(label), Secret::copy_of(pin))
            }
            None => (None, Secret::copy_of(line)),
        };
        Self(lines.iter().map(pin).collect())
    }
}

/// Asks every module for its tokens and their objects.
pub fn ask(tokens: &Tokens) -> Holdings {
    let mut holdings = Holdings::default();
    for module in &tokens.modules {
        let path = module.as_os_str().as_bytes().to_vec();
        let mut answers = Vec::new();
        if let Err((reason, detail)) = ask_module(tokens, module, &mut answers) {
            holdings.gaps.push(Gap::at(&path, reason, detail));
        }
        for answer in answers {
            take(answer, &path, &mut holdings);
        }
    }
    holdings
}

type Refusal = (GapReason, String);

/// Runs the child and reads its answers, those before a crash too.
fn ask_module(tokens: &Tokens, module: &Path, answers: &mut Vec<Answer>) -> Result<(), Refusal> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        (
            GapReason::IoError,
            format!("PKCS#11 module: {what}: {error}"),
        )
    };
    let mut child = Command::new(&tokens.program)
        .arg(CHILD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A module may print what it likes; it is not ours to show.
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| failed("its process cannot be started", &e))?;
    let ask = Ask::new(module, &tokens.pins.0);
    let sent = child
        .stdin
        .take()
        .ok_or_else(|| failed("its process", &"no input"))
        .and_then(|mut input| {
            let line = Zeroizing::new(serde_json::to_vec(&ask).map_err(|e| failed("request", &e))?);
            // A child that ended at once is told by its exit.
            let _ = input.write_all(&line);
            Ok(())
        });
    let outcome = sent.and_then(|()| read_answers(&mut child, answers));
    // Whatever happened, it does not stay.
    let _ = child.kill();
    let status = child.wait();
    outcome?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed("its process ended early", &status)),
        Err(error) => Err(failed("its process", &error)),
    }
}

fn read_answers(child: &mut Child, answers: &mut Vec<Answer>) -> Result<(), Refusal> {
    let Some(mut output) = child.stdout.take() else {
        return Err((GapReason::IoError, "PKCS#11 module: no output".to_owned()));
    };
    let (sender, receiver) = mpsc::channel();
    // It ends with the child's output, at the latest when the child is killed.
    std::thread::spawn(move || {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = output.read(&mut chunk) {
            if sender
                .send(chunk.get(..count).unwrap_or_default().to_vec())
                .is_err()
            {
                break;
            }
        }
    });
    let deadline = Instant::now() + TIME_MAX;
    let mut bytes = Vec::new();
    let end = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(chunk) => bytes.extend(chunk),
            Err(mpsc::RecvTimeoutError::Disconnected) => break Ok(()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let detail = format!("PKCS#11 module: no end after {} s", TIME_MAX.as_secs());
                break Err((GapReason::Limit, detail));
            }
        }
        if bytes.len() as u64 > ANSWER_MAX {
            let detail = format!("PKCS#11 module: more than {} MiB", ANSWER_MAX >> 20);
            break Err((GapReason::Limit, detail));
        }
    };
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    answers.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
    if end.is_ok() {
        // The exit status is there soon after the output ends.
        let soon = Instant::now() + Duration::from_secs(2);
        while Instant::now() < soon && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    end
}

/// Makes an answer an artifact or a gap.
fn take(answer: Answer, path: &[u8], holdings: &mut Holdings) {
    match answer {
        Answer::Token(token) => {
            let mut artifact =
                Artifact::new(Kind::Keystore, FORMAT, Encoding::Binary, KeyMaterial::None);
            let notes = [
                ("manufacturer", &token.manufacturer),
                ("model", &token.model),
                ("serial number", &token.serial),
            ];
            let told = notes.iter().filter(|(_, text)| !text.is_empty());
            artifact.notes = told
                .map(|(word, text)| format!("{word} {text}").into())
                .collect();
            artifact.notes.push(token.access.clone().into());
            holdings.held.push(Held {
                what: Thing::Artifact(Box::new(artifact)),
                path: path.to_vec(),
                store: FORMAT,
                name: token.label,
            });
        }
        Answer::Object(object) => {
            let name = object.token.clone();
            if let Some(what) = objects::thing(*object) {
                holdings.held.push(Held {
                    what,
                    path: path.to_vec(),
                    store: FORMAT,
                    name,
                });
            }
        }
        Answer::Closed { token, detail } => {
            let detail = format!("PKCS#11 token {token}: {detail}");
            holdings
                .gaps
                .push(Gap::at(path, GapReason::Encrypted, detail));
        }
        Answer::Failed { detail } => {
            let detail = format!("PKCS#11 module: {detail}");
            holdings
                .gaps
                .push(Gap::at(path, GapReason::IoError, detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(program: &str) -> Tokens {
        Tokens {
            modules: vec![PathBuf::from("/nowhere/module.so")],
            pins: Pins::default(),
            program: PathBuf::from(program),
        }
    }

    #[test]
    fn a_child_that_dies_is_a_gap() {
        for (program, part) in [
            ("/bin/false", "ended early"),
            ("/nowhere/program", "cannot be started"),
        ] {
            let holdings = ask(&tokens(program));
            assert!(holdings.held.is_empty());
            let [gap] = holdings.gaps.as_slice() else {
                panic!("{:?}", holdings.gaps);
            };
            assert_eq!(gap.reason, GapReason::IoError);
            let detail = &gap.detail;
            assert!(detail.contains(part), "{detail}");
        }
    }

    #[test]
    fn pins_have_labels_unless_there_is_one() {
        let pins = Pins::read(b"web token=12=34\r\nother = 5\n\n");
        let told: Vec<(Option<&str>, &[u8])> = pins
            .0
            .iter()
            .map(|(label, pin)| (label.as_deref(), pin.expose()))
            .collect();
        assert_eq!(
            told,
            [(Some("web token"), &b"12=34"[..]), (Some("other"), b" 5")]
        );
        let pins = Pins::read(b"1234\n");
        assert_eq!(pins.0[0].0, None);
    }
}
