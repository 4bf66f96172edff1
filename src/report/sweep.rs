//! A sweep as JSON Lines: the `keymuster.sweep/1` records of the contract.

use crate::model::{Gap, Hex, Sighting, Sweep, SweepEnd, SweepHeader};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record<'a> {
    Sweep(&'a SweepHeader),
    Sighting(&'a Sighting),
    Gap(&'a Gap),
    End(&'a SweepEnd),
}

/// Writes a sweep: its header, sightings and gaps by path, and its end with the digest of all lines before.
///
/// A sweep without an end (one that was read from a file cut off) is written without one.
pub fn write(sweep: &Sweep, out: &mut impl Write) -> io::Result<()> {
    let mut out = Hashing {
        out,
        hash: Sha256::new(),
        text: Vec::new(),
    };
    lines(sweep, &mut out)?;
    if let Some(end) = &sweep.end {
        let mut end = end.clone();
        end.sha256 = Hex::<32>(out.hash.clone().finalize().into()).to_string();
        line(&mut out, &Record::End(&end))?;
    }
    Ok(())
}

/// Everything but the end.
fn lines<W: Write>(sweep: &Sweep, out: &mut Hashing<'_, W>) -> io::Result<()> {
    line(out, &Record::Sweep(&sweep.header))?;
    let mut gaps = sweep.gaps.iter().peekable();
    for of_path in sweep
        .sightings
        .chunk_by(|a, b| a.location.exact_path() == b.location.exact_path())
    {
        let path = of_path.first().map(|s| s.location.exact_path());
        while let Some(gap) = gaps.next_if(|gap| Some(gap.exact_path()) < path) {
            line(out, &Record::Gap(gap))?;
        }
        for sighting in of_path {
            line(out, &Record::Sighting(sighting))?;
        }
    }
    // Gaps of one path follow its sightings: those of the last one, and of the paths behind it, are left.
    for gap in gaps {
        line(out, &Record::Gap(gap))?;
    }
    Ok(())
}

/// SHA-256 of the lines before the end, in hexadecimal: what [`write()`] puts into the end.
pub fn digest(sweep: &Sweep) -> String {
    let mut none = io::sink();
    let mut out = Hashing {
        out: &mut none,
        hash: Sha256::new(),
        text: Vec::new(),
    };
    // Nothing here can fail to be written.
    let _ = lines(sweep, &mut out);
    Hex::<32>(out.hash.finalize().into()).to_string()
}

fn line<W: Write>(out: &mut Hashing<'_, W>, record: &Record<'_>) -> io::Result<()> {
    let mut text = std::mem::take(&mut out.text);
    text.clear();
    super::line::append(&mut text, record)?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.text = text;
    Ok(())
}

struct Hashing<'a, W> {
    out: &'a mut W,
    hash: Sha256,
    /// The line that is being put together.
    text: Vec<u8>,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
