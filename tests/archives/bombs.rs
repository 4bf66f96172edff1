//! Bombs, made on the spot: each ends soon and within bounded memory, is told, and harms nothing beside it.

use super::plants::sweep;
use crate::support::{open_directory, plant};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes a bomb by a script, sweeps it beside a key, and gives the limits that were told.
fn explode(script: &str) -> Vec<String> {
    let gaps = gaps_of(script);
    let limits = gaps.iter().filter(|gap| gap["reason"] == "limit");
    limits
        .map(|gap| gap["detail"].as_str().unwrap().to_owned())
        .collect()
}

/// The same with all that was told.
fn gaps_of(script: &str) -> Vec<Value> {
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
    swept.gaps
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
fn the_largest_windows_in_many_threads() {
    let dir = open_directory();
    let script =
        "head -c 70000000 /dev/zero | zstd -q --long=26 >x; head -c 70000000 /dev/zero | xz -9 >y;
        for n in {1..8}; do cp x $n.zst; cp y $n.xz; done; rm x y";
    let status = Command::new("bash")
        .args(["-euc", script])
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    // It asserts that the memory promised is enough.
    let swept = sweep(dir.path(), &["--jobs", "16"]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}

#[test]
fn windows_within_one_another() {
    // Each needs 64 MiB while it is unpacked, and no chain gets twice as much.
    let dir = open_directory();
    let script = "(head -c 70000000 /dev/zero; head -c 900000 /dev/urandom) | zstd -q --long=26 | xz -9 >x.xz";
    let status = Command::new("bash")
        .args(["-euc", script])
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    let swept = sweep(dir.path(), &[]);
    let details: Vec<_> = swept.gaps.iter().map(|gap| &gap["detail"]).collect();
    assert_eq!(details, ["zstd: needs too much memory"]);
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

#[test]
fn zips_in_zips_in_zips() {
    // Sixteen of each in the next, as 42.zip is made: four petabytes if all were unpacked.
    let limits = explode(
        r#"python3 - <<'END'
import io, zipfile
deflated = zipfile.ZIP_DEFLATED
def pack(names, content, path=None):
    target = path or io.BytesIO()
    with zipfile.ZipFile(target, "w", deflated) as archive:
        for name in names:
            archive.writestr(name, content)
    return None if path else target.getvalue()
inner = pack(["0.dll"], bytes(1 << 28))
for level in range(4):
    inner = pack([f"{level}.{n}.zip" for n in range(16)], inner)
pack([f"lib {n}.zip" for n in range(16)], inner, "x.zip")
END"#,
    );
    assert_eq!(limits.len(), 1, "{limits:?}");
    assert!(limits[0].starts_with("unpacks to more than"), "{limits:?}");
}

#[test]
fn entries_that_overlap() {
    // David Fifield's construction: every record lists the one kernel of zeros, by local headers which quote the next one in a
    // block of deflate that is not compressed, so that each file is the headers behind it and the kernel.
    let limits = explode(
        r#"python3 - <<'END'
import struct, zlib
kernel_of = zlib.compressobj(9, zlib.DEFLATED, -15)
size = 1 << 28
kernel = kernel_of.compress(bytes(size)) + kernel_of.flush()
crc = 0
def local(name, packed, size):
    return struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 0, 0, packed, size, len(name), 0) + name
def record(name, packed, size, offset):
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 0, 0, packed, size, len(name), 0, 0, 0, 0, 0, offset) + name
files = [(b"%04d" % 1999, len(kernel), size)]
heads = [local(*files[0])]
quoted = heads[0]
for number in range(1998, -1, -1):
    packed = files[-1][1] + 5 + len(quoted)
    files.append((b"%04d" % number, packed, files[-1][2] + len(quoted)))
    block = struct.pack("<BHH", 0, len(quoted), len(quoted) ^ 0xffff)
    quoted = local(*files[-1])
    heads.append(quoted + block)
body, offsets = b"", []
for head in reversed(heads):
    offsets.append(len(body))
    body += head
body += kernel
directory = b"".join(record(*file, offset) for file, offset in zip(reversed(files), offsets))
end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, len(files), len(files), len(directory), len(body), 0)
open("x.zip", "wb").write(body + directory + end)
END"#,
    );
    assert_eq!(limits.len(), 1, "{limits:?}");
    assert!(limits[0].contains("unpacks to more than"), "{limits:?}");
}

