//! The walk itself: a directory a step, sub-directories and large directories divided over the threads.

mod list;
mod read;
mod stores;

use super::access_time::{AccessTimes, Opened};
use super::aliases::Aliases;
use super::directory::{Directory, Handles, Place};
use super::filesystems::Nature;
use super::links::Links;
use super::listing::Names;
use super::same_file::SameFiles;
use super::scope::Scope;
use super::tree::Tree;
use super::{HostRoot, Outcome, Progress, Visitor, WalkError, WalkOptions};
use crate::model::{Gap, GapReason};
use list::Listing;
use rayon::Scope as Tasks;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
pub(super) use stores::InStore;
use stores::Stores;

/// Deepest level below the host's root: no path of more levels can be named to the kernel in one piece anyway.
const MAX_LEVELS: usize = 10_000;

/// Whether files are opened for the visitor or only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Opened for the visitor.
    Read,
    /// Only counted.
    Count,
}

/// One walk: what all its threads share.
pub(super) struct Crawl<'a, V, F> {
    host: &'a HostRoot,
    options: &'a WalkOptions,
    progress: &'a Progress,
    make: &'a F,
    content: Content,
    pool: rayon::ThreadPool,
    shared: Shared<V>,
    scope: Scope,
}

/// What the threads write to.
struct Shared<V> {
    /// The visitors that are not at work, by thread.
    visitors: Vec<Mutex<Vec<V>>>,
    tree: Tree,
    files: SameFiles,
    links: Mutex<Links>,
    stores: Stores,
    handles: Handles,
    times: AccessTimes,
    /// Batches of files that wait for a thread.
    waiting: AtomicUsize,
}

