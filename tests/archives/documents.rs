//! PDF: embedded files and streams in every encoding, signatures, encryption, damage.

use super::damage::shell;
use super::plants::{Swept, sweep};
use crate::support::{open_directory, plant, told};
use serde_json::Value;
use std::path::Path;

const KEY: &str = "identity/p256/pkcs8.pem";
const CERTIFICATE: &str = "identity/rsa2048/certificate.der";

/// Writes a document of streams: `$1` is its name, then file and filters of each. qpdf must be able to read it.
const WRITER: &str = r#"
cat >write.py <<'END'
import base64, sys, zlib
def lzw(data):
    out, word = '', b''
    def clear():
        emit(256)
        return {bytes([n]): n for n in range(256)}
    def emit(code):
        # A code becomes longer one before it must.
        nonlocal out
        out += format(code, f'0{max(9, size.bit_length())}b')
    size = 258
    table = clear()
    for byte in data:
        if word + bytes([byte]) in table:
            word += bytes([byte])
            continue
        emit(table[word])
        table[word + bytes([byte])] = size
        size += 1
        if size == 4094:
            table = clear()
            size = 258
        word = bytes([byte])
    emit(table[word])
    size += 1
    emit(257)
    out += '0' * (-len(out) % 8)
    return bytes(int(out[n:n + 8], 2) for n in range(0, len(out), 8))
def run_length(data):
    out = b''
    for n in range(0, len(data), 128):
        piece = data[n:n + 128]
        out += bytes([len(piece) - 1]) + piece
    return out + b'\x80'
encoders = {
    'FlateDecode': zlib.compress,
    'ASCIIHexDecode': lambda data: data.hex().encode() + b'>',
    'ASCII85Decode': lambda data: base64.a85encode(data, wrapcol=72) + b'~>',
    'LZWDecode': lzw,
    'RunLengthDecode': run_length,
}
out, places = b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', []
def add(body):
    global out
    places.append(len(out))
    out += b'%d 0 obj\n' % len(places) + body + b'\nendobj\n'
add(b'<< /Type /Catalog /Pages 2 0 R >>')
add(b'<< /Type /Pages /Kids [] /Count 0 >>')
for argument in sys.argv[2:]:
    file, _, filters = argument.partition(':')
    data, filters = open(file, 'rb').read(), filters.split(',')
    for name in reversed(filters): data = encoders[name](data)
    names = ' '.join('/' + name for name in filters)
    add(b'<< /Length %d /Filter [%s] >>\nstream\n' % (len(data), names.encode()) + data + b'\nendstream')
start = len(out)
out += b'xref\n0 %d\n0000000000 65535 f \n' % (len(places) + 1)
for place in places: out += b'%010d 00000 n \n' % place
out += b'trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n' % (len(places) + 1, start)
open(sys.argv[1], 'wb').write(out)
END
"#;

fn gaps(swept: &Swept, file: &Path) -> Vec<(String, Option<u64>, Value)> {
    let gaps = swept
        .gaps
        .iter()
        .filter(|gap| gap["path"] == file.to_str().unwrap());
    gaps.map(|gap| {
        let reason = gap["reason"].as_str().unwrap().to_owned();
        (reason, gap["offset"].as_u64(), gap["inside"].clone())
    })
    .collect()
}

fn found(swept: &Swept, file: &Path) -> Vec<(Vec<String>, String, String)> {
    let found = swept.found.get(file).into_iter().flatten();
    found
        .flat_map(|((types, name), told)| {
            told.iter()
                .map(move |t| (types.clone(), name.clone(), t.1.clone()))
        })
        .collect()
}

fn key_id(fixture: &str) -> String {
    told(fixture)["key_id"].as_str().unwrap().to_owned()
}

fn in_pdf(name: &str, fixture: &str) -> (Vec<String>, String, String) {
    (vec!["pdf".to_owned()], name.to_owned(), key_id(fixture))
}

