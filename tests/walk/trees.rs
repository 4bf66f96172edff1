//! Trees with all that a file system can hold.

use super::{Gather, as_nobody, is_superuser, options, plant, walked};
use keymuster::model::GapReason;
use keymuster::walk::{HostRoot, OpenFile, Progress, Visitor, WalkOptions, survey, walk};
use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn fifos_sockets_devices_and_links_are_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["a/file", "file"]);
    let node = |name, kind, dev| mknodat(CWD, dir.path().join(name), kind, Mode::RUSR, dev);
    node("fifo", FileType::Fifo, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    if is_superuser() {
        node("null", FileType::CharacterDevice, rustix::fs::makedev(1, 3)).unwrap();
        node("block", FileType::BlockDevice, rustix::fs::makedev(7, 200)).unwrap();
    }
    symlink("loop", dir.path().join("loop")).unwrap();
    symlink("..", dir.path().join("a/up")).unwrap();
    symlink("/etc/passwd", dir.path().join("out")).unwrap();
    let walked = walked(dir.path(), &["/"], &options());
    assert_eq!(walked.paths(), ["/a/file", "/file"]);
    assert_eq!(walked.files[&b"/a/file"[..]], b"a/file");
    assert_eq!(walked.gaps(), []);
    assert_eq!(walked.outcome.links.len(), 3);
    assert_eq!(walked.outcome.directories, 2);
}

#[test]
fn what_may_not_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    plant(
        dir.path(),
        &["open", "closed", "shut/inside", "blind/inside"],
    );
    let set = |name: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(dir.path().join(name), mode).unwrap();
    };
    set("closed", 0o000);
    set("shut", 0o000);
    set("blind", 0o744);
    set("", 0o755);
    let walked = as_nobody(|| walked(dir.path(), &["/", "/none"], &options()));
    let denied = |path| {
        (
            path,
            GapReason::PermissionDenied,
            "Permission denied (os error 13)",
        )
    };
    if is_superuser() {
        assert_eq!(
            walked.gaps(),
            [
                denied("/blind/inside"),
                denied("/closed"),
                (
                    "/none",
                    GapReason::IoError,
                    "No such file or directory (os error 2)"
                ),
                denied("/shut"),
            ]
        );
        // Nobody does not own these files, so the kernel refuses to leave their access times alone.
        assert!(walked.outcome.noatime_refused);
        assert_eq!(walked.paths(), ["/open"]);
    } else {
        // The owner may enter its own `blind`.
        assert_eq!(walked.gaps().len(), 3);
        assert!(!walked.outcome.noatime_refused);
    }
    set("shut", 0o755);
}

#[test]
fn access_times_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["a/file"]);
    let old = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 1_000_000,
            tv_nsec: 0,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: 2_000_000,
            tv_nsec: 0,
        },
    };
    for path in ["a", "a/file"] {
        let path = dir.path().join(path);
        rustix::fs::utimensat(CWD, &path, &old, rustix::fs::AtFlags::empty()).unwrap();
    }
    let walked = walked(dir.path(), &["/"], &options());
    assert_eq!(walked.paths(), ["/a/file"]);
    assert!(!walked.outcome.noatime_refused);
    for path in ["a", "a/file"] {
        let found = std::fs::metadata(dir.path().join(path)).unwrap();
        assert_eq!(found.atime(), 1_000_000, "{path}");
    }
}

#[test]
fn hard_links_are_read_once_and_all_their_paths_are_told() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["m/first", "z/other"]);
    for link in ["a", "m/b", "z/c"] {
        std::fs::hard_link(dir.path().join("m/first"), dir.path().join(link)).unwrap();
    }
    for _ in 0..20 {
        let walked = walked(dir.path(), &["/"], &options());
        assert_eq!(walked.files.len(), 2);
        let path = walked
            .files
            .keys()
            .find(|p| !p.ends_with(b"other"))
            .unwrap();
        let all = walked.outcome.aliases.paths_of(path).unwrap();
        assert_eq!(all, [&b"/a"[..], b"/m/b", b"/m/first", b"/z/c"]);
        assert_eq!(&*walked.outcome.aliases.canonical(path), b"/a");
        assert_eq!(walked.outcome.aliases.paths_of(b"/z/other"), None);
    }
}

