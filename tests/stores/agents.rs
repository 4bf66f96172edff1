//! Agents: the real ones against the tools that ask them, and some that hang or lie.

use crate::support::{
    BINARY, arg, check, command, gaps, measured, of_kind, open_directory, out, records, set_mode,
    wait_until,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An agent that ends with the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_of_an_agent_are_those_that_ssh_add_lists() {
    let dir = open_directory();
    let socket = dir.path().join("socket");
    let agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent (package openssh-client) must be installed");
    let _agent = Agent(agent);
    wait_until("the agent listens", || socket.exists());
    let ssh = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .current_dir(dir.path())
            .env("SSH_AUTH_SOCK", &socket)
            .output()
            .unwrap();
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
        out(&output)
    };
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).unwrap();
    for (name, kind) in [("tree/on_disk", "ed25519"), ("gone", "ecdsa")] {
        ssh(
            "ssh-keygen",
            &["-q", "-t", kind, "-N", "", "-C", name, "-f", name],
        );
        ssh("ssh-add", &["-q", name]);
    }
    let output = command(&["scan", arg(&tree), "-q", "-f", "jsonl", "--agents"])
        .env("SSH_AUTH_SOCK", &socket)
        .output()
        .unwrap();
    check(&output, 0, "--agents");
    let records = records(&output.stdout);
    let held: Vec<&Value> = of_kind(&records, "sighting")
        .into_iter()
        .filter(|s| s["location"]["path"] == arg(&socket))
        .collect();
    let mut listed: Vec<String> = ssh("ssh-add", &["-l"])
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    let mut told: Vec<String> = held
        .iter()
        .map(|s| s["fingerprints"]["ssh_sha256"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    told.sort();
    assert_eq!(told, listed);
    // The same key on disk is the same key.
    let on_disk = arg(&tree.join("on_disk")).to_owned();
    let file = of_kind(&records, "sighting")
        .into_iter()
        .find(|s| s["location"]["path"] == on_disk)
        .unwrap();
    assert!(held.iter().any(|s| s["key_id"] == file["key_id"]));
    // ssh-add -L gives the blobs; their digest is what the identity of OpenSSH's form rests on.
    for line in ssh("ssh-add", &["-L"]).lines() {
        let blob = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
        let digest = base64::engine::general_purpose::STANDARD_NO_PAD.encode(Sha256::digest(blob));
        assert!(told.contains(&format!("SHA256:{digest}")));
    }
}

/// A home of GnuPG with keys, and the agent that gpg starts for it.
struct Gnupg {
    dir: TempDir,
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let _ = self.command("gpgconf", &["--kill", "all"]).output();
    }
}

impl Gnupg {
    fn new() -> Self {
        let gnupg = Self {
            dir: open_directory(),
        };
        fs::create_dir(gnupg.home()).unwrap();
        set_mode(&gnupg.home(), 0o700);
        for (name, algorithm, passphrase) in [
            ("clear", "rsa2048", ""),
            ("locked", "ed25519", PASSPHRASE),
            ("curve", "nistp256", ""),
        ] {
            gnupg.gpg(
                passphrase,
                &["--quick-gen-key", name, algorithm, "default", "0"],
            );
        }
        let primary = gnupg.colons("clear", "fpr").swap_remove(0);
        gnupg.gpg("", &["--quick-add-key", &primary, "cv25519", "encr", "0"]);
        gnupg
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("gnupg")
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("GNUPGHOME", self.home());
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self
            .command(program, args)
            .output()
            .unwrap_or_else(|e| panic!("{program}: {e}: package gnupg"));
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
        out(&output)
    }

    fn gpg(&self, passphrase: &str, args: &[&str]) -> String {
        let quiet = [
            "--batch",
            "-q",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            passphrase,
        ];
        self.run("gpg", &[&quiet, args].concat())
    }

    /// The tenth field of gpg's records of that kind about secret keys.
    fn colons(&self, name: &str, kind: &str) -> Vec<String> {
        let list = ["--with-colons", "--with-keygrip", "--list-secret-keys"];
        let args = match name {
            "" => list.to_vec(),
            name => [&list[..], &[name]].concat(),
        };
        self.gpg("", &args)
            .lines()
            .filter(|line| line.starts_with(&format!("{kind}:")))
            .map(|line| line.split(':').nth(9).unwrap().to_owned())
            .collect()
    }

