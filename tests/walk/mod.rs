//! The walk over real trees.

mod mounts;
mod scope;
mod trees;

use keymuster::model::{Gap, GapReason};
use keymuster::walk::{HostRoot, OpenFile, Outcome, Progress, Visitor, WalkOptions, walk};
use std::collections::BTreeMap;
use std::path::Path;

/// Gathers the content of each file, and the gaps.
#[derive(Default)]
struct Gather {
    files: Vec<(Vec<u8>, Vec<u8>)>,
    gaps: Vec<Gap>,
}

impl Visitor for Gather {
    fn file(&mut self, file: &OpenFile<'_>) {
        let mut content = vec![0; 4096];
        let n = file.read_at(&mut content, 0).unwrap();
        content.truncate(n);
        self.files.push((file.path().to_vec(), content));
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

/// What a walk over a host's root gave.
struct Walked {
    /// Each path handed to a visitor, with its content.
    files: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Sorted.
    gaps: Vec<Gap>,
    outcome: Outcome<Gather>,
}

impl Walked {
    fn paths(&self) -> Vec<String> {
        let paths = self.files.keys();
        paths
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }

    /// Path, reason and detail of each gap.
    fn gaps(&self) -> Vec<(&str, GapReason, &str)> {
        let gaps = self.gaps.iter();
        gaps.map(|gap| (gap.path.as_str(), gap.reason, gap.detail.as_str()))
            .collect()
    }
}

/// Walks `roots` of the host whose root directory is `host`; no path may come twice.
fn walked(host: &Path, roots: &[&str], options: &WalkOptions) -> Walked {
    let host = HostRoot::open(host).unwrap();
    let roots: Vec<Vec<u8>> = roots.iter().map(|root| root.as_bytes().to_vec()).collect();
    let mut outcome = walk(
        &host,
        &roots,
        options,
        &Progress::default(),
        Gather::default,
    )
    .unwrap();
    let mut files = BTreeMap::new();
    let mut gaps = Vec::new();
    for visitor in &mut outcome.visitors {
        for (path, content) in visitor.files.drain(..) {
            let again = files.insert(path.clone(), content);
            assert_eq!(again, None, "{:?} twice", String::from_utf8_lossy(&path));
        }
        gaps.append(&mut visitor.gaps);
    }
    gaps.sort();
    assert_eq!(u64::try_from(files.len()).unwrap(), outcome.files);
    Walked {
        files,
        gaps,
        outcome,
    }
}

/// All of it, with two threads.
fn options() -> WalkOptions {
    WalkOptions {
        jobs: 2,
        ..WalkOptions::default()
    }
}

/// Makes files with their own path as content; directories as they are needed.
fn plant(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    }
}

fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs `work` without the superuser's rights: on a thread of its own, as the rights of Linux belong to threads.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|threads| {
        let thread = threads.spawn(|| {
            if is_superuser() {
                use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
                set_thread_groups(&[]).unwrap();
                set_thread_gid(rustix::process::Gid::from_raw(65534)).unwrap();
                set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
            }
            work()
        });
        thread.join().unwrap()
    })
}
