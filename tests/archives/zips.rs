//! zip and 7z in what else they can be: methods, names, encryption, what stands around them, what contradicts.

use super::kinds::KINDS;
use super::plants::{Kind, compare, pack, plant_all, sweep};
use crate::support::{open_directory, plant};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Further kinds, which chains would take too long with.
const MORE: &[Kind] = &[
    Kind {
        ending: "jar",
        script: "jar -cf $1 .",
        chain: &["zip"],
    },
    Kind {
        ending: "zip64.zip",
        script: "zip -qr -fz $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "streamed.stored.zip",
        script: r#"python3 -c "
import os, sys, zipfile
class Pipe:
    write, flush = sys.stdout.buffer.write, sys.stdout.buffer.flush
with zipfile.ZipFile(Pipe(), 'w') as archive:
    for directory, _, names in os.walk('.'):
        for name in names: archive.write(os.path.join(directory, name))
" | cat >$1"#,
        chain: &["zip"],
    },
    Kind {
        ending: "force64.zip",
        script: r#"python3 - $1 <<'END'
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_LZMA) as archive:
    for directory, _, names in os.walk("."):
        for name in names:
            path = os.path.join(directory, name)
            with archive.open(zipfile.ZipInfo.from_file(path), "w", force_zip64=True) as member:
                member.write(open(path, "rb").read())
END"#,
        chain: &["zip"],
    },
    Kind {
        ending: "stored.run",
        script: "zip -q0r $1.zip . && { echo '#!/bin/sh'; cat $1.zip; } >$1 && rm $1.zip",
        chain: &["zip"],
    },
    Kind {
        ending: "bzip2.zip",
        script: "7z a -bso0 -bsp0 -tzip -mm=BZip2 $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "lzma.zip",
        script: "7z a -bso0 -bsp0 -tzip -mm=LZMA $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "deflate64.zip",
        script: "7z a -bso0 -bsp0 -tzip -mm=Deflate64 $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "stored.7z",
        script: "7z a -bso0 -bsp0 -m0=Copy $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "delta.7z",
        script: "7z a -bso0 -bsp0 -m0=Delta:4 -m1=LZMA $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "bcj2.7z",
        script: "7z a -bso0 -bsp0 -m0=BCJ2 -m1=LZMA:d=20 -m2=LZMA:d=17 -m3=LZMA:d=17 -mb0:1 -mb0s1:2 -mb0s2:3 $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "bcj.bzip2.7z",
        script: "7z a -bso0 -bsp0 -m0=BCJ -m1=BZip2 $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "deflate.7z",
        script: "7z a -bso0 -bsp0 -m0=Deflate $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "deflate64.7z",
        script: "7z a -bso0 -bsp0 -m0=Deflate64 -mhc=off $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
];

