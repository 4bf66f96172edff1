//! Which modules p11-kit knows (p11-kit(8), `pkcs11.conf(5)`).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Where the files are that name a module each; what comes first overrides what comes later.
const CONFIGURED: [&str; 3] = [
    "/etc/pkcs11/modules",
    "/usr/share/p11-kit/modules",
    "/usr/lib/p11-kit/modules",
];
/// A configuration is a few lines.
const SIZE_MAX: u64 = 64 << 10;
/// p11-kit's own modules show the trust store and other modules once more.
const OWN: [&str; 3] = ["p11-kit-trust.so", "p11-kit-proxy.so", "p11-kit-client.so"];

/// The modules that p11-kit's files name, without p11-kit's own.
pub fn modules() -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for directory in CONFIGURED {
        let Ok(entries) = std::fs::read_dir(directory) else {
            continue;
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let is_module = file.extension() == Some(OsStr::new("module"));
            if is_module && seen.insert(file.file_name().map(OsStr::to_owned)) {
                found.extend(module(&file));
            }
        }
    }
    found.retain(|module| {
        module
            .file_name()
            .is_none_or(|name| OWN.iter().all(|own| name != *own))
    });
    let mut known = BTreeSet::new();
    found.retain(|module| known.insert(module.clone()));
    found
}

/// The module of one file: `module: NAME`, absolute or in p11-kit's directory.
fn module(file: &Path) -> Option<PathBuf> {
    let small =
        std::fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() <= SIZE_MAX);
    let bytes = std::fs::read(file).ok().filter(|_| small)?;
    let name = bytes.split(|b| *b == b'\n').find_map(|line| {
        let (key, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        (key.trim_ascii() == b"module").then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })?;
    let name = Path::new(OsStr::from_bytes(name));
    if name.is_absolute() {
        return Some(name.to_owned());
    }
    library_directories()
        .into_iter()
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// `/usr/lib/pkcs11` and the same below each architecture's directory.
fn library_directories() -> Vec<PathBuf> {
    let mut directories = vec![
        PathBuf::from("/usr/lib/pkcs11"),
        PathBuf::from("/usr/lib64/pkcs11"),
    ];
    if let Ok(entries) = std::fs::read_dir("/usr/lib") {
        directories.extend(entries.flatten().map(|entry| entry.path().join("pkcs11")));
    }
    directories.extend([PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")]);
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_module() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.module");
        std::fs::write(&file, "# comment\nmodule: /opt/x.so \ncritical: no\n").unwrap();
        assert_eq!(module(&file), Some(PathBuf::from("/opt/x.so")));
        std::fs::write(&file, "trust-policy: yes\n").unwrap();
        assert_eq!(module(&file), None);
    }
}