impl<'a, V: Visitor, F: Fn() -> V + Sync> Crawl<'a, V, F> {
    pub(super) fn new(
        host: &'a HostRoot,
        options: &'a WalkOptions,
        progress: &'a Progress,
        make: &'a F,
        content: Content,
    ) -> Result<Self, WalkError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.jobs)
            .thread_name(|index| format!("walk-{index}"))
            .build()
            .map_err(|error| WalkError::Threads(error.to_string()))?;
        let shared = Shared {
            visitors: (0..pool.current_num_threads())
                .map(|_| Mutex::new(Vec::new()))
                .collect(),
            tree: Tree::default(),
            files: SameFiles::default(),
            links: Mutex::new(Links::default()),
            stores: Stores::default(),
            handles: Handles::new(),
            times: AccessTimes::default(),
            waiting: AtomicUsize::new(0),
        };
        Ok(Self {
            host,
            options,
            progress,
            make,
            content,
            pool,
            shared,
            scope: Scope::new(host, options)?,
        })
    }

    pub(super) fn run(mut self, roots: &[Vec<u8>]) -> Result<Outcome<V>, WalkError> {
        let directories = self.progress.directories.load(Ordering::Relaxed);
        let files = self.progress.files.load(Ordering::Relaxed);
        let mut visitor = (self.make)();
        let mut resolved = BTreeSet::new();
        for root in roots {
            match self.host.resolve(root) {
                Ok(path) => {
                    resolved.insert(path);
                }
                Err(error) => visitor.gap(root_gap(root, &error)),
            }
        }
        self.scope.set_roots(resolved.iter().map(Vec::as_slice));
        if let Some(slot) = self.shared.visitors.first() {
            slot.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(visitor);
        }
        let this = &self;
        this.pool.scope(|tasks| {
            this.with_visitor(|visitor| {
                for root in &resolved {
                    this.start(tasks, visitor, root);
                }
            });
        });
        let counted = |counter: &std::sync::atomic::AtomicU64, before| {
            counter.load(Ordering::Relaxed).saturating_sub(before)
        };
        let visitors = self.shared.visitors.into_iter();
        Ok(Outcome {
            visitors: visitors
                .flat_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
                .collect(),
            directories: counted(&self.progress.directories, directories),
            files: counted(&self.progress.files, files),
            aliases: Aliases::new(
                self.shared.tree.into_records(),
                self.shared.files.into_sights().into_groups(),
                self.scope.exclude,
            ),
            links: self
                .shared
                .links
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            object_stores: self.shared.stores.into_inner(),
            noatime_refused: self.shared.times.refused(),
            stopped: self.options.stop.load(Ordering::Relaxed),
        })
    }

    /// Lends this thread's visitor.
    fn with_visitor(&self, work: impl FnOnce(&mut V)) {
        let slot = rayon::current_thread_index()
            .and_then(|index| self.shared.visitors.get(index))
            .or_else(|| self.shared.visitors.first());
        let Some(slot) = slot else { return };
        let free = slot.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut visitor = free.unwrap_or_else(self.make);
        work(&mut visitor);
        slot.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(visitor);
    }

    fn stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Begins at a named root: an absolute path without links.
    fn start<'s>(&'s self, tasks: &Tasks<'s>, visitor: &mut V, root: &[u8]) {
        let Some((parent, name)) = super::split_path(root) else {
            self.enter(tasks, visitor, None, self.host.handle(), c".", b"/");
            return;
        };
        let begin = || -> Result<_, Errno> {
            let parent = self.ancestors(parent)?;
            let fd = self.shared.handles.of(self.host, &parent)?;
            let name = CString::new(name).map_err(|_| Errno::INVAL)?;
            let stat = statat(&fd, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok((parent, fd, name, FileType::from_raw_mode(stat.st_mode)))
        };
        match begin() {
            Ok((parent, fd, name, FileType::Directory)) => {
                self.enter(
                    tasks,
                    visitor,
                    Some((&parent, true)),
                    fd.as_fd(),
                    &name,
                    root,
                );
            }
            Ok((parent, fd, name, FileType::RegularFile)) => {
                if let Err(gap) = self.scope.root_nature(root, &fd) {
                    return visitor.gap(*gap);
                }
                let mut path = root.to_vec();
                path.truncate(root.len().saturating_sub(name.as_bytes().len()));
                self.file(visitor, &parent, fd.as_fd(), &mut path, &name, &mut || {});
            }
            Ok(_) => visitor.gap(Gap::at(
                root,
                GapReason::NotSwept,
                "neither a regular file nor a directory",
            )),
            Err(error) => visitor.gap(root_gap(root, &error.into())),
        }
    }

    /// The directories above a named root, from the host's root down; they are not listed.
    fn ancestors(&self, path: &[u8]) -> Result<Arc<Directory>, Errno> {
        let mut reached: Option<Arc<Directory>> = None;
        let mut at = Vec::new();
        for name in std::iter::once(&b""[..]).chain(super::components(path)) {
            if !name.is_empty() {
                at.push(b'/');
                at.extend_from_slice(name);
            }
            let stat = self.host.stat(&at)?;
            let id = reached.as_ref().map(|above| above.id);
            let id = self
                .shared
                .tree
                .add(id, name, (stat.st_dev, stat.st_ino))
                .ok_or(Errno::OVERFLOW)?;
            let place = Place {
                depth: 0,
                level: reached
                    .as_ref()
                    .map_or(0, |d| d.place.level.saturating_add(1)),
                root_dev: stat.st_dev,
                identifiable: true,
                store: None,
                layered: self.scope.is_layered(&stat)
                    || reached.as_ref().is_some_and(|d| d.place.layered),
            };
            reached = Some(Arc::new(Directory::new(id, reached, name, &stat, place)));
        }
        reached.ok_or(Errno::NOENT)
    }

    /// Works off some sub-directories of a directory.
    fn directories<'s>(&'s self, tasks: &Tasks<'s>, parent: &Arc<Directory>, names: &Names) {
        if self.stopped() {
            return;
        }
        self.with_visitor(|visitor| {
            let mut path = parent.path();
            let fd = match self.patient(|| self.shared.handles.of(self.host, parent)) {
                Ok(fd) => fd,
                Err(error) => return visitor.gap(gap(&path, error)),
            };
            if !path.ends_with(b"/") {
                path.push(b'/');
            }
            let base = path.len();
            for name in names.iter() {
                if self.stopped() {
                    return;
                }
                path.extend_from_slice(name.to_bytes());
                self.enter(
                    tasks,
                    visitor,
                    Some((parent, false)),
                    fd.as_fd(),
                    name,
                    &path,
                );
                path.truncate(base);
            }
        });
    }

    /// Opens a directory, looks at where it lies, and lists it. `parent` comes with whether this is a named root.
    fn enter<'s>(
        &'s self,
        tasks: &Tasks<'s>,
        visitor: &mut V,
        parent: Option<(&Arc<Directory>, bool)>,
        at: BorrowedFd<'_>,
        name: &CStr,
        path: &[u8],
    ) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK;
        let owner = parent.map_or(0, |(above, _)| above.facts.uid);
        let opened = self.patient(|| {
            self.shared.times.open(owner, |extra| {
                self.host.open_beneath(at, name.to_bytes(), flags | extra)
            })
        });
        let found = opened.and_then(|opened| Ok((fstat(&opened.fd)?, opened)));
        let (stat, opened) = match found {
            Ok(found) => found,
            Err(error) => return visitor.gap(gap(path, error)),
        };
        self.shared.times.settle(&opened, stat.st_uid);
        let mut place = match self.place(parent, &stat, &opened, name, path) {
            Ok(place) => place,
            Err(gap) => return visitor.gap(*gap),
        };
        let identity = (stat.st_dev, stat.st_ino);
        let above = parent.map(|(above, _)| above);
        let listed = name;
        let name = if above.is_some() {
            name.to_bytes()
        } else {
            b""
        };
        let tree = &self.shared.tree;
        let Some(id) = tree.add(above.map(|above| above.id), name, identity) else {
            return visitor.gap(Gap::at(path, GapReason::Limit, "too many directories"));
        };
        let mut earlier = None;
        if place.identifiable
            && let Some(first) = tree.first_sight(id, identity)
        {
            let first_path = tree.path(first);
            if first_path == path {
                return;
            }
            // An inode number is given anew when a directory was removed meanwhile: both must exist now.
            if self.is_still(&first_path, identity) {
                earlier = Some(if self.scope.exclude.is_empty() {
                    Vec::new()
                } else {
                    tree.earlier_paths(first, id)
                });
                tree.same(first, id);
            } else {
                tree.replaced(id, identity);
            }
        }
        if place.store.is_none() && self.content == Content::Read {
            let stores = &self.shared.stores;
            place.store = stores.enter(at, &opened.fd, listed, path, place.level);
        }
        self.progress.enter(path);
        let directory = Arc::new(Directory::new(id, above.cloned(), name, &stat, place));
        let listing = Listing {
            directory: &directory,
            fd: &Arc::new(opened.fd),
            earlier,
        };
        self.list(tasks, visitor, &listing, path);
    }

    fn is_still(&self, path: &[u8], identity: (u64, u64)) -> bool {
        self.host
            .stat(path)
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == identity)
    }

    /// Where a directory that is open stands in the walk, or why it is not listed.
    fn place(
        &self,
        parent: Option<(&Arc<Directory>, bool)>,
        stat: &Stat,
        opened: &Opened,
        name: &CStr,
        path: &[u8],
    ) -> Result<Place, Box<Gap>> {
        let layered = self.scope.is_layered(stat);
        let level = parent.map_or(0, |(above, _)| above.place.level.saturating_add(1));
        if level > MAX_LEVELS {
            let detail = format!("more than {MAX_LEVELS} levels of directories");
            return Err(Box::new(Gap::at(path, GapReason::Limit, detail)));
        }
        let Some((above, false)) = parent else {
            let nature = self.scope.root_nature(path, &opened.fd)?;
            if let Some(gap) = self.scope.too_deep(path, 0) {
                return Err(Box::new(gap));
            }
            return Ok(Place {
                depth: 0,
                level,
                root_dev: stat.st_dev,
                identifiable: nature == Nature::Local,
                store: None,
                layered: layered || parent.is_some_and(|(above, _)| above.place.layered),
            });
        };
        let mut place = Place {
            depth: above.place.depth.saturating_add(1),
            level,
            layered: layered || above.place.layered,
            ..above.place
        };
        if stat.st_dev != above.facts.dev {
            let parent_path = super::split_path(path).map_or(&b"/"[..], |(parent, _)| parent);
            let is_mount_point = self
                .scope
                .within(parent_path)
                .is_mount_point(name.to_bytes());
            let nature = self.scope.crossing(
                path,
                &opened.fd,
                is_mount_point,
                stat.st_dev != place.root_dev,
            )?;
            place.identifiable = nature == Nature::Local;
        }
        Ok(place)
    }

    /// Opens; when the process has no more file handles to spare, gives up those that are only kept for speed.
    fn patient<T>(&self, open: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
        for _ in 0..8 {
            match open() {
                Err(Errno::MFILE | Errno::NFILE) => {
                    self.shared.handles.give_up();
                    std::thread::yield_now();
                }
                // Another program holds a lease on the file; the kernel has asked it to give way.
                Err(Errno::AGAIN) => std::thread::sleep(std::time::Duration::from_millis(5)),
                Err(Errno::INTR) => {}
                other => return other,
            }
        }
        open()
    }
}

