//! What the readers of file systems share of going through directories.

use super::Failure;

/// So many bytes may wait, of directories that were not entered yet.
const WAITING_MAX: usize = 24 << 20;
/// A longer path is not followed.
const PATH_MAX: usize = 64 << 10;
/// What memory of its own takes beside its bytes.
const OWN: usize = 16;

/// Directories that are to be entered, each with its path; the root's is empty.
pub(super) struct Waiting<T> {
    all: Vec<(T, Vec<u8>)>,
    bytes: usize,
}

impl<T> Waiting<T> {
    pub(super) fn new(root: T) -> Self {
        Self {
            all: vec![(root, Vec::new())],
            bytes: cost::<T>(&[]),
        }
    }

    /// Puts one behind the others.
    ///
    /// # Errors
    /// A limit, if too many wait or its path is too long.
    pub(super) fn push(&mut self, directory: T, path: &[u8]) -> Result<(), Failure> {
        let bytes = self.bytes + cost::<T>(path);
        if bytes > WAITING_MAX || path.len() > PATH_MAX {
            return Err(Failure::limit("directories that are too wide or too deep"));
        }
        self.bytes = bytes;
        self.all.push((directory, path.to_vec()));
        Ok(())
    }

    /// The one that was put in last.
    pub(super) fn pop(&mut self) -> Option<(T, Vec<u8>)> {
        let next = self.all.pop();
        self.bytes -= next.as_ref().map_or(0, |(_, path)| cost::<T>(path));
        next
    }
}

/// The memory that one takes: many have short names.
const fn cost<T>(path: &[u8]) -> usize {
    size_of::<(T, Vec<u8>)>() + OWN + path.len()
}

/// The path of what has this name in a directory.
pub(super) fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_do_not_take_unbounded_memory() {
        let mut waiting = Waiting::new(0u64);
        let count = (1..10_000_000).find(|n| waiting.push(*n, b"d").is_err());
        let count = count.unwrap();
        assert!((100_000..1_000_000).contains(&count), "{count}");
        let (last, path) = waiting.pop().unwrap();
        assert_eq!((last, &*path), (count - 1, &b"d"[..]));
        // There is room again, but not for a path that is too long.
        assert!(waiting.push(0, &vec![b'x'; PATH_MAX + 1]).is_err());
        assert!(waiting.push(0, b"e").is_ok());
        while waiting.pop().is_some() {}
        assert_eq!(waiting.bytes, 0);
    }

    #[test]
    fn paths_of_names() {
        assert_eq!(joined(b"", b"a"), b"a");
        assert_eq!(joined(b"a/b", b"c"), b"a/b/c");
    }
}