#[test]
fn links_are_told_of_the_files_that_they_end_at() {
    let dir = tempfile::tempdir().unwrap();
    plant(
        dir.path(),
        &[
            "etc/letsencrypt/archive/x/privkey1.pem",
            "usr/share/ca/name.crt",
            "vol/..2024/tls.key",
        ],
    );
    std::fs::create_dir_all(dir.path().join("etc/letsencrypt/live/x")).unwrap();
    std::fs::create_dir_all(dir.path().join("etc/ssl/certs")).unwrap();
    for (target, link) in [
        (
            "../../archive/x/privkey1.pem",
            "etc/letsencrypt/live/x/privkey.pem",
        ),
        ("name.pem", "etc/ssl/certs/0123abcd.0"),
        ("/usr/share/ca/name.crt", "etc/ssl/certs/name.pem"),
        ("..2024", "vol/..data"),
        ("..data/tls.key", "vol/tls.key"),
        ("circle", "circle"),
    ] {
        symlink(target, dir.path().join(link)).unwrap();
    }
    let walked = walked(dir.path(), &["/"], &options());
    let found: BTreeSet<Vec<u8>> = walked.files.keys().cloned().collect();
    assert_eq!(found.len(), 3);
    let told = walked
        .outcome
        .links
        .to_files(&found, &walked.outcome.aliases, false);
    let expected: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = [
        (
            "/etc/letsencrypt/archive/x/privkey1.pem",
            vec!["/etc/letsencrypt/live/x/privkey.pem"],
        ),
        (
            "/usr/share/ca/name.crt",
            vec!["/etc/ssl/certs/0123abcd.0", "/etc/ssl/certs/name.pem"],
        ),
        ("/vol/..2024/tls.key", vec!["/vol/tls.key"]),
    ]
    .into_iter()
    .map(|(file, links)| (file.into(), links.into_iter().map(Vec::from).collect()))
    .collect();
    assert_eq!(told, expected);
}

/// Ends what runs beside a test, also when the test fails.
struct Beside<'a>(&'a AtomicBool);

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts files and checks that none lies outside.
struct Inside {
    files: u64,
    vanished: u64,
}

impl Visitor for Inside {
    fn file(&mut self, file: &OpenFile<'_>) {
        let mut content = [0; 64];
        let n = file.read_at(&mut content, 0).unwrap();
        assert_ne!(&content[..n], b"outside", "{:?}", file.path());
        self.files += 1;
    }

    fn gap(&mut self, gap: keymuster::model::Gap) {
        assert_eq!(gap.reason, GapReason::Vanished, "{gap:?}");
        self.vanished += 1;
    }
}

#[test]
fn a_directory_swapped_for_a_link_is_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for i in 0..20 {
        plant(
            &root,
            &[&format!("d/swap/{i}/file"), &format!("d/swap/file{i}")],
        );
        plant(
            &dir.path().join("outside"),
            &[&format!("{i}/file"), &format!("file{i}")],
        );
        for name in [format!("{i}/file"), format!("file{i}")] {
            std::fs::write(dir.path().join("outside").join(name), "outside").unwrap();
        }
    }
    symlink("../../outside", root.join("d/link")).unwrap();
    let done = AtomicBool::new(false);
    let (mut files, mut vanished, mut rounds) = (0, 0, 0);
    std::thread::scope(|threads| {
        let _beside = Beside(&done);
        threads.spawn(|| {
            use rustix::fs::{RenameFlags, renameat_with};
            let (a, b) = (root.join("d/swap"), root.join("d/link"));
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &a, CWD, &b, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            let host = HostRoot::open(&root).unwrap();
            let make = || Inside {
                files: 0,
                vanished: 0,
            };
            let all = [b"/".to_vec()];
            let walked = walk(&host, &all, &options(), &Progress::default(), make).unwrap();
            files += walked.visitors.iter().map(|v| v.files).sum::<u64>();
            vanished += walked.visitors.iter().map(|v| v.vanished).sum::<u64>();
            rounds += 1;
        }
    });
    assert!(rounds > 10 && files > 40, "{rounds} rounds, {files} files");
    assert!(vanished > 0, "the swap was never met in {rounds} rounds");
}

#[test]
fn files_that_come_and_go_end_no_walk() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..300 {
        plant(dir.path(), &[&format!("d/stay{i}")]);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let _beside = Beside(&done);
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for i in 0..50 {
                    std::fs::write(dir.path().join(format!("d/go{i}")), "x").unwrap();
                }
                for i in 0..50 {
                    std::fs::remove_file(dir.path().join(format!("d/go{i}"))).unwrap();
                }
            }
        });
        for _ in 0..50 {
            let walked = walked(dir.path(), &["/"], &options());
            let stayed = walked
                .paths()
                .iter()
                .filter(|p| p.starts_with("/d/stay"))
                .count();
            assert_eq!(stayed, 300);
            assert!(
                walked
                    .gaps
                    .iter()
                    .all(|gap| gap.reason == GapReason::Vanished)
            );
        }
    });
}

#[test]
fn a_tree_of_two_thousand_levels_is_walked_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut at = openat(CWD, dir.path(), OFlags::RDONLY, Mode::empty()).unwrap();
    let mut expected = Vec::new();
    let mut path = Vec::new();
    for level in 0..2_000 {
        let name = format!("level-{level}");
        mkdirat(&at, &name, Mode::RWXU).unwrap();
        at = openat(&at, &name, OFlags::RDONLY, Mode::empty()).unwrap();
        path.extend_from_slice(format!("/{name}").as_bytes());
        if level % 100 == 99 {
            // A second directory at some levels: they wait until the deep one is done.
            mkdirat(&at, "aside", Mode::RWXU).unwrap();
            let flags = OFlags::WRONLY | OFlags::CREATE;
            openat(&at, "aside/file", flags, Mode::RUSR).unwrap();
            expected.push([&path, &b"/aside/file"[..]].concat());
        }
    }
    expected.sort();
    let walked = walked(dir.path(), &["/"], &options());
    assert_eq!(walked.gaps(), []);
    assert_eq!(walked.files.into_keys().collect::<Vec<_>>(), expected);
    assert_eq!(walked.outcome.directories, 2_021);
    assert!(expected.last().unwrap().len() > 2 * 4096);
}

