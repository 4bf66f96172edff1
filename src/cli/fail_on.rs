//! Which findings make the exit code 1, and which gaps do not make it 4.

use crate::model::{Finding, FindingId, Flag, Gap, GapReason, Report, Severity};
use anyhow::bail;
use std::collections::BTreeMap;

/// Which findings count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailOn {
    /// None.
    Never,
    /// Those of this severity or above.
    Severity(Severity),
    /// Those with one of these flags, whatever their severity.
    Flags(Vec<Flag>),
}

impl FailOn {
    /// Reads `none`, a severity, or flags with commas between them.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if text == "none" {
            return Ok(Self::Never);
        }
        if let Some(severity) = Severity::ALL.iter().find(|s| s.as_str() == text) {
            return Ok(Self::Severity(*severity));
        }
        text.split(',')
            .map(|word| {
                Flag::ALL
                    .iter()
                    .copied()
                    .find(|flag| flag.as_str() == word.trim())
                    .ok_or_else(|| anyhow::anyhow!("--fail-on {text}: {word:?} is neither a severity (critical, high, medium, low, info, none) nor a flag"))
            })
            .collect::<Result<_, _>>()
            .map(Self::Flags)
    }

    /// Whether a finding counts.
    pub fn counts(&self, finding: &Finding) -> bool {
        match self {
            Self::Never => false,
            Self::Severity(least) => finding.severity >= *least,
            Self::Flags(flags) => flags.contains(&finding.flag),
        }
    }
}

/// Every finding of a report once: those of the policy, the sources, the keys, and the entries' own.
pub fn findings(report: &Report) -> impl Iterator<Item = &Finding> {
    let sources = report.inventories.iter().flat_map(|i| &i.flags);
    let keys = report.keys.iter().flat_map(|key| &key.flags);
    let entries = report
        .entries
        .iter()
        .flat_map(|entry| &entry.flags)
        // One with a key id is repeated from its key.
        .filter(|finding| finding.key_id.is_none());
    let policy = report.policy.iter().flat_map(|policy| &policy.flags);
    policy.chain(sources).chain(keys).chain(entries)
}

/// What changed since an earlier report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Findings that the earlier report has not.
    pub new: u64,
    /// Findings that it has with a lower severity.
    pub worse: u64,
    /// Findings that it has as they are (or were worse).
    pub known: u64,
    /// Findings that are gone.
    pub resolved: u64,
}

/// The findings of an earlier report, by id.
#[derive(Debug, Clone, Default)]
pub struct Baseline(BTreeMap<FindingId, Severity>);

impl Baseline {
    /// The findings of this report.
    pub fn of(report: &Report) -> Self {
        Self(
            findings(report)
                // What was excused is news when the exception ends.
                .filter(|finding| finding.exception.is_none())
                .map(|finding| (finding.id, finding.severity))
                .collect(),
        )
    }

    /// Whether a finding is new or worse.
    pub fn is_news(&self, finding: &Finding) -> bool {
        self.0
            .get(&finding.id)
            .is_none_or(|before| *before < finding.severity)
    }

    /// Counts what changed.
    pub fn changes(&self, report: &Report) -> Changes {
        let mut changes = Changes::default();
        let mut gone = self.0.clone();
        for finding in findings(report) {
            gone.remove(&finding.id);
            match self.0.get(&finding.id) {
                None if finding.exception.is_some() => changes.known += 1,
                None => changes.new += 1,
                Some(before) if *before < finding.severity => changes.worse += 1,
                Some(_) => changes.known += 1,
            }
        }
        changes.resolved = gone.len() as u64;
        changes
    }
}

/// Gaps that the user accepts.
#[derive(Debug, Default)]
pub struct AllowedGaps {
    reasons: Vec<GapReason>,
    paths: Vec<globset::GlobMatcher>,
}

impl AllowedGaps {
    /// Reads reasons and path globs.
    pub fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut allowed = Self::default();
        for word in words {
            let reason = serde_json::from_value(serde_json::Value::String(word.clone()));
            if let Ok(reason) = reason {
                allowed.reasons.push(reason);
            } else if word.contains('/') || word.contains('*') {
                let glob = globset::GlobBuilder::new(word)
                    .literal_separator(true)
                    .build()?;
                allowed.paths.push(glob.compile_matcher());
            } else {
                bail!("--allow-gaps {word}: neither a gap reason nor a path glob");
            }
        }
        Ok(allowed)
    }

    /// Whether a gap makes the sweep incomplete for the exit code.
    pub fn leaves_incomplete(&self, gap: &Gap) -> bool {
        gap.reason.makes_incomplete()
            && !self.reasons.contains(&gap.reason)
            && !self.paths.iter().any(|glob| glob.is_match(&gap.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_and_flags_are_told_apart() {
        assert_eq!(FailOn::parse("none").unwrap(), FailOn::Never);
        assert_eq!(
            FailOn::parse("medium").unwrap(),
            FailOn::Severity(Severity::Medium)
        );
        assert_eq!(
            FailOn::parse("expired,weak").unwrap(),
            FailOn::Flags(vec![Flag::Expired, Flag::Weak])
        );
        assert!(FailOn::parse("wek").is_err());
    }

    #[test]
    fn allowed_gaps_are_reasons_or_globs() {
        let allowed = AllowedGaps::parse(&["io_error".to_owned(), "/var/**".to_owned()]).unwrap();
        let leaves = |path: &[u8], reason| allowed.leaves_incomplete(&Gap::at(path, reason, ""));
        assert!(!leaves(b"/x", GapReason::IoError));
        assert!(leaves(b"/x", GapReason::PermissionDenied));
        assert!(!leaves(b"/var/a/b", GapReason::PermissionDenied));
        assert!(!leaves(b"/x", GapReason::Malformed));
        assert!(AllowedGaps::parse(&["permision".to_owned()]).is_err());
    }
}
