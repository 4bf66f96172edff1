//! Colours of a terminal (ECMA-48, select graphic rendition).

use crate::model::Severity;

pub(super) const BOLD: &str = "1";
pub(super) const RED: &str = "31";
pub(super) const GREEN: &str = "32";

/// The colour of a severity.
pub(super) const fn colour_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => RED,
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Info => "2",
    }
}