    /// What gpg-connect-agent is told of each key: its keygrip, and the words behind it.
    fn key_info(&self, option: &str) -> Vec<(String, Vec<String>)> {
        let command = format!("KEYINFO --list {option}");
        self.run("gpg-connect-agent", &[&command, "/bye"])
            .lines()
            .filter_map(|line| line.strip_prefix("S KEYINFO "))
            .map(|line| {
                let mut words = line.split(' ').map(str::to_owned);
                (words.next().unwrap(), words.collect())
            })
            .collect()
    }

    /// The sweep of its home and its agent.
    fn sweep(&self) -> Vec<Value> {
        let home = self.home();
        let output = command(&["scan", arg(&home), "-q", "-f", "jsonl", "--agents"])
            .env("GNUPGHOME", &home)
            .env_remove("SSH_AUTH_SOCK")
            .output()
            .unwrap();
        check(&output, 0, "--agents");
        assert!(!out(&output).contains(PASSPHRASE));
        records(&output.stdout)
    }
}

const PASSPHRASE: &str = "a passphrase of the agent's test";

/// The sightings that a store of this kind told.
fn told_by<'a>(records: &'a [Value], format: &str) -> Vec<&'a Value> {
    of_kind(records, "sighting")
        .into_iter()
        .filter(|s| s["location"]["inside"][0]["type"] == format)
        .collect()
}

fn keygrip(sighting: &Value) -> String {
    let text = sighting["fingerprints"]["keygrip"].as_str().unwrap();
    text.to_ascii_uppercase()
}

#[test]
fn keys_of_gnupgs_agent_are_those_that_gpg_lists() {
    let gnupg = Gnupg::new();
    let listed: BTreeSet<String> = gnupg.colons("", "grp").into_iter().collect();
    assert_eq!(listed.len(), 4);
    let seen = gnupg.sweep();
    assert!(of_kind(&seen, "gap").is_empty());
    let held = told_by(&seen, "gpg_agent");
    let told: BTreeSet<String> = held.iter().map(|s| keygrip(s)).collect();
    assert_eq!(told, listed);
    assert_eq!(held.len(), listed.len());
    let socket = gnupg.run("gpgconf", &["--list-dirs", "agent-socket"]);
    for (grip, words) in gnupg.key_info("") {
        let of_agent = held.iter().find(|s| keygrip(s) == grip).unwrap();
        assert_eq!(of_agent["location"]["path"], socket.trim());
        assert_eq!(of_agent["kind"], "pgp_secret_key");
        let protection = match words[4].as_str() {
            "P" => "encrypted",
            "C" => "none",
            word => panic!("{word}"),
        };
        assert_eq!(of_agent["protection"], protection, "{grip}");
        // The file of that keygrip is the same key, and so is the public one in the keybox.
        let place = format!("private-keys-v1.d/{grip}.key");
        let all = of_kind(&seen, "sighting");
        let path = |s: &Value| s["location"]["path"].as_str().unwrap().to_owned();
        let file = all.iter().find(|s| path(s).ends_with(&place)).unwrap();
        let public = all
            .iter()
            .find(|s| {
                path(s).ends_with("pubring.kbx")
                    && s["kind"] == "pgp_public_key"
                    && keygrip(s) == grip
            })
            .unwrap();
        assert!(
            of_agent["key_id"]
                .as_str()
                .unwrap()
                .starts_with("spki-sha256:")
        );
        assert_eq!(of_agent["key_id"], file["key_id"]);
        assert_eq!(of_agent["key_id"], public["key_id"]);
        assert_eq!(of_agent["protection"], file["protection"]);
    }
}