#[test]
fn streams_of_every_filter_are_undone() {
    let dir = open_directory();
    plant(KEY, dir.path(), "key");
    plant(CERTIFICATE, dir.path(), "der");
    let script = format!(
        "{WRITER}
        (seq 3000; cat key) >long
        python3 write.py x.pdf key:FlateDecode key:ASCIIHexDecode key:ASCII85Decode key:LZWDecode key:RunLengthDecode \
            der:ASCII85Decode,LZWDecode der:ASCIIHexDecode,RunLengthDecode,FlateDecode long:LZWDecode
        qpdf --check x.pdf
        qpdf --object-streams=generate --stream-data=preserve x.pdf same.pdf 2>/dev/null || :
        for n in 3 4 5 6 7; do qpdf --show-object=$n --filtered-stream-data x.pdf | cmp - key; done
        for n in 8 9; do qpdf --show-object=$n --filtered-stream-data x.pdf | cmp - der; done
        qpdf --show-object=10 --filtered-stream-data x.pdf | cmp - long
        rm -f key der long write.py same.pdf"
    );
    shell(dir.path(), &script);
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let mut expected: Vec<_> = [3, 4, 5, 6, 7, 10]
        .map(|n| in_pdf(&format!("{n} 0"), KEY))
        .to_vec();
    expected.extend([8, 9].map(|n| in_pdf(&format!("{n} 0"), CERTIFICATE)));
    let mut all = found(&swept, &dir.path().join("x.pdf"));
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn certificates_of_a_signature_are_found() {
    let dir = open_directory();
    plant("identity/rsa2048/certificate.pem", dir.path(), "c.pem");
    plant("identity/rsa2048/pkcs8.pem", dir.path(), "k.pem");
    // As signers write it: the signature stands in hexadecimal digits between two ranges of bytes, padded with zeros.
    shell(
        dir.path(),
        r#"echo data >data
        openssl cms -sign -binary -in data -signer c.pem -inkey k.pem -md sha256 -outform DER -out s.der
        python3 - <<'END'
signature = open('s.der', 'rb').read().hex().encode().ljust(16384, b'0')
out, places = b'%PDF-1.7\n', []
for body in [b'<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] /SigFlags 3 >> >>', b'<< /Type /Pages /Kids [] /Count 0 >>',
             b'<< /FT /Sig /T (Signature1) /V 4 0 R >>',
             b'<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 0 0 0] /Contents <' + signature + b'> >>']:
    places.append(len(out))
    out += b'%d 0 obj\n' % len(places) + body + b'\nendobj\n'
start = len(out)
out += b'xref\n0 5\n0000000000 65535 f \n' + b''.join(b'%010d 00000 n \n' % place for place in places)
out += b'trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n' % start
open('x.pdf', 'wb').write(out)
END
        qpdf --check x.pdf; rm *.pem data s.der"#,
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let all = found(&swept, &dir.path().join("x.pdf"));
    let [(types, _, id)] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(
        (types[..].last().unwrap().as_str(), id),
        ("hex", &key_id(CERTIFICATE))
    );
}

#[test]
fn documents_that_are_closed_cut_or_damaged_are_told() {
    let dir = open_directory();
    plant(KEY, dir.path(), "key");
    plant(CERTIFICATE, dir.path(), "der");
    let script = format!(
        "{WRITER}
        qpdf --empty --add-attachment key --filename=a.key -- --add-attachment der --filename=b.der -- open.pdf
        qpdf --encrypt user owner 256 -- open.pdf closed.pdf
        qpdf --encrypt user owner 256 --cleartext-metadata -- --object-streams=generate open.pdf closed.streams.pdf
        python3 write.py plain.pdf key:FlateDecode der:FlateDecode
        (cat plain.pdf; cat key) >behind.pdf
        gzip -k plain.pdf
        (cat plain.pdf; cat plain.pdf.gz) >two.pdf
        at=$(grep -abo -m1 'stream' plain.pdf | head -1 | cut -d: -f1)
        cp plain.pdf damaged.pdf; printf '\\377\\377\\377' | dd of=damaged.pdf bs=1 seek=$((at + 40)) conv=notrunc status=none
        head -c $((at + 60)) plain.pdf >cut.pdf
        printf '%%PDF-1.4\\n1 0 obj << /Filter /Unheard /Length 3 >> stream\\nabc\\nendstream\\n' >other.pdf
        rm key der write.py"
    );
    shell(dir.path(), &script);
    let swept = sweep(dir.path(), &[]);
    let file = |name: &str| dir.path().join(name);
    assert_eq!(
        found(&swept, &file("open.pdf")),
        [in_pdf("a.key", KEY), in_pdf("b.der", CERTIFICATE)]
    );
    for name in ["closed.pdf", "closed.streams.pdf"] {
        assert_eq!(found(&swept, &file(name)), []);
        let [(reason, offset, _)] = &gaps(&swept, &file(name))[..] else {
            panic!("{name}")
        };
        assert_eq!((reason.as_str(), *offset), ("encrypted", Some(0)), "{name}");
    }
    let plain = [in_pdf("3 0", KEY), in_pdf("4 0", CERTIFICATE)];
    assert_eq!(found(&swept, &file("plain.pdf")), plain);
    let behind = found(&swept, &file("behind.pdf"));
    assert_eq!(behind.len(), 3, "{behind:?}");
    assert_eq!(
        found(&swept, &file("two.pdf")).len(),
        4,
        "an archive behind it is opened"
    );
    assert_eq!(found(&swept, &file("damaged.pdf")), plain[1..]);
    for (name, expected) in [
        ("damaged.pdf", "malformed"),
        ("cut.pdf", "truncated"),
        ("other.pdf", "unsupported"),
    ] {
        let told = gaps(&swept, &file(name));
        assert!(
            told.iter()
                .any(|(reason, _, inside)| reason == expected && inside[0]["type"] == "pdf"),
            "{name} {told:?}"
        );
    }
}

/// Numbers without order that are the same at each run.
fn numbers(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    }
}

#[test]
fn documents_and_databases_of_hostile_bytes_end() {
    let dir = open_directory();
    plant(KEY, dir.path(), "key");
    let script = format!(
        "{WRITER}
        python3 write.py x.pdf key:FlateDecode key:ASCII85Decode,LZWDecode key:ASCIIHexDecode,RunLengthDecode
        qpdf x.pdf --add-attachment key --filename=a -- --object-streams=disable y.pdf
        sqlite3 x.db \"PRAGMA page_size=512; CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
            INSERT INTO t SELECT i, readfile('key') || hex(randomblob(i * 20)) FROM n; CREATE INDEX x ON t(b); CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID; INSERT INTO w SELECT b FROM t\""
    );
    shell(dir.path(), &script);
    let marks: [&[u8]; 6] = [
        b"\xff\xff",
        b"\0\0",
        b"stream\n",
        b"obj<<",
        b"/EF<<",
        b"\r\x80",
    ];
    for (seed, name) in ["x.pdf", "y.pdf", "x.db"].iter().enumerate() {
        let whole = std::fs::read(dir.path().join(name)).unwrap();
        let mut next = numbers(u64::try_from(seed).unwrap());
        let (all, _) = keymuster::pipeline::examine(&whole, name.as_bytes());
        assert!(!all.is_empty(), "{name}");
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=next() % 8 {
                let at = next() % bytes.len();
                // The header of a database, and what stands around, more often than the rest.
                let at = if next().is_multiple_of(3) {
                    at % 700
                } else {
                    at
                };
                if next().is_multiple_of(2) {
                    bytes[at] = u8::try_from(next() % 256).unwrap();
                } else {
                    let mark = marks[next() % marks.len()];
                    let end = (at + mark.len()).min(bytes.len());
                    bytes[at..end].copy_from_slice(&mark[..end - at]);
                }
            }
            if next().is_multiple_of(4) {
                bytes.truncate(next() % bytes.len());
            }
            let (found, _) = keymuster::pipeline::examine(&bytes, name.as_bytes());
            assert!(found.len() <= 20 * all.len(), "{name}");
        }
    }
}