#[test]
fn a_million_empty_members() {
    let gaps = gaps_of(
        r#"python3 - <<'END'
import struct
count = 1_000_000
with open("x.zip", "wb") as out:
    for number in range(count):
        out.write(struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"%07d" % number)
    for number in range(count):
        out.write(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, number * 37) + b"%07d" % number)
    size = out.tell() - count * 37
    out.write(struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, count * 37))
    out.write(struct.pack("<IIQI", 0x07064b50, 0, count * 37 + size, 1))
    out.write(struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0))
END"#,
    );
    assert!(gaps.is_empty(), "{:?}", gaps.first());
}

#[test]
fn a_zip_in_itself_again_and_again() {
    // The depth is what ends it.
    let limits = explode(
        "cp /dev/null x; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do zip -q y.zip x; mv y.zip x; done; mv x x.zip",
    );
    assert_eq!(limits, ["zip: nested deeper than 8".to_owned()]);
}

#[test]
fn a_zip_whose_members_hold_one_another() {
    // A quine without compression: stored members that each reach to the end, so that each begins with the header of the next.
    let limits = explode(
        r#"python3 - <<'END'
import struct
head = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 0, 0, 0, 0, 0xffff, 0xffff, 1, 0) + b"q"
record = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 0, 0, 0, 0, 0xffff, 0xffff, 1, 0, 0, 0, 0, 0, 0) + b"q"
end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(record), len(head), 0)
open("x.zip", "wb").write(head * 1000 + record + end)
END"#,
    );
    let deep = |limit: &String| limit == "zip: nested deeper than 8";
    assert!(!limits.is_empty() && limits.iter().all(deep), "{limits:?}");
}

#[test]
fn a_disk_of_a_terabyte_that_holds_nothing() {
    let limits = explode(
        "truncate -s 1T x.img; mke2fs -q -t ext4 -J size=4 x.img; mkdir d; truncate -s 1T d/hole; mke2fs -q -t ext4 -d d y.img 8M; \
         truncate -s 1G d/hole; mksquashfs d z.img -quiet -no-progress >/dev/null; rm -r d",
    );
    assert_eq!(limits, [""; 0]);
}

#[test]
fn an_image_of_zeros() {
    // Blocks of zeros that are stored as such, each packed by itself.
    let limits = explode(
        "mkdir d; for i in 1 2 3 4; do head -c 200000000 /dev/zero >d/$i; done; \
         mksquashfs d x.img -comp zstd -b 1M -no-sparse -no-duplicates -quiet -no-progress >/dev/null; rm -r d",
    );
    assert_eq!(limits.len(), 1, "{limits:?}");
    assert!(limits[0].contains("200 times"), "{limits:?}");
}

#[test]
fn partitions_that_are_the_whole_disk_again_and_again() {
    let gaps = gaps_of(
        r#"python3 - <<'END'
import struct, zlib
entry = bytes([1] * 32) + struct.pack("<QQQ", 34, 20000, 0) + bytes(72)
table = entry * 128
head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 1, 34, 20000, bytes(16), 2, 128, 128, zlib.crc32(table))
head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
open("x.img", "wb").write((bytes(512) + head.ljust(512, b"\0") + table).ljust(10 << 20, b"\0"))
END"#,
    );
    assert_eq!(gaps.len(), 127);
    assert!(gaps.iter().all(|gap| gap["reason"] == "malformed"));
}
