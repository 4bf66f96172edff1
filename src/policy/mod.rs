//! Thresholds, severities and owners.
