//! Every kind of archive by itself, with all keys in it.

use super::plants::{Kind, compare, pack, plant_all, sweep};
use crate::support::open_directory;
use std::fs;

/// All kinds, as their own tools make them. Each must be one line here.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        ending: "ustar.tar",
        script: "tar --format=ustar -cf $1 *",
        chain: &["tar"],
    },
    Kind {
        ending: "pax.tar",
        script: "tar --format=pax -cf $1 .",
        chain: &["tar"],
    },
    Kind {
        ending: "gnu.tar",
        script: "tar --format=gnu -cf $1 *",
        chain: &["tar"],
    },
    Kind {
        ending: "two.tar",
        script: "{ ls | grep ^[a-p] || :; } | tar -cf $1 -T -; { ls | grep -v ^[a-p] || :; } | tar -cf $1.2 -T -; cat $1.2 >>$1 && rm $1.2",
        chain: &["tar"],
    },
    Kind {
        ending: "tar.gz",
        script: "tar -czf $1 *",
        chain: &["gzip", "tar"],
    },
    Kind {
        ending: "members.tar.gz",
        script: "tar -cf - * | split -b 100000 --filter='gzip -9' - >$1; head -c 1024 /dev/zero >>$1",
        chain: &["gzip", "tar"],
    },
    Kind {
        ending: "zip",
        script: "zip -qr $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "stored.zip",
        script: "zip -q0r $1.zip . && mv $1.zip $1",
        chain: &["zip"],
    },
    Kind {
        ending: "streamed.zip",
        script: "zip -qr - . | cat >$1",
        chain: &["zip"],
    },
    Kind {
        ending: "self-extracting.zip",
        script: "zip -qr $1.zip . && cat /bin/true $1.zip >$1 && rm $1.zip && zip -qA $1",
        chain: &["zip"],
    },
    Kind {
        ending: "solid.7z",
        script: "7z a -bso0 -bsp0 -ms=on $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
    Kind {
        ending: "files.7z",
        script: "7z a -bso0 -bsp0 -ms=off -mx=1 $1.7z . && mv $1.7z $1",
        chain: &["7z"],
    },
];

#[test]
fn every_key_is_found_in_every_kind() {
    let keys = open_directory();
    let planted = plant_all(keys.path());
    let archives = open_directory();
    for kind in KINDS {
        pack(
            kind,
            keys.path(),
            &archives.path().join(format!("x.{}", kind.ending)),
        );
    }
    let swept = sweep(archives.path(), &[]);
    for kind in KINDS {
        let file = archives.path().join(format!("x.{}", kind.ending));
        compare(&swept, &file, kind.chain, &planted);
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}

#[test]
fn closed_archives_are_told() {
    let keys = open_directory();
    plant_all(keys.path());
    let archives = open_directory();
    for kind in KINDS {
        pack(
            kind,
            keys.path(),
            &archives.path().join(format!("x.{}", kind.ending)),
        );
    }
    let swept = sweep(archives.path(), &["--shallow"]);
    let files = fs::read_dir(archives.path()).unwrap().count();
    let told = swept
        .gaps
        .iter()
        .filter(|gap| gap["reason"] == "not_swept" && gap["by_choice"] == true);
    assert_eq!(told.count(), files, "{:?}", swept.gaps);
    let inside = swept.found.values().flat_map(|found| found.keys());
    assert!(inside.into_iter().all(|(types, _)| types.is_empty()));
}
