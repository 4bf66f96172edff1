//! Mounts: each test runs in a mount namespace of its own, so that nothing remains.

use super::{is_superuser, options, plant, walked};
use keymuster::model::GapReason;
use keymuster::walk::WalkOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the named test of this program again in a mount namespace of its own; there, an empty directory to mount in.
///
/// The directory is made and removed out here: inside, what is mounted could not be removed.
fn in_own_namespace(test: &str) -> Option<PathBuf> {
    const DIRECTORY: &str = "KEYMUSTER_TEST_NAMESPACE";
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return Some(directory.into());
    }
    let directory = tempfile::tempdir().unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(if is_superuser() {
        &["-m"][..]
    } else {
        &["-m", "-r"]
    });
    let output = unshare
        .arg("--propagation=private")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DIRECTORY, directory.path())
        .output()
        .expect("unshare (package util-linux) must be installed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "in a mount namespace (needs root, or user namespaces): {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    None
}

fn mount(arguments: &[&str], point: &Path) {
    let status = Command::new("mount").args(arguments).arg(point).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "mount {arguments:?} must be permitted: run as root, or with user namespaces"
    );
}

#[test]
fn bind_mounts_are_read_once_and_told_twice() {
    let test = "walk::mounts::bind_mounts_are_read_once_and_told_twice";
    let Some(dir) = in_own_namespace(test) else {
        return;
    };
    plant(&dir, &["m/f", "m/sub/deep/g", "z/x", "n/h", "single"]);
    std::fs::hard_link(dir.join("n/h"), dir.join("m/hard")).unwrap();
    plant(&dir, &["a/.keep", "q/single"]);
    std::fs::remove_file(dir.join("a/.keep")).unwrap();
    let source = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    mount(&["--bind", &source("m")], &dir.join("a"));
    mount(&["--bind", &source("single")], &dir.join("q/single"));
    for _ in 0..20 {
        let walked = walked(&dir, &["/"], &options());
        let aliases = &walked.outcome.aliases;
        let mut told: Vec<Vec<String>> = Vec::new();
        for path in walked.files.keys() {
            let paths = aliases.paths_of(path).unwrap_or_else(|| vec![path.clone()]);
            let paths = paths.iter();
            told.push(
                paths
                    .map(|p| String::from_utf8_lossy(p).into_owned())
                    .collect(),
            );
        }
        told.sort();
        assert_eq!(
            told,
            [
                vec!["/a/f", "/m/f"],
                vec!["/a/hard", "/m/hard", "/n/h"],
                vec!["/a/sub/deep/g", "/m/sub/deep/g"],
                vec!["/q/single", "/single"],
                vec!["/z/x"],
            ]
        );
        assert_eq!(walked.gaps(), []);
    }
    // What is excluded at one path is read at the other, and only that is told.
    for excluded in ["/a/*", "/m/*"] {
        let options = WalkOptions {
            exclude: vec![excluded.to_owned()],
            ..options()
        };
        let walked = walked(&dir, &["/"], &options);
        let other = if excluded == "/a/*" { "/m" } else { "/a" };
        assert!(walked.paths().contains(&format!("{other}/f")), "{excluded}");
        let path = format!("{other}/f");
        assert_eq!(walked.outcome.aliases.paths_of(path.as_bytes()), None);
    }
}

#[test]
fn a_merged_overlay_is_read_once() {
    let test = "walk::mounts::a_merged_overlay_is_read_once";
    let Some(dir) = in_own_namespace(test) else {
        return;
    };
    // Layers and work directory must not lie on an overlay themselves, as in a container: a tmpfs of its own.
    mount(&["-t", "tmpfs", "none"], &dir);
    plant(
        &dir,
        &["lower/same", "lower/sub/deep", "lower/changed", "upper/new"],
    );
    std::fs::create_dir(dir.join("work")).unwrap();
    std::fs::create_dir(dir.join("merged")).unwrap();
    let layer = |name: &str| dir.join(name).display().to_string();
    let (lower, upper, work) = (layer("lower"), layer("upper"), layer("work"));
    let layers = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    mount(
        &["-t", "overlay", "overlay", "-o", &layers],
        &dir.join("merged"),
    );
    std::fs::write(dir.join("merged/changed"), "otherwise").unwrap();
    for _ in 0..20 {
        let walked = walked(&dir, &["/"], &options());
        let contents: Vec<&[u8]> = walked.files.values().map(Vec::as_slice).collect();
        for content in [
            &b"lower/same"[..],
            b"lower/sub/deep",
            b"upper/new",
            b"lower/changed",
        ] {
            let times = contents.iter().filter(|found| **found == content).count();
            assert_eq!(times, 1, "{:?}", String::from_utf8_lossy(content));
        }
        assert!(contents.contains(&&b"otherwise"[..]));
        let path = walked
            .files
            .iter()
            .find(|(_, c)| *c == b"lower/same")
            .unwrap()
            .0;
        let paths = walked.outcome.aliases.paths_of(path).unwrap();
        assert_eq!(paths, [&b"/lower/same"[..], b"/merged/same"]);
        // A file that was copied up is not the lower one, though it keeps its inode number.
        let lower = walked.outcome.aliases.paths_of(b"/lower/changed");
        assert_eq!(lower, None);
    }
}

#[test]
fn pseudo_file_systems_are_not_entered_and_others_only_when_asked() {
    let test = "walk::mounts::pseudo_file_systems_are_not_entered_and_others_only_when_asked";
    let Some(dir) = in_own_namespace(test) else {
        return;
    };
    for name in ["proc", "my tmp", "dev"] {
        std::fs::create_dir(dir.join(name)).unwrap();
    }
    mount(&["-t", "tmpfs", "none"], &dir.join("my tmp"));
    mount(&["--rbind", "/proc"], &dir.join("proc"));
    plant(&dir, &["file", "my tmp/file"]);
    let everything = walked(&dir, &["/"], &options());
    assert_eq!(everything.paths(), ["/file", "/my tmp/file"]);
    let pseudo = ("/proc", GapReason::NotSwept, "pseudo file system (proc)");
    assert_eq!(everything.gaps(), [pseudo]);
    assert!(!everything.gaps[0].by_choice);

    let named = walked(&dir, &["/proc"], &options());
    assert_eq!((named.paths(), named.gaps()), (vec![], vec![pseudo]));
    let file = walked(&dir, &["/proc/version"], &options());
    assert_eq!((file.paths().len(), file.gaps().len()), (0, 1));

    let options = WalkOptions {
        one_file_system: true,
        ..options()
    };
    let one = walked(&dir, &["/"], &options);
    assert_eq!(one.paths(), ["/file"]);
    let other = ("/my tmp", GapReason::NotSwept, "other file system");
    assert_eq!(one.gaps(), [other, pseudo]);
    assert!(one.gaps[0].by_choice);
    let named = walked(&dir, &["/my tmp"], &options);
    assert_eq!(named.paths(), ["/my tmp/file"]);
}
