//! Repositories that are damaged, or made to do harm: nothing of them is run, and each ends soon.

use super::repository::{ED25519, P256, Swept, Yard};
use std::fs;
use std::time::{Duration, Instant};

fn reasons(swept: &Swept) -> Vec<&str> {
    let reasons = swept.gaps.iter().map(|gap| gap["reason"].as_str().unwrap());
    reasons.collect()
}

#[test]
fn nothing_in_a_repository_is_run_or_obeyed() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first; rm k
         ran=\"touch $PWD/../ran\"
         git config core.fsmonitor \"$ran\"; git config core.sshCommand \"$ran\"; git config core.pager \"$ran\"; git config core.editor \"$ran\"
         git config filter.x.clean \"$ran\"; git config filter.x.smudge \"$ran\"; git config diff.x.textconv \"$ran\"; git config gpg.program \"$ran\"
         git config core.alternateRefsCommand \"$ran\"; git config uploadpack.packObjectsHook \"$ran\"; git config core.worktree /
         printf '[include]\\n\\tpath = /dev/zero\\n' >>.git/config; echo '* filter=x diff=x' >.gitattributes
         for hook in post-checkout pre-commit fsmonitor-watchman reference-transaction; do printf '#!/bin/sh\\n%s\\n' \"$ran\" >.git/hooks/$hook; chmod +x .git/hooks/$hook; done
         mkfifo .git/refs/heads/fifo; ln -s /dev/zero .git/refs/heads/zero; ln -s /etc .git/objects/ff",
    );
    let swept = yard.sweep();
    assert_eq!(swept.only(P256, &yard.path().join("r/.git"))[1], "file:k");
    assert!(!yard.path().join("ran").exists());
}

/// A repository with two keys in one pack, in the order of the pack: the first in a file that others build on.
fn packed() -> Yard {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; for i in 1 2 3 4 5 6 7 8; do { seq 2000; echo $i; } >f$i; done; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first
         git rm -q k; commit second; git repack -qadf; git prune-packed; cp $fixtures/identity/ed25519/openssh_private l; git add l; commit third; rm l",
    );
    yard
}

fn pack_of(yard: &Yard) -> std::path::PathBuf {
    yard.run("cd r; chmod -R u+w .git/objects");
    let path = yard.run("ls r/.git/objects/pack/*.pack");
    yard.path().join(path)
}

#[test]
fn a_damaged_object_is_told_and_the_others_are_read() {
    let yard = packed();
    let pack = pack_of(&yard);
    let whole = fs::read(&pack).unwrap();
    let mut told = 0;
    for at in (12..whole.len() - 20).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&pack, &bytes).unwrap();
        let swept = yard.sweep();
        // The loose one is found whatever the pack is like.
        assert_eq!(swept.places(ED25519).len(), 1, "{at}");
        assert!(
            swept
                .gaps
                .iter()
                .all(|gap| gap["path"] == pack.to_str().unwrap())
        );
        let known = ["malformed", "truncated", "limit"];
        assert!(
            reasons(&swept).iter().all(|reason| known.contains(reason)),
            "{at}"
        );
        told += usize::from(!swept.gaps.is_empty());
        // The key itself is lost only where something is told.
        assert!(
            swept.places(P256).len() == 1 || !swept.gaps.is_empty(),
            "{at}"
        );
        if told > 15 {
            break;
        }
    }
    assert!(told > 10, "{told}");
}

#[test]
fn packs_that_are_cut_off_or_lack_their_index() {
    let yard = packed();
    let pack = pack_of(&yard);
    let whole = fs::read(&pack).unwrap();
    for keep in [0, 3, 11, 12, 100, whole.len() / 2] {
        fs::write(&pack, &whole[..keep]).unwrap();
        let swept = yard.sweep();
        assert_eq!(swept.places(ED25519).len(), 1, "{keep}");
        assert!(!swept.gaps.is_empty(), "{keep}");
        assert!(
            reasons(&swept)
                .iter()
                .all(|r| matches!(*r, "malformed" | "truncated"))
        );
    }
    fs::write(&pack, &whole).unwrap();
    let index = pack.with_extension("idx");
    let good = fs::read(&index).unwrap();
    for keep in [0, 7, 8, 1000, 1032, good.len() - 1] {
        fs::write(&index, &good[..keep]).unwrap();
        let swept = yard.sweep();
        assert_eq!(swept.places(ED25519).len(), 1, "{keep}");
        assert_eq!(swept.gaps.len(), 1, "{keep}: {:?}", swept.gaps);
    }
    // Offsets that lead nowhere.
    let mut bytes = good.clone();
    let count = u32::from_be_bytes(good[8 + 1020..8 + 1024].try_into().unwrap()) as usize;
    let offsets = 8 + 1024 + count * 24;
    bytes[offsets..offsets + count * 4].fill(0x7f);
    fs::write(&index, &bytes).unwrap();
    assert!(reasons(&yard.sweep()).contains(&"malformed"));
    bytes[offsets..offsets + count * 4].fill(0xff);
    fs::write(&index, &bytes).unwrap();
    assert!(!yard.sweep().gaps.is_empty());
    fs::remove_file(&index).unwrap();
    let swept = yard.sweep();
    assert_eq!(reasons(&swept), ["malformed"], "{:?}", swept.gaps);
}

