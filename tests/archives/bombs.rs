//! Bombs, made on the spot: each ends soon and within bounded memory, is told, and harms nothing beside it.

use super::plants::sweep;
use crate::support::{open_directory, plant};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes a bomb by a script, sweeps it beside a key, and gives the limits that were told.
fn explode(script: &str) -> Vec<String> {
    let dir = open_directory();
    let status = Command::new("bash")
        .args(["-euc", script])
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
    let key = plant("identity/p256/pkcs8.pem", dir.path(), "zz.pem");
    let begun = Instant::now();
    let swept = sweep(dir.path(), &[]);
    // A debug build beside other tests takes several times as long as the release that is promised.
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        swept.found.contains_key(Path::new(&key)),
        "the key beside it"
    );
    let limits = swept.gaps.iter().filter(|gap| gap["reason"] == "limit");
    limits
        .map(|gap| gap["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn ten_gigabytes_of_zeros_in_a_gzip() {
    let limits =
        explode("head -c 1000000000 /dev/zero | gzip -1 >y; cat y y y y y y y y y y >x.gz; rm y");
    assert_eq!(limits.len(), 1, "{limits:?}");
    assert!(limits[0].contains("200 times"), "{limits:?}");
}

#[test]
fn ten_gigabytes_of_zeros_in_every_other_compressor() {
    for (ending, tool) in [
        ("xz", "xz -0"),
        ("lzma", "xz --format=lzma -0"),
        ("bz2", "bzip2"),
        ("zst", "zstd -q -1"),
        ("lz4", "lz4 -q -1"),
        ("legacy.lz4", "lz4 -q -l -1"),
    ] {
        let limits = explode(&format!(
            "head -c 100000000 /dev/zero | {tool} -c >y; for i in {{1..100}}; do cat y; done >x.{ending}; rm y"
        ));
        assert_eq!(limits.len(), 1, "{ending}: {limits:?}");
        assert!(limits[0].contains("unpacks to more than"), "{limits:?}");
    }
    // Streams of this one cannot be told apart, so it must be a single one.
    let limits = explode("head -c 1000000000 /dev/zero | compress -c >x.Z");
    assert_eq!(limits.len(), 1, "{limits:?}");
}

#[test]
fn windows_larger_than_memory() {
    let limits = explode(
        "head -c 300000 /dev/urandom >y; zstd -q --ultra --long=31 --no-content-size <y >x.zst; \
         xz --lzma2=dict=1GiB <y >x.xz; xz --format=lzma --lzma1=dict=1GiB <y >x.lzma; rm y",
    );
    let mut told = limits.clone();
    told.sort();
    let detail = |name| format!("{name}: needs too much memory");
    assert_eq!(told, ["lzma", "xz", "zstd"].map(detail), "{limits:?}");
}

#[test]
fn an_archive_that_holds_itself() {
    // The depth is what ends it.
    let limits = explode(
        "cp /dev/null x; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do tar -cf y x; gzip -c y >x; done; mv x x.tar.gz; rm y",
    );
    assert_eq!(limits, ["gzip: nested deeper than 8"]);
}

#[test]
fn a_sparse_file_of_eight_exabytes() {
    // A header of GNU's old form: 512 bytes at the start, and a piece of none at the end of 2^63 - 1.
    let limits = explode(
        r#"python3 - <<'END'
number = lambda value: b"\x80" + value.to_bytes(11, "big")
size = 2**63 - 1
header = bytearray(512)
header[0:3] = b"big"
header[100:108] = b"0000600\0"
header[124:136] = b"00000001000\0"
header[136:148] = b"00000000000\0"
header[156:157] = b"S"
header[257:265] = b"ustar  \0"
header[386:398], header[398:410] = b"00000000000\0", b"00000001000\0"
header[410:422], header[422:434] = number(size), b"00000000000\0"
header[483:495] = number(size)
header[148:156] = b"        "
header[148:156] = b"%06o\0 " % sum(header)
open("x.tar", "wb").write(header + b"x" * 512 + bytes(1024))
END"#,
    );
    assert_eq!(limits, [""; 0]);
}