#[test]
fn large_directories_are_shared_out_and_complete() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10_000 {
        std::fs::write(dir.path().join(format!("file-{i}")), "").unwrap();
    }
    for i in 0..1_000 {
        std::fs::create_dir(dir.path().join(format!("dir-{i}"))).unwrap();
    }
    let walked = walked(dir.path(), &["/"], &options());
    assert_eq!(walked.files.len(), 10_000);
    assert_eq!(walked.outcome.directories, 1_001);
}

#[test]
fn names_that_are_not_utf8_survive() {
    let dir = tempfile::tempdir().unwrap();
    let names: [&[u8]; 3] = [b"\xff\xfe", b"new\nline", b"esc\x1b[31m"];
    for name in names {
        let sub = dir.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir(&sub).unwrap();
        std::fs::write(sub.join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    let walked = walked(dir.path(), &["/"], &options());
    for name in names {
        assert!(
            walked
                .files
                .contains_key(&[b"/", name, b"/", name].concat())
        );
    }
    let limited = WalkOptions {
        max_depth: Some(1),
        ..options()
    };
    let limited = super::walked(dir.path(), &["/"], &limited);
    let exact = limited
        .gaps
        .iter()
        .find_map(|gap| gap.path_bytes.as_deref());
    assert_eq!(exact, Some("L//+"), "base64 of /\\xff\\xfe");
}

/// Follows `next_data` through a file.
#[derive(Default)]
struct Data(Vec<(u64, u64)>);

impl Visitor for Data {
    fn file(&mut self, file: &OpenFile<'_>) {
        let size = file.facts().size;
        let (mut at, mut buffer) = (0, [0; 4096]);
        while let Some(start) = file.next_data(at).unwrap() {
            let n = file.read_at(&mut buffer, start).unwrap();
            assert!(n > 0);
            at = start + u64::try_from(n).unwrap();
            self.0.push((start, at));
        }
        assert!(size > 10 << 30 && file.facts().allocated < 1 << 20);
    }

    fn gap(&mut self, gap: keymuster::model::Gap) {
        panic!("{gap:?}");
    }
}

#[test]
fn holes_of_a_sparse_file_are_skipped() {
    use std::os::unix::fs::FileExt as _;
    let dir = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(dir.path().join("sparse")).unwrap();
    file.write_all_at(b"data", 5 << 30).unwrap();
    file.set_len((10 << 30) + 1).unwrap();
    let host = HostRoot::open(dir.path()).unwrap();
    let all = [b"/".to_vec()];
    let walked = walk(&host, &all, &options(), &Progress::default(), Data::default).unwrap();
    let data: Vec<_> = walked.visitors.into_iter().flat_map(|v| v.0).collect();
    assert_eq!(data, [(5 << 30, (5 << 30) + 4096)]);
}

#[test]
fn the_stop_flag_ends_a_walk() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &["a/b", "c"]);
    let options = options();
    options.stop.store(true, Ordering::Relaxed);
    let walked = walked(dir.path(), &["/"], &options);
    assert!(walked.outcome.stopped);
    assert!(walked.files.is_empty());
}

#[test]
fn usr_is_covered_as_find_covers_it() {
    let find = |tests: &[&str]| {
        let mut find = std::process::Command::new("find");
        let found = find.args(["/usr", "-xdev"]).args(tests).output().unwrap();
        assert!(found.status.success());
        String::from_utf8(found.stdout).unwrap()
    };
    let single = find(&["-type", "f", "-links", "1", "-printf", "x\n"])
        .lines()
        .count();
    let several = find(&["-type", "f", "-links", "+1", "-printf", "%D %i\n"]);
    let several: BTreeSet<&str> = several.lines().collect();
    let directories = find(&["-type", "d", "-printf", "x\n"]).lines().count();
    let expected = u64::try_from(single + several.len()).unwrap();
    let options = WalkOptions {
        one_file_system: true,
        ..options()
    };
    let host = HostRoot::open(Path::new("/")).unwrap();
    let usr = [b"/usr".to_vec()];
    let counted = survey(&host, &usr, &options, &Progress::default()).unwrap();
    assert_eq!(counted.files, expected);
    assert_eq!(counted.directories, u64::try_from(directories).unwrap());
    let walked = walk(&host, &usr, &options, &Progress::default(), Gather::default).unwrap();
    let denied: usize = walked.visitors.iter().map(|v| v.gaps.len()).sum();
    assert_eq!(walked.files + u64::try_from(denied).unwrap(), expected);
    assert!(expected > 1_000);
}
