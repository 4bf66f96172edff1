//! What belongs to a walk: roots, depth, exclusions, our own outputs.

use super::{options, plant, walked};
use keymuster::model::GapReason;
use keymuster::walk::{
    HostRoot, OpenFile, Progress, Visitor, WalkError, WalkOptions, survey, walk,
};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

#[test]
fn the_depth_limit_names_what_lies_below_it() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["f", "a/f", "a/b/f", "a/b/c/f"]);
    let at = |depth| {
        let options = WalkOptions {
            max_depth: Some(depth),
            ..options()
        };
        walked(dir.path(), &["/"], &options)
    };
    let two = at(2);
    assert_eq!(two.paths(), ["/a/f", "/f"]);
    let detail = "deeper than --max-depth 2";
    assert_eq!(two.gaps(), [("/a/b", GapReason::NotSwept, detail)]);
    assert!(two.gaps[0].by_choice);
    assert_eq!(at(9).files.len(), 4);
    assert_eq!(at(0).gaps().len(), 1);
}

#[test]
fn excluded_paths_are_named() {
    let dir = tempfile::tempdir().unwrap();
    plant(
        dir.path(),
        &["a/x.iso", "a/y", "cache/z", "b/cache", "b/deep/er/file"],
    );
    let exclude = ["*.iso", "cache/", "/b/deep/*"].map(str::to_owned).to_vec();
    let options = WalkOptions {
        exclude,
        ..options()
    };
    let walked = walked(dir.path(), &["/"], &options);
    assert_eq!(walked.paths(), ["/a/y", "/b/cache"]);
    assert_eq!(
        walked.gaps(),
        [
            ("/a/x.iso", GapReason::NotSwept, "excluded by *.iso"),
            ("/b/deep/er", GapReason::NotSwept, "excluded by /b/deep/*"),
            ("/cache", GapReason::NotSwept, "excluded by cache/"),
        ]
    );
    assert!(walked.gaps.iter().all(|gap| gap.by_choice));
    let host = HostRoot::open(dir.path()).unwrap();
    let wrong = WalkOptions {
        exclude: vec!["[".to_owned()],
        ..WalkOptions::default()
    };
    let refused = survey(&host, &[], &wrong, &Progress::default());
    assert!(matches!(refused, Err(WalkError::Pattern { .. })));
}

#[test]
fn roots_may_overlap_be_links_or_files() {
    let dir = tempfile::tempdir().unwrap();
    plant(
        dir.path(),
        &["usr/lib/f", "usr/lib/sub/g", "etc/one", "etc/two"],
    );
    symlink("usr/lib", dir.path().join("lib")).unwrap();
    let roots = ["/lib", "/usr", "/usr/lib/sub", "/etc/one", "/usr/"];
    let walked = walked(dir.path(), &roots, &options());
    assert_eq!(walked.paths(), ["/etc/one", "/usr/lib/f", "/usr/lib/sub/g"]);
    assert_eq!(walked.gaps(), []);
    assert!(walked.outcome.aliases.is_empty());
}

#[test]
fn our_own_outputs_are_passed_over_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["sweep.jsonl", "other"]);
    let own = std::fs::metadata(dir.path().join("sweep.jsonl")).unwrap();
    let options = WalkOptions {
        never: vec![(own.dev(), own.ino())],
        ..options()
    };
    let walked = walked(dir.path(), &["/"], &options);
    assert_eq!(walked.paths(), ["/other"]);
    assert_eq!(walked.gaps(), []);
}

#[test]
fn a_survey_counts_what_a_walk_reads() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["a/12345", "b", "c/d/e"]);
    std::fs::hard_link(dir.path().join("b"), dir.path().join("b2")).unwrap();
    let host = HostRoot::open(dir.path()).unwrap();
    let options = WalkOptions {
        exclude: vec!["d".to_owned()],
        ..options()
    };
    let counted = survey(&host, &[b"/".to_vec()], &options, &Progress::default()).unwrap();
    assert_eq!(
        (counted.directories, counted.files, counted.bytes),
        (3, 2, 8)
    );
    assert_eq!(counted.gaps[0].path, "/c/d");
}

/// Remembers the directory chain of each file.
#[derive(Default)]
struct Chains(Vec<Vec<(Vec<u8>, u32)>>);

impl Visitor for Chains {
    fn file(&mut self, file: &OpenFile<'_>) {
        assert_eq!(file.file_name(), b"key");
        assert_eq!((file.facts().size, file.facts().nlink), (3, 1));
        let chain = file.directory().ancestors();
        self.0
            .push(chain.map(|d| (d.path(), d.facts().mode)).collect());
    }

    fn gap(&mut self, gap: keymuster::model::Gap) {
        panic!("{gap:?}");
    }
}

#[test]
fn the_directories_above_a_file_are_known_up_to_the_hosts_root() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["home/u/.ssh/key"]);
    std::fs::write(dir.path().join("home/u/.ssh/key"), "abc").unwrap();
    let modes = [
        ("", 0o755),
        ("home", 0o751),
        ("home/u", 0o2750),
        ("home/u/.ssh", 0o700),
    ];
    for (path, mode) in modes {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(dir.path().join(path), mode).unwrap();
    }
    let host = HostRoot::open(dir.path()).unwrap();
    for root in ["/", "/home/u", "/home/u/.ssh/key"] {
        let roots = [root.as_bytes().to_vec()];
        let walked = walk(
            &host,
            &roots,
            &options(),
            &Progress::default(),
            Chains::default,
        );
        let chains: Vec<_> = walked
            .unwrap()
            .visitors
            .into_iter()
            .flat_map(|v| v.0)
            .collect();
        let expected = [
            (b"/home/u/.ssh".to_vec(), 0o700),
            (b"/home/u".to_vec(), 0o2750),
            (b"/home".to_vec(), 0o751),
            (b"/".to_vec(), 0o755),
        ];
        assert_eq!(chains, [expected.to_vec()], "{root}");
    }
}