#[test]
fn every_key_is_found_in_further_kinds() {
    let keys = open_directory();
    let planted = plant_all(keys.path());
    let archives = open_directory();
    let file = |kind: &Kind| archives.path().join(format!("x.{}", kind.ending));
    for kind in MORE {
        pack(kind, keys.path(), &file(kind));
    }
    let swept = sweep(archives.path(), &[]);
    for kind in MORE {
        compare(&swept, &file(kind), kind.chain, &planted);
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}

fn shell(directory: &Path, script: &str) {
    let status = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
}

/// A directory with three keys as `1.pem`, `2.pem` and `3.pem`, on which the script was run; they are gone afterwards.
fn made_by(script: &str) -> (tempfile::TempDir, Vec<String>) {
    let dir = open_directory();
    let ids = ["p256", "p384", "ed25519"].map(|algorithm| {
        let fixture = format!("identity/{algorithm}/pkcs8.pem");
        let number = ["p256", "p384", "ed25519"]
            .iter()
            .position(|a| *a == algorithm);
        plant(
            &fixture,
            dir.path(),
            &format!("{}.pem", number.unwrap() + 1),
        );
        let told = crate::support::told(&fixture);
        told["key_id"].as_str().unwrap().to_owned()
    });
    shell(dir.path(), script);
    shell(dir.path(), "rm -f [123].pem");
    (dir, ids.to_vec())
}

/// The key, how deep it stands, the name of the member, and its offset there.
fn found(swept: &super::plants::Swept, file: &Path) -> Vec<(String, usize, String, u64)> {
    let mut found: Vec<_> = swept
        .found
        .get(file)
        .into_iter()
        .flatten()
        .flat_map(|((types, name), told)| {
            told.iter()
                .map(|(_, id, offset)| (id.clone(), types.len(), name.clone(), *offset))
        })
        .collect();
    found.sort();
    found
}

/// Reason and name of the member of each gap of a file.
fn gaps(swept: &super::plants::Swept, file: &Path) -> Vec<(String, String)> {
    let of_file = swept
        .gaps
        .iter()
        .filter(|gap| gap["path"] == file.to_str().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut gaps: Vec<_> = of_file
        .map(|gap| {
            let inside = gap["inside"].as_array();
            let name = inside
                .and_then(|inside| inside.last())
                .map(|m| text(&m["name"]));
            (text(&gap["reason"]), name.unwrap_or_default())
        })
        .collect();
    gaps.sort();
    gaps
}

fn pair(reason: &str, name: &str) -> (String, String) {
    (reason.to_owned(), name.to_owned())
}

#[test]
fn encrypted_members_are_told_by_name() {
    let (dir, ids) = made_by(
        "zip -q -P secret crypto.zip 1.pem; zip -q crypto.zip 2.pem; \
         7z a -bso0 -bsp0 -tzip -mem=AES256 -psecret aes.zip 1.pem 2.pem; \
         zip -q -P secret - 1.pem | cat >streamed.zip; \
         7z a -bso0 -bsp0 -psecret names.7z 1.pem 2.pem; 7z a -bso0 -bsp0 -mhe=on -psecret hidden.7z 1.pem",
    );
    let swept = sweep(dir.path(), &[]);
    let of = |name: &str| gaps(&swept, &dir.path().join(name));
    assert_eq!(of("crypto.zip"), [pair("encrypted", "1.pem")]);
    let both = [pair("encrypted", "1.pem"), pair("encrypted", "2.pem")];
    assert_eq!(of("aes.zip"), both);
    assert_eq!(of("streamed.zip"), [pair("encrypted", "1.pem")]);
    assert_eq!(of("names.7z"), both);
    assert_eq!(of("hidden.7z"), [pair("encrypted", "")]);
    let open = found(&swept, &dir.path().join("crypto.zip"));
    assert_eq!(open, [(ids[1].clone(), 1, "2.pem".to_owned(), 0)]);
    let details: Vec<_> = swept
        .gaps
        .iter()
        .map(|gap| gap["detail"].as_str().unwrap())
        .collect();
    assert!(
        details.contains(&"zip: encrypted with AES-256"),
        "{details:?}"
    );
    assert!(
        details.contains(&"zip: encrypted with ZipCrypto"),
        "{details:?}"
    );
}

#[test]
fn a_program_before_an_archive_is_searched_and_nothing_told_twice() {
    let (dir, ids) = made_by(
        "zip -q0 x.zip 1.pem; cat /bin/true 2.pem x.zip 3.pem >program; cp program moved; zip -qA moved; \
         { echo '#!/bin/sh'; cat 2.pem x.zip; } >script; { printf 'MZ'; cat 2.pem x.zip; } >setup.exe; rm x.zip",
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let program = fs::metadata("/bin/true").unwrap().len();
    for (name, start, last) in [
        ("program", program, true),
        ("moved", program, false),
        ("script", 10, false),
        ("setup.exe", 2, false),
    ] {
        let file = dir.path().join(name);
        let mut expected = vec![
            (ids[0].clone(), 1, "1.pem".to_owned(), 0),
            (ids[1].clone(), 0, String::new(), start),
        ];
        if last {
            let size = fs::metadata(&file).unwrap().len();
            let key = fs::metadata("fixtures/identity/ed25519/pkcs8.pem")
                .unwrap()
                .len();
            expected.push((ids[2].clone(), 0, String::new(), size - key));
        }
        expected.sort();
        let mut found = found(&swept, &file);
        found.retain(|found| last || found.0 != ids[2]);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn names_are_told_in_each_encoding() {
    let (dir, ids) = made_by(
        r#"python3 - <<'END'
import zipfile
def write(path, names, host):
    class Info(zipfile.ZipInfo):
        def _encodeFilenameFlags(self): return self.raw, 0
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in names:
            info = Info("x")
            info.raw, info.create_system = name, host
            archive.writestr(info, open(source, "rb").read())
write("dos.zip", [("Schlüssel.pem".encode("cp437"), "1.pem")], 0)
write("unix.zip", [(b"\xe4\xff.pem", "2.pem")], 3)
write("utf8.zip", [("ключ.pem".encode(), "3.pem")], 3)
END"#,
    );
    let swept = sweep(dir.path(), &[]);
    let name = |file: &str| found(&swept, &dir.path().join(file)).remove(0);
    assert_eq!(
        name("dos.zip"),
        (ids[0].clone(), 1, "Schlüssel.pem".into(), 0)
    );
    assert_eq!(name("unix.zip").2, "\u{fffd}\u{fffd}.pem");
    assert_eq!(name("utf8.zip").2, "ключ.pem");
}

#[test]
fn what_the_directory_does_not_list_is_found() {
    let (dir, ids) = made_by(
        r#"zip -q 1.zip 1.pem; zip -q 2.zip 2.pem; cat 1.zip 2.zip >two.zip; rm [12].zip
zip -q x.zip 1.pem 2.pem; zip -q0 y.zip 3.pem
python3 - <<'END'
import zipfile, struct
# A member between the first member and the directory, which lists only the others.
listed, hidden = open("x.zip", "rb").read(), open("y.zip", "rb").read()
start = listed.index(b"PK\1\2")
local = hidden[:hidden.index(b"PK\1\2")]
end = bytearray(listed[-22:])
end[16:20] = struct.pack("<I", start + len(local))
open("hidden.zip", "wb").write(listed[:start] + local + listed[start:-22] + end)
with zipfile.ZipFile("comment.zip", "w") as archive:
    info = zipfile.ZipInfo("empty")
    info.comment = open("1.pem", "rb").read()
    archive.writestr(info, b"")
    archive.comment = open("2.pem", "rb").read()
END
rm [xy].zip"#,
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let of = |name: &str| {
        let mut all: Vec<_> = found(&swept, &dir.path().join(name))
            .into_iter()
            .map(|(id, depth, name, _)| (ids.iter().position(|i| *i == id).unwrap(), depth, name))
            .collect();
        all.sort();
        all
    };
    let member = |number: usize| (number, 1, format!("{}.pem", number + 1));
    assert_eq!(of("two.zip"), [member(0), member(1)]);
    assert_eq!(of("hidden.zip"), [member(0), member(1), member(2)]);
    assert_eq!(
        of("comment.zip"),
        [(0, 0, String::new()), (1, 0, String::new())]
    );
}

#[test]
fn a_local_header_that_contradicts_is_told_and_read_both_ways() {
    let (dir, ids) = made_by(
        r#"zip -q0 x.zip 1.pem 2.pem
python3 - <<'END'
import struct
# The directory says that the first member is empty; its local header knows better.
data = bytearray(open("x.zip", "rb").read())
record = data.index(b"PK\1\2")
data[record + 20:record + 28] = bytes(8)
open("less.zip", "wb").write(data)
data = bytearray(open("x.zip", "rb").read())
data[30:35] = b"a.pem"
open("name.zip", "wb").write(data)
END
rm x.zip"#,
    );
    let swept = sweep(dir.path(), &[]);
    for name in ["less.zip", "name.zip"] {
        let file: PathBuf = dir.path().join(name);
        let found: Vec<_> = found(&swept, &file)
            .into_iter()
            .map(|f| (f.0, f.1))
            .collect();
        let mut expected = vec![(ids[0].clone(), 1), (ids[1].clone(), 1)];
        expected.sort();
        assert_eq!(found, expected, "{name}");
        assert_eq!(gaps(&swept, &file), [pair("malformed", "1.pem")], "{name}");
    }
}

#[test]
fn keys_around_damage_are_found() {
    let (dir, ids) = made_by(
        r#"seq 1 40000 | sort -R --random-source=/bin/true >big
for zip in "zip -q" "zip -q0"; do
  name=${zip// /}
  $zip $name.cut.zip 1.pem 2.pem big; head -c 30000 $name.cut.zip >$name.cut; rm $name.cut.zip
  $zip $name.spoilt.zip 1.pem big 2.pem
  printf 'XXXX' | dd of=$name.spoilt.zip bs=1 seek=20000 conv=notrunc status=none
done
zip -q - 1.pem big 2.pem | cat >big.zip; head -c 40000 big.zip >streamed.cut; rm big.zip
7z a -bso0 -bsp0 -ms=off -mx=1 spoilt.7z 1.pem big 2.pem
printf 'XXXX' | dd of=spoilt.7z bs=1 seek=20000 conv=notrunc status=none
7z a -bso0 -bsp0 x.7z 1.pem big; head -c 10000 x.7z >cut.7z; rm big x.7z"#,
    );
    let swept = sweep(dir.path(), &[]);
    let of = |name: &str| {
        let file = dir.path().join(name);
        let mut numbers: Vec<_> = found(&swept, &file)
            .iter()
            .map(|found| ids.iter().position(|id| *id == found.0).unwrap() + 1)
            .collect();
        numbers.sort_unstable();
        (numbers, gaps(&swept, &file))
    };
    let cut = vec![pair("truncated", ""), pair("truncated", "big")];
    for name in ["zip-q.cut", "zip-q0.cut"] {
        assert_eq!(of(name), (vec![1, 2], cut.clone()), "{name}");
    }
    for name in ["zip-q.spoilt.zip", "zip-q0.spoilt.zip", "spoilt.7z"] {
        assert_eq!(
            of(name),
            (vec![1, 2], vec![pair("malformed", "big")]),
            "{name}"
        );
    }
    let (numbers, gaps) = of("streamed.cut");
    assert_eq!(numbers, [1]);
    assert!(
        gaps.iter().all(|(reason, _)| reason == "truncated"),
        "{gaps:?}"
    );
    assert_eq!(of("cut.7z"), (vec![], vec![pair("truncated", "")]));
}

#[test]
fn an_archive_larger_than_what_is_kept_of_a_stream_is_read_in_order() {
    let (dir, ids) = made_by(
        "head -c 70000000 /dev/urandom >big; zip -q0 x.zip 1.pem big 2.pem; zip -q - 1.pem big 2.pem | cat >y.zip; \
         gzip -1 x.zip y.zip; rm big",
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    for name in ["x.zip.gz", "y.zip.gz"] {
        let found: Vec<_> = found(&swept, &dir.path().join(name))
            .into_iter()
            .map(|(id, depth, name, _)| (id, depth, name))
            .collect();
        let mut expected = vec![
            (ids[0].clone(), 2, "1.pem".to_owned()),
            (ids[1].clone(), 2, "2.pem".to_owned()),
        ];
        expected.sort();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_kinds_in_chains_are_not_all() {
    let is_one = |kind: &&Kind| matches!(kind.chain, ["zip" | "7z"]);
    assert!(KINDS.iter().any(|kind| is_one(&kind)));
    assert!(
        MORE.iter()
            .all(|more| KINDS.iter().all(|kind| kind.ending != more.ending))
    );
}