#[test]
fn gnupgs_agent_makes_no_file_because_it_is_asked_and_tells_what_serves_ssh() {
    let gnupg = Gnupg::new();
    let control = gnupg.home().join("sshcontrol");
    let seen = gnupg.sweep();
    assert!(!control.exists(), "the sweep made a file");
    assert!(told_by(&seen, "ssh_agent").is_empty());
    let grips = gnupg.colons("", "grp");
    let (serving, asking, disabled) = (&grips[0], &grips[2], &grips[3]);
    let lines = format!("{serving} 0\n{asking} 600 confirm\n!{disabled} 0\n");
    fs::write(&control, &lines).unwrap();
    let seen = gnupg.sweep();
    assert_eq!(fs::read_to_string(&control).unwrap(), lines);
    let mut told = Vec::new();
    for sighting in told_by(&seen, "gpg_agent") {
        let notes = sighting["notes"].to_string();
        let told_flags = match () {
            () if notes.contains("disabled") => "DS",
            () if notes.contains("question") => "Sc",
            () if notes.contains("SSH") => "S",
            () => "-",
        };
        told.push((keygrip(sighting), told_flags.to_owned()));
    }
    let mut expected: Vec<(String, String)> = gnupg
        .key_info("--with-ssh")
        .into_iter()
        .map(|(grip, words)| (grip, words[7].clone()))
        .collect();
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    let flagged = |flags: &str| expected.iter().filter(|(_, told)| told == flags).count();
    assert_eq!((flagged("S"), flagged("Sc"), flagged("DS")), (1, 1, 1));
    // Over its SSH socket come those that serve it, as ssh-add lists them.
    let socket = gnupg.run("gpgconf", &["--list-dirs", "agent-ssh-socket"]);
    let listed = Command::new("ssh-add")
        .arg("-l")
        .env("SSH_AUTH_SOCK", socket.trim())
        .output()
        .unwrap();
    let listed: BTreeSet<String> = out(&listed)
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    let over_ssh = told_by(&seen, "ssh_agent");
    let prints: BTreeSet<String> = over_ssh
        .iter()
        .map(|s| s["fingerprints"]["ssh_sha256"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(prints, listed);
    assert_eq!(prints.len(), 2);
}

#[test]
fn a_key_on_a_card_is_told_with_the_cards_number_and_a_used_one_as_in_memory() {
    let gnupg = Gnupg::new();
    // What GnuPG leaves on disk of a key that it moved to a card.
    let grip = gnupg.colons("curve", "grp").swap_remove(0);
    let file = gnupg.home().join(format!("private-keys-v1.d/{grip}.key"));
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let expression = gnupg.run(
        "gpg-connect-agent",
        &["--hex", &format!("READKEY {grip}"), "/bye"],
    );
    let bytes: Vec<u8> = expression
        .lines()
        .filter_map(|line| line.strip_prefix("D["))
        .flat_map(|line| {
            let digits = &line[line.find(']').unwrap() + 1..];
            digits
                .get(..51.min(digits.len()))
                .unwrap()
                .split_whitespace()
        })
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect();
    let start = b"(10:public-key(3:ecc";
    assert!(bytes.starts_with(start), "{expression}");
    let inner = &bytes[start.len() - 6..bytes.len() - 2];
    let serial = "D2760001240103040006000000000000";
    let number: Vec<u8> = (0..16)
        .map(|n| u8::from_str_radix(&serial[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let shadowed = [
        &b"(20:shadowed-private-key"[..],
        inner,
        b"(8:shadowed5:t1-v1(16:",
        &number,
        b"9:OPENPGP.1))))",
    ]
    .concat();
    fs::write(&file, &shadowed).unwrap();
    assert!(read(&file).starts_with("(20:shadowed"));
    // Signing puts the passphrase into the agent's memory.
    let text = gnupg.dir.path().join("text");
    fs::write(&text, "text").unwrap();
    gnupg.gpg(PASSPHRASE, &["-u", "locked", "--detach-sign", arg(&text)]);
    let (cards, used): (Vec<_>, Vec<_>) = (gnupg.key_info(""), gnupg.colons("locked", "grp"));
    let seen = gnupg.sweep();
    for (other, words) in cards {
        let all = told_by(&seen, "gpg_agent");
        let sighting = all.iter().find(|s| keygrip(s) == other).unwrap();
        let on_card = words[0] == "T";
        assert_eq!(on_card, other == grip);
        if on_card {
            assert_eq!(sighting["kind"], "pgp_public_key");
            assert_eq!(sighting["pgp"]["card"], serial);
            assert_eq!(words[1], serial);
        }
        let cached = sighting["notes"].to_string().contains("memory");
        assert_eq!(cached, words[3] == "1", "{words:?}");
        if other == used[0] {
            assert!(sighting["protection"] == "encrypted");
        }
    }
}

/// How an agent behaves after somebody connected.
type Behaviour = fn(UnixStream);

fn line(stream: &UnixStream) -> String {
    let mut line = String::new();
    let _ = BufReader::new(stream).read_line(&mut line);
    line
}

fn hang(mut stream: UnixStream) {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
}

fn endless_lines(mut stream: UnixStream) {
    let _ = stream.write_all(b"OK hello\n");
    line(&stream);
    let status = format!("S KEYINFO {} D - - - C - - -\n", "AB".repeat(20)).repeat(1000);
    while stream.write_all(status.as_bytes()).is_ok() {}
}

fn endless_line(mut stream: UnixStream) {
    let _ = stream.write_all(b"OK ");
    while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
}

fn dripping(mut stream: UnixStream) {
    while stream.write_all(b"#\n").is_ok() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn asking(mut stream: UnixStream) {
    let _ = stream.write_all(b"OK hello\n");
    line(&stream);
    let _ = stream.write_all(b"INQUIRE PASSPHRASE\n");
    hang(stream);
}

/// Names one key and gives another: the public key of RFC 8032, section 7.1, test 1.
fn lying(mut stream: UnixStream) {
    let _ = stream.write_all(b"OK hello\n");
    line(&stream);
    let info = format!("S KEYINFO {} D - - - C - - -\nOK\n", "AB".repeat(20));
    let _ = stream.write_all(info.as_bytes());
    line(&stream);
    let q = "#40d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a#";
    let key = format!("D (public-key (ecc (curve Ed25519)(flags eddsa)(q {q})))\nOK\n");
    let _ = stream.write_all(key.as_bytes());
    hang(stream);
}

/// An agent of this behaviour, as long as the directory lives.
fn serve(dir: &Path, behaviour: Behaviour) -> PathBuf {
    let path = dir.join("S.gpg-agent");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || behaviour(stream));
        }
    });
    path
}

#[test]
fn an_agent_that_hangs_floods_asks_or_lies_is_a_gap_in_bounded_time_and_memory() {
    let cases: [(&str, Behaviour, &str, i32); 6] = [
        ("hang", hang, "limit", 4),
        ("endless lines", endless_lines, "limit", 4),
        ("endless line", endless_line, "malformed", 0),
        ("dripping", dripping, "limit", 4),
        ("asking", asking, "malformed", 0),
        ("lying", lying, "malformed", 0),
    ];
    for (name, behaviour, reason, code) in cases {
        let dir = open_directory();
        let tree = dir.path().join("tree");
        crate::support::plant("identity/p256/certificate.pem", &tree, "a.pem");
        let socket = serve(dir.path(), behaviour);
        let home = format!("GNUPGHOME={}", arg(dir.path()));
        let args = [
            "-u",
            "SSH_AUTH_SOCK",
            &home,
            BINARY,
            "scan",
            arg(&tree),
            "-q",
            "-f",
            "jsonl",
            "--agents",
        ];
        let begun = Instant::now();
        let (output, cost) = measured("env", &args);
        let took = begun.elapsed();
        check(&output, code, name);
        let records = records(&output.stdout);
        let of_socket: Vec<_> = gaps(&records)
            .into_iter()
            .filter(|(path, _)| path == arg(&socket))
            .collect();
        assert_eq!(
            of_socket,
            [(arg(&socket).to_owned(), reason.to_owned())],
            "{name}"
        );
        assert!(told_by(&records, "gpg_agent").is_empty(), "{name}");
        // What lies on disk is told all the same.
        assert_eq!(of_kind(&records, "sighting").len(), 1, "{name}");
        println!("{name}: {took:?}, {cost:?}");
        assert!(took < Duration::from_secs(8), "{name}: {took:?}");
        assert!(cost.cpu < 3.0 && cost.memory < 100.0, "{name}: {cost:?}");
    }
}
