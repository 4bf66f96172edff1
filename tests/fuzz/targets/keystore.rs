//! One reader of a keystore or of a service's key, chosen by the first byte, with a few passwords to try.
//!
//! What magic numbers and words lead to is given to the reader at once; its upper bit says that more of the file follows.
#![no_main]

use keymuster::formats::{self, Format, Place};
use keymuster::model::{Candidate, Clue, Effort, Encoding, Passwords, Reading, Secret, Unlock};
use keymuster::parse::Parser;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::new(formats::ALL));
static PASSWORDS: LazyLock<Passwords> = LazyLock::new(|| {
    let texts = ["fixture passphrase, not a secret", "changeit", ""];
    Passwords::new(texts.map(|text| Secret::copy_of(text.as_bytes())), false)
});

/// `tests/fuzz/run` reads this list: the fixtures of a name are its seeds.
const READERS: &[&str] = &[
    "pkcs12",
    "jks",
    "jceks",
    "bks",
    "uber",
    "nss",
    "nss_legacy",
    "sst",
    "gnupg_keybox",
    "gnupg_private_key",
    "openpgp",
    "encrypted_pkcs8",
    "tss2",
    "ppk",
    "ssh_com",
    "ssh1",
    "dropbear",
    "allowed_signers",
    "jwk",
    "xml_key",
    "tor_onion",
    "age_key",
    "age_encrypted",
    "minisign",
    "signify",
    "wireguard",
    "openvpn",
    "dnssec",
    "tsig",
    "keytab",
    "ceph_keyring",
    "kubernetes_encryption",
    "bare_base64",
];

fn reader(first: u8) -> &'static dyn Format {
    let name = READERS[usize::from(first & 0x7f) % READERS.len()];
    let of_name = |format: &&&'static dyn Format| format.name() == name;
    *formats::ALL
        .iter()
        .find(of_name)
        .expect("a reader of that name")
}

/// The clues by which the reader is asked about these bytes, with their places.
fn clues(reader: &dyn Format, bytes: &[u8]) -> Vec<(Clue, usize)> {
    let mut clues: Vec<(Clue, usize)> = reader
        .clues()
        .iter()
        .filter(|clue| matches!(clue, Clue::DerObject | Clue::PemBody))
        .map(|clue| (*clue, 0))
        .collect();
    for signature in reader.signatures() {
        let at = match signature.place {
            Place::Start(_) => Some(0),
            Place::Anywhere => bytes
                .windows(signature.literal.len())
                .position(|window| window == signature.literal),
        };
        clues.extend(at.map(|at| (signature.clue, at)));
    }
    clues.sort_unstable();
    clues.dedup();
    clues
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let reader = reader(*first);
    let effort = Effort::new(40_000);
    let at_end = *first < 0x80;
    for (clue, at) in clues(reader, bytes) {
        let candidate = Candidate {
            clue,
            bytes,
            at,
            at_end,
            at_start: true,
            encoding: match clue {
                Clue::PemBody => Encoding::Pem,
                Clue::DerObject => Encoding::Der,
                _ => Encoding::Binary,
            },
            label: (clue == Clue::PemBody).then_some("ENCRYPTED PRIVATE KEY"),
            headers: &[],
            file_name: b"x",
            unlock: Unlock {
                passwords: &PASSWORDS,
                effort: &effort,
            },
        };
        match reader.read(&candidate) {
            Reading::NotMine => continue,
            Reading::NeedMore { from } => {
                assert!(!at_end, "nothing follows");
                assert!(from <= bytes.len());
            }
            Reading::Found(found) => {
                assert!(found.end <= bytes.len());
                assert!(found.artifacts.iter().all(|one| one.offset <= bytes.len()));
                assert!(found.faults.iter().all(|one| one.offset <= bytes.len()));
                assert!(found.nested.iter().all(|one| one.offset <= bytes.len()));
            }
        }
        // With all that lies inside.
        let parsed = PARSER.examine(&candidate);
        assert!(parsed.artifacts.iter().all(|one| one.offset <= bytes.len()));
        assert!(parsed.faults.iter().all(|one| one.offset <= bytes.len()));
    }
});
