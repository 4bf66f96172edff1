//! Python: `NAME-VERSION.dist-info/RECORD` beside the installed modules ("Recording installed projects", PyPA
//! specifications): a CSV of path, `sha256=` and the digest in urlsafe base64 without padding, and size.

use super::{Ecosystem, Question, package_of};
use crate::host::digest::DigestKind;
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const RECORD_LIMIT: u64 = 32 << 20;
const MOST_NAMES: usize = 20_000;

pub(super) struct Pip;

impl Ecosystem for Pip {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        // Any directory can be a target (`pip install --target`): that it has RECORDs makes it one.
        question.ancestors().find_map(|(site, relative)| {
            question.look("pip", site, relative, |rooted, index| {
                installed(rooted, site, index)
            })
        })
    }
}

/// Adds all distributions that are installed in a directory.
fn installed(rooted: &Rooted, site: &[u8], index: &mut FileIndex) {
    for name in rooted.names(site, MOST_NAMES).unwrap_or_default() {
        let Some(distribution) = name.0.strip_suffix(b".dist-info") else {
            continue;
        };
        let path = [site, b"/", name.0.as_slice(), b"/RECORD"].concat();
        let Some(record) = rooted.read(&path, RECORD_LIMIT) else {
            continue;
        };
        // A version may be a plain number, which `package_of` would not take.
        let package = package_of("pip", distribution).or_else(|| {
            let distribution = String::from_utf8_lossy(distribution);
            let (name, version) = distribution.split_once('-')?;
            Some(format!("pip:{name}@{version}"))
        });
        let Some(number) = package.and_then(|package| index.package(&package)) else {
            continue;
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(record.as_slice());
        let mut row = csv::ByteRecord::new();
        while let Ok(true) = reader.read_byte_record(&mut row) {
            let Some(path) = row.get(0) else { continue };
            let digest = row.get(1).and_then(|field| field.strip_prefix(b"sha256="));
            let digest = digest.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            let digest = digest.as_deref().map(|bytes| (DigestKind::Sha256, bytes));
            index.file(number, path, digest);
        }
    }
}
