//! Stored sweeps: reading them back, with their digests checked.

mod json;
mod lines;

use crate::model::sweep::SWEEP_SCHEMA;
use crate::model::{Gap, GapReason, Hex, Sighting, Sweep, SweepEnd, SweepHeader};
use lines::Lines;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Why a stored sweep cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Reading failed.
    #[error("{name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not a record of a sweep.
    #[error(
        "{name}:{line}: {reason}; expected a sweep written by `keymuster scan -f jsonl` or `--sweep`"
    )]
    Line {
        /// The file.
        name: String,
        /// 1-based line.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The lines are not those that were written.
    #[error(
        "{name}: the sweep of {host} has been changed since it was written: its digest does not agree"
    )]
    Digest {
        /// The file.
        name: String,
        /// The host of the sweep.
        host: String,
    },
    /// There is none.
    #[error(
        "{name}: no sweep in it; expected one written by `keymuster scan -f jsonl` or `--sweep`"
    )]
    Empty {
        /// The file.
        name: String,
    },
}

/// How a sighting's line begins as keymuster writes it.
const SIGHTING: &[u8] = br#"{"record":"sighting","#;
/// The member by which it is known, which is of no interest once it is.
const TAG: &[u8] = br#""record":"sighting","#;

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    record: std::borrow::Cow<'a, str>,
}

/// Reads the sweeps of one file (several hosts may follow one another).
///
/// A sweep that is cut off is kept, as incomplete: it gets an `interrupted` gap at each of its roots.
pub fn read_sweeps(name: &str, input: impl Read) -> Result<Vec<Sweep>, HistoryError> {
    let mut sweeps = Vec::new();
    let mut open: Option<Sweep> = None;
    let mut hash = Sha256::new();
    let mut lines = Lines::new(input);
    for number in 1u64.. {
        let text = lines.next().map_err(|source| HistoryError::Read {
            name: name.to_owned(),
            source,
        })?;
        let Some(text) = text else {
            break;
        };
        let fail = |reason: String| HistoryError::Line {
            name: name.to_owned(),
            line: number,
            reason,
        };
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        if line.is_empty() {
            continue;
        }
        let cut = line.len() == text.len();
        // Nearly all lines are these; what says otherwise is read once more for its record.
        if let Some(sweep) = open.as_mut().filter(|_| line.starts_with(SIGHTING)) {
            match parse::<Box<Sighting>>(line) {
                Ok(sighting) => sweep.sightings.push(sighting),
                Err(_) if cut && !is_whole(line) => break,
                Err(error) => return Err(fail(error)),
            }
            hash.update(text);
            continue;
        }
        let tag: Tag<'_> = match serde_json::from_slice(line) {
            Ok(tag) => tag,
            // The last line of a file that was cut off.
            Err(_) if cut && open.is_some() => break,
            Err(error) => return Err(fail(error.to_string())),
        };
        match (tag.record.as_ref(), &mut open) {
            ("sweep", _) => {
                let header: SweepHeader = parse(line).map_err(&fail)?;
                if header.schema != SWEEP_SCHEMA {
                    return Err(fail(format!(
                        "schema {} is not {SWEEP_SCHEMA}",
                        header.schema
                    )));
                }
                sweeps.extend(open.take().map(cut_off));
                hash = Sha256::new();
                open = Some(Sweep {
                    header,
                    sightings: Vec::new(),
                    gaps: Vec::new(),
                    end: None,
                });
            }
            ("sighting", Some(sweep)) => sweep
                .sightings
                .push(parse::<Box<Sighting>>(line).map_err(&fail)?),
            ("gap", Some(sweep)) => sweep.gaps.push(parse::<Gap>(line).map_err(&fail)?),
            ("end", Some(sweep)) => {
                let end: SweepEnd = parse(line).map_err(&fail)?;
                let digest = Hex::<32>(hash.clone().finalize().into()).to_string();
                if end.sha256 != digest {
                    return Err(HistoryError::Digest {
                        name: name.to_owned(),
                        host: sweep.header.host.clone(),
                    });
                }
                sweep.end = Some(end);
                sweeps.extend(open.take());
                continue;
            }
            (other, Some(_)) => return Err(fail(format!("unknown record {other:?}"))),
            (_, None) => return Err(fail("a record before any sweep".to_owned())),
        }
        hash.update(text);
    }
    sweeps.extend(open.take().map(cut_off));
    if sweeps.is_empty() {
        return Err(HistoryError::Empty {
            name: name.to_owned(),
        });
    }
    Ok(sweeps)
}

/// Whether a line is JSON to its end.
fn is_whole(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

fn parse<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, String> {
    // Once for the whole line, and not for each text in it.
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    json::read(line, TAG).or_else(|_| serde_json::from_str(line).map_err(|error| error.to_string()))
}

/// What was not written was not swept: no absence may be concluded from it.
fn cut_off(mut sweep: Sweep) -> Sweep {
    for root in &sweep.header.roots {
        sweep.gaps.push(Gap::at(
            root.as_bytes(),
            GapReason::Interrupted,
            "the stored sweep is cut off",
        ));
    }
    sweep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;
    use crate::report;
    use std::collections::BTreeMap;

    fn sweep() -> Sweep {
        let now: jiff::Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        Sweep {
            header: SweepHeader {
                schema: SWEEP_SCHEMA.to_owned(),
                tool: "keymuster".to_owned(),
                host: "web01".to_owned(),
                machine_id: None,
                roots: vec!["/".to_owned()],
                started: now,
                options: BTreeMap::new(),
            },
            sightings: Vec::new(),
            gaps: vec![Gap::at(b"/etc/\xff", GapReason::Malformed, "x")],
            end: Some(SweepEnd {
                finished: now,
                directories: 1,
                files: 2,
                bytes: 3,
                sightings: 0,
                keys: 0,
                gaps: BTreeMap::from([(GapReason::Malformed, 1)]),
                complete: true,
                scope: Scope::Full,
                sha256: String::new(),
            }),
        }
    }

    fn written() -> Vec<u8> {
        let mut out = Vec::new();
        report::sweep::write(&sweep(), &mut out).unwrap();
        out
    }

    #[test]
    fn what_is_written_is_read_back() {
        let read = read_sweeps("x", written().as_slice()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].header, sweep().header);
        assert_eq!(read[0].gaps, sweep().gaps);
        assert_eq!(read[0].end.as_ref().unwrap().sha256.len(), 64);
    }

    #[test]
    fn a_changed_sweep_is_refused_and_a_cut_one_is_incomplete() {
        let text = String::from_utf8(written()).unwrap();
        let changed = text.replace("malformed\",\"detail", "truncated\",\"detail");
        assert_ne!(changed, text);
        assert!(matches!(
            read_sweeps("x", changed.as_bytes()),
            Err(HistoryError::Digest { .. })
        ));
        let cut = &text.as_bytes()[..text.len() - 40];
        let read = read_sweeps("x", cut).unwrap();
        assert!(read[0].end.is_none());
        assert_eq!(read[0].gaps.last().unwrap().reason, GapReason::Interrupted);
        assert!(matches!(
            read_sweeps("x", &b"name,owner\n"[..]),
            Err(HistoryError::Line { line: 1, .. })
        ));
        assert!(matches!(
            read_sweeps("x", &b""[..]),
            Err(HistoryError::Empty { .. })
        ));
    }
}
