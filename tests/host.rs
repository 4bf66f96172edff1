//! What a host root says of itself: roots are laid out in temporary directories by the real tools.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod access;
mod dependency;
mod trust;
mod vendor;

use keymuster::host::{DigestKind, Host, Ownership};
use keymuster::model::Class;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A host's root directory that is removed at the end.
pub(crate) struct Root(tempfile::TempDir);

impl Root {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where a path of the host lies on this machine.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// Writes a file of the host with its directories.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let file = self.at(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        self
    }

    pub(crate) fn host(&self) -> Host {
        Host::load(self.path())
    }

    /// Classifies a file of the host as a sweep would.
    pub(crate) fn classify(&self, host: &Host, path: &str) -> Ownership {
        host.classify(path.as_bytes(), &mut |kind: DigestKind| {
            let file = fs::File::open(self.at(path)).ok()?;
            let size = file.metadata().ok()?.len();
            kind.of(file, size).ok()
        })
    }

    /// The class and package of a file, by a host that is loaded afresh.
    pub(crate) fn class(&self, path: &str) -> (Class, Option<String>) {
        assert!(self.at(path).is_file(), "{path} is not there");
        let ownership = self.classify(&self.host(), path);
        (
            ownership.class,
            ownership.package.map(|package| package.to_string()),
        )
    }

    /// Makes a file look as if it had been changed a day after all the others.
    pub(crate) fn touch_later(&self, path: &str) {
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(86_400);
        fs::File::options()
            .write(true)
            .open(self.at(path))
            .unwrap()
            .set_modified(later)
            .unwrap();
    }
}

/// Runs a tool that the tests need, and returns what it writes to standard output.
pub(crate) fn run<S: AsRef<OsStr>>(directory: &Path, program: &str, arguments: &[S]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("LC_ALL", "C")
        .env("HOME", directory)
        .output()
        .unwrap_or_else(|error| panic!("the tests need {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// As [`run`], as (at least a seeming) root, who alone may give files away.
pub(crate) fn run_as_root<S: AsRef<OsStr>>(
    directory: &Path,
    program: &str,
    arguments: &[S],
) -> String {
    if rustix::process::geteuid().is_root() {
        return run(directory, program, arguments);
    }
    let mut all = vec![OsStr::new("-r"), OsStr::new(program)];
    all.extend(arguments.iter().map(AsRef::as_ref));
    run(directory, "unshare", &all)
}

pub(crate) fn own(package: Option<&str>) -> (Class, Option<String>) {
    (Class::Own, package.map(str::to_owned))
}

pub(crate) fn vendor(package: &str) -> (Class, Option<String>) {
    (Class::Vendor, Some(package.to_owned()))
}

pub(crate) fn dependency(package: &str) -> (Class, Option<String>) {
    (Class::Dependency, Some(package.to_owned()))
}

#[test]
fn a_root_that_is_not_there_knows_nothing() {
    let host = Host::load(Path::new("/nonexistent/root"));
    assert_eq!(host.owner_name(0), None);
    assert_eq!(host.packaged_files(), 0);
    assert!(!host.is_distribution_anchor(&[0; 32]));
    let ownership = host.classify(b"/etc/ssl/a.pem", &mut |_| panic!("nobody asks"));
    assert_eq!(ownership, Ownership::default());
}

#[test]
fn names_and_homes_are_the_hosts_own() {
    let root = Root::new();
    root.write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/bash\nkeyuser:x:64123:64124::/home/k:/bin/sh\n",
    );
    root.write("etc/group", "keygroup:x:64124:\n");
    let host = root.host();
    assert_eq!(host.owner_name(64123).as_deref(), Some("keyuser"));
    assert_eq!(host.group_name(64124).as_deref(), Some("keygroup"));
    assert_eq!(host.home_of(b"/home/k/.ssh/id").as_deref(), Some("keyuser"));
    assert_eq!(host.home_of(b"/etc/ssl"), None);
}