/// What only looks like an object or a pack by its name is searched as what it is.
#[test]
fn keys_that_are_named_like_objects() {
    let yard = packed();
    yard.run(
        "cd r/.git/objects; mkdir -p ab; cp $fixtures/identity/rsa2048/pkcs8.pem ab/cdef0123456789abcdef0123456789abcdef01
         cp $fixtures/identity/p384/pkcs8.pem pack/key.pem; cp $fixtures/identity/p521/pkcs8.pem pack/pack-x.idx",
    );
    let swept = yard.sweep();
    for (key, name) in [
        ("rsa2048", "ab/cdef0123456789abcdef0123456789abcdef01"),
        ("p384", "pack/key.pem"),
        ("p521", "pack/pack-x.idx"),
    ] {
        let place = yard.path().join("r/.git/objects").join(name);
        let members = swept.only(&format!("identity/{key}/pkcs8.pem"), &place);
        assert!(members.is_empty(), "{members:?}");
    }
}

/// A pack written by hand: each object is its type, the size that it declares, what stands before its data, and the data.
const WRITE_PACK: &str = r#"
import hashlib, struct, sys, zlib
def head(kind, size):
    byte, size, out = kind << 4 | size & 15, size >> 4, b""
    while size:
        out += bytes([byte | 128]); byte = size & 127; size >>= 7
    return out + bytes([byte])
def distance(n):
    out = bytes([n & 127]); n >>= 7
    while n:
        n -= 1; out = bytes([128 | n & 127]) + out; n >>= 7
    return out
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128]); n >>= 7
    return out + bytes([n])
def name(n): return hashlib.sha1(b"%d" % n).digest()
def write(objects):
    """objects: bytes, or a function of the places so far."""
    pack, places = b"PACK" + struct.pack(">II", 2, len(objects)), []
    for one in objects:
        places.append(len(pack))
        pack += one(places) if callable(one) else one
    pack += hashlib.sha1(pack).digest()
    order = sorted(range(len(objects)), key=name)
    index = b"\xfftOc" + struct.pack(">I", 2)
    for first in range(256):
        index += struct.pack(">I", sum(name(n)[0] <= first for n in order))
    index += b"".join(map(name, order)) + bytes(4 * len(order))
    index += b"".join(struct.pack(">I", places[n]) for n in order) + pack[-20:]
    index += hashlib.sha1(index).digest()
    open("r/.git/objects/pack/pack-bad.pack", "wb").write(pack)
    open("r/.git/objects/pack/pack-bad.idx", "wb").write(index)
z = zlib.compress
"#;

/// Writes such a pack beside a good one; it must end soon, tell this, and harm nothing.
fn hostile(objects: &str, reason: &str) {
    let yard = packed();
    let script = format!("{WRITE_PACK}\nwrite({objects})\n");
    fs::write(yard.path().join("make.py"), script).unwrap();
    yard.run("python3 make.py");
    let begun = Instant::now();
    let swept = yard.sweep();
    // A debug build beside other tests takes several times as long as the release that is promised.
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(swept.places(P256).len(), 1);
    assert_eq!(swept.places(ED25519).len(), 1);
    assert!(reasons(&swept).contains(&reason), "{:?}", swept.gaps);
    let bad = |gap: &serde_json::Value| gap["path"].as_str().unwrap().ends_with("pack-bad.pack");
    assert!(swept.gaps.iter().all(bad), "{:?}", swept.gaps);
}

#[test]
fn sizes_that_lie() {
    hostile(r#"[head(3, 10**12) + z(b"x")]"#, "truncated");
    hostile(r#"[head(3, 2) + z(b"x")]"#, "malformed");
    hostile(r#"[head(3, 1) + z(b"xx")]"#, "malformed");
    hostile(
        r#"[head(3, 2**63) + z(b"x"), head(3, 2**60) + z(b"")] * 50"#,
        "truncated",
    );
    // Each claims a size that is granted.
    hostile(r#"[head(3, 2**20 - 1) + z(b"x")] * 5000"#, "malformed");
}

#[test]
fn deltas_that_build_on_one_another() {
    hostile(
        r#"[head(7, 4) + name(1) + z(b"1234"), head(7, 4) + name(0) + z(b"1234")]"#,
        "malformed",
    );
    hostile(r#"[head(7, 4) + name(0) + z(b"1234")]"#, "malformed");
    hostile(r#"[head(7, 4) + name(77) + z(b"1234")]"#, "malformed");
    hostile(
        r#"[head(6, 4) + distance(10**9) + z(b"1234")]"#,
        "malformed",
    );
}

#[test]
fn deltas_that_grow_without_end() {
    // Each is a few bytes and makes 16 MB, of which a thousand build on the first.
    hostile(
        r#"[head(3, 65536) + z(bytes(65536))] + [
            lambda p, d=varint(65536) + varint(65536 * 250) + b"\x80" * 250: head(6, len(d)) + distance(p[-1] - p[0]) + z(d)
        ] * 1000"#,
        "limit",
    );
    // One makes more than is granted.
    hostile(
        r#"[head(3, 65536) + z(bytes(65536)),
            lambda p, d=varint(65536) + varint(65536 * 5000) + b"\x80" * 5000: head(6, len(d)) + distance(p[-1] - p[0]) + z(d)]"#,
        "limit",
    );
    // A chain deeper than any that git makes.
    hostile(
        r#"[head(3, 4) + z(b"abcd")] + [lambda p, d=varint(4) + varint(4) + b"\x90\x04": head(6, len(d)) + distance(p[-1] - p[-2]) + z(d)] * 9000 + [head(3, 9) + z(b"x")]"#,
        "malformed",
    );
}
