//! Keys anywhere in the bytes of programs, object files, images and cores, and none where there is none.

use super::damage::shell;
use super::plants::{Swept, sweep};
use crate::support::{arg, open_directory, plant, told};
use std::fs;
use std::path::Path;

/// One of each kind: PEM, PKCS#8, PKCS#1, SEC1 and a certificate in DER, OpenSSH with its armour and without.
const KEYS: &[&str] = &[
    "identity/p256/pkcs8.pem",
    "identity/p384/pkcs8.der",
    "identity/rsa2048/pkcs1.der",
    "identity/p521/sec1.der",
    "identity/rsa3072/certificate.der",
    "identity/ed25519/openssh_private",
];

/// The identities in a file and where they are.
fn found(swept: &Swept, file: &Path) -> Vec<(u64, String)> {
    let found = swept.found.get(file).into_iter().flatten();
    let mut all: Vec<_> = found
        .flat_map(|(_, told)| told.iter().map(|t| (t.2, t.1.clone())))
        .collect();
    all.sort();
    all
}

fn key_id(fixture: &str) -> String {
    told(fixture)["key_id"].as_str().unwrap().to_owned()
}

/// Where the bytes of a key are.
fn places(file: &Path, key: &[u8]) -> Vec<u64> {
    let bytes = fs::read(file).unwrap();
    let at = memchr::memmem::find_iter(&bytes, key);
    at.map(|at| u64::try_from(at).unwrap()).collect()
}

#[test]
fn keys_in_programs_and_object_files_are_found() {
    let dir = open_directory();
    for (number, key) in KEYS.iter().enumerate() {
        plant(key, dir.path(), &number.to_string());
    }
    shell(
        dir.path(),
        "for n in [0-9]; do
           objcopy --add-section .key=$n /bin/true elf.$n
           ld -r -b binary -o object.$n $n
           objcopy -I binary -O pe-x86-64 $n pe.$n
         done
         mkdir keys; mv [0-9] keys",
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    for (number, key) in KEYS.iter().enumerate() {
        let bytes = fs::read(dir.path().join("keys").join(number.to_string())).unwrap();
        for kind in ["elf", "object", "pe"] {
            let file = dir.path().join(format!("{kind}.{number}"));
            let expected: Vec<_> = places(&file, &bytes)
                .into_iter()
                .map(|at| (at, key_id(key)))
                .collect();
            assert_eq!(expected.len(), 1, "{}", file.display());
            assert_eq!(found(&swept, &file), expected, "{}", file.display());
        }
    }
}

#[test]
fn keys_amid_noise_are_found_and_noise_is_not() {
    let dir = open_directory();
    for (number, key) in KEYS.iter().enumerate() {
        plant(key, dir.path(), &number.to_string());
    }
    // The same noise at each run, as an image of a disk, of memory or of firmware has it.
    shell(
        dir.path(),
        "head -c 24000000 /dev/zero | openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv 00 2>/dev/null >noise
         cp noise image; at=12345
         for n in [0-9]; do dd if=$n of=image bs=1 seek=$at conv=notrunc status=none; at=$((at + 3999999)); done; rm [0-9]",
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let keys = KEYS.iter().enumerate();
    let places = keys.map(|(n, key)| (12_345 + 3_999_999 * u64::try_from(n).unwrap(), key_id(key)));
    assert_eq!(
        found(&swept, &dir.path().join("image")),
        places.collect::<Vec<_>>()
    );
    assert_eq!(found(&swept, &dir.path().join("noise")), []);
}

#[test]
fn keys_in_the_core_of_a_process_are_found() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "pem");
    plant("identity/rsa2048/pkcs1.der", dir.path(), "der");
    plant("identity/ed25519/openssh_private", dir.path(), "ssh");
    let read = "import sys; keys = [open(n, 'rb').read() for n in ('pem', 'der', 'ssh')]; print(flush=True); sys.stdin.read()";
    shell(
        dir.path(),
        &format!(
            "coproc python3 -c \"{read}\"; pid=$COPROC_PID; read -r -u ${{COPROC[0]}} _
             gcore -o core $pid >log 2>&1 || {{ cat log >&2; kill $pid; exit 1; }}
             kill $pid; mv core.$pid core; mkdir keys; mv pem der ssh keys"
        ),
    );
    let swept = sweep(&dir.path().join("core"), &["--no-default-passwords"]);
    let found = found(&swept, Path::new(arg(&dir.path().join("core"))));
    for (name, fixture) in [
        ("pem", "identity/p256/pkcs8.pem"),
        ("der", "identity/rsa2048/pkcs1.der"),
        ("ssh", "identity/ed25519/openssh_private"),
    ] {
        let bytes = fs::read(dir.path().join("keys").join(name)).unwrap();
        let places = places(&dir.path().join("core"), &bytes);
        assert!(!places.is_empty(), "{name} is not in the core");
        for place in places {
            assert!(
                found.contains(&(place, key_id(fixture))),
                "{name} at {place}: {found:?}"
            );
        }
    }
}
