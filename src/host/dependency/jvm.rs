//! Caches of Maven and Gradle, which know the SHA-1 of each archive.

use super::{Ecosystem, Question};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::Standing;
use arcstr::ArcStr;

/// `repository/GROUP…/ARTIFACT/VERSION/ARTIFACT-VERSION….jar`, with its `.pom` and the repository's `.jar.sha1`.
pub(super) struct Maven;

impl Ecosystem for Maven {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (_, rest) = question.after(b"/repository/")?;
        let mut components = rest.rsplit(|&b| b == b'/');
        let (file, version, artifact) =
            (components.next()?, components.next()?, components.next()?);
        let group: Vec<&[u8]> = components.collect();
        let stem = [artifact, b"-", version].concat();
        if group.is_empty() || !file.starts_with(&stem) {
            return None;
        }
        let directory = question.path.strip_suffix(file)?;
        let pom = [directory, stem.as_slice(), b".pom"].concat();
        let recorded = question
            .rooted
            .read(&[question.path, b".sha1"].concat(), 1024)?;
        if !question.rooted.exists(&pom) {
            return None;
        }
        // Some repositories write the file's name behind the digest.
        let digits = recorded
            .trim_ascii()
            .split(|b| b.is_ascii_whitespace())
            .next()?;
        let expected = from_hex(digits).filter(|digest| digest.len() == 20)?;
        let group: Vec<_> = group
            .iter()
            .rev()
            .map(|part| String::from_utf8_lossy(part))
            .collect();
        let package = format!(
            "maven:{}:{}@{}",
            group.join("."),
            String::from_utf8_lossy(artifact),
            String::from_utf8_lossy(version)
        );
        Some(question.proven_by(DigestKind::Sha1, &expected, package.into()))
    }
}

/// `caches/modules-2/files-2.1/GROUP/ARTIFACT/VERSION/SHA1/FILE`; leading zeros of the digest are left out.
pub(super) struct Gradle;

impl Ecosystem for Gradle {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (_, rest) = question.after(b"/modules-2/files-2.1/")?;
        let components: Vec<&[u8]> = rest.split(|&b| b == b'/').collect();
        let [group, artifact, version, digits, _] = components.as_slice() else {
            return None;
        };
        let digits = format!("{:0>40}", std::str::from_utf8(digits).ok()?);
        let expected = from_hex(digits.as_bytes()).filter(|digest| digest.len() == 20)?;
        let [group, artifact, version] =
            [group, artifact, version].map(|part| String::from_utf8_lossy(part));
        let package: ArcStr = format!("maven:{group}:{artifact}@{version}").into();
        Some(question.proven_by(DigestKind::Sha1, &expected, package))
    }
}