/// A gap for what could not be opened or listed after it was met.
fn gap(path: &[u8], error: Errno) -> Gap {
    let path = match path.strip_suffix(b"/") {
        Some(directory) if !directory.is_empty() => directory,
        _ => path,
    };
    let words = std::io::Error::from(error).to_string();
    let reason = match error {
        Errno::ACCESS | Errno::PERM => GapReason::PermissionDenied,
        Errno::NOENT
        | Errno::STALE
        | Errno::LOOP
        | Errno::NOTDIR
        | Errno::NXIO
        | Errno::NODEV
        | Errno::XDEV => GapReason::Vanished,
        _ => GapReason::IoError,
    };
    Gap::at(path, reason, words)
}

/// A gap for a named root: one that does not exist is an error, nothing that vanished.
fn root_gap(path: &[u8], error: &std::io::Error) -> Gap {
    let reason = match error.kind() {
        std::io::ErrorKind::PermissionDenied => GapReason::PermissionDenied,
        _ => GapReason::IoError,
    };
    Gap::at(path, reason, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::OpenFile;
    use super::*;

    #[derive(Default)]
    struct Paths(Vec<Vec<u8>>);

    impl Visitor for Paths {
        fn file(&mut self, file: &OpenFile<'_>) {
            self.0.push(file.path().to_vec());
        }

        fn gap(&mut self, gap: Gap) {
            panic!("{gap:?}");
        }
    }

    fn paths(host: &HostRoot) -> Vec<Vec<u8>> {
        let (options, progress) = (WalkOptions::default(), Progress::default());
        let crawl = Crawl::new(host, &options, &progress, &Paths::default, Content::Read);
        let mut crawl = crawl.unwrap();
        crawl.shared.handles = Handles::with_limit(4);
        let walked = crawl.run(&[b"/".to_vec()]).unwrap();
        assert_eq!(progress.current_directory().first(), Some(&b'/'));
        let mut paths: Vec<_> = walked.visitors.into_iter().flat_map(|v| v.0).collect();
        paths.sort();
        paths
    }

    #[test]
    fn few_handles_and_a_kernel_without_openat2_walk_the_same_tree() {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = Vec::new();
        let mut deep = dir.path().to_path_buf();
        for level in 0..40 {
            for aside in 0..5 {
                let aside = deep.join(format!("aside-{aside}/x"));
                std::fs::create_dir_all(&aside).unwrap();
                let file = aside.join("file");
                std::fs::write(&file, "").unwrap();
                let file = file.to_str().unwrap().as_bytes();
                expected.push(file[dir.path().as_os_str().len()..].to_vec());
            }
            deep.push(format!("level-{level}"));
        }
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
        expected.sort();
        let host = || HostRoot::open(dir.path()).unwrap();
        assert_eq!(paths(&host()), expected);
        assert_eq!(paths(&host().without_openat2()), expected);
    }
}
