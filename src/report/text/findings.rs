//! What the summary names one by one: the worst findings, what was set aside, and gaps.

use super::Page;
use crate::model::{Class, Finding, Gap, Report, Severity};
use crate::report::colour::{BOLD, colour_of};
use crate::report::escape::escape;
use crate::report::words::{count, excused, place};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

impl<W: Write> Page<'_, W> {
    pub(super) fn findings(&mut self, report: &Report, most: usize) -> io::Result<()> {
        let mut lines: Vec<(Severity, &Finding, String)> = Vec::new();
        for key in &report.keys {
            for flag in &key.flags {
                let own = flag.place.as_deref().map(str::to_owned);
                let place = own.unwrap_or_else(|| place(key, flag));
                lines.push((flag.severity, flag, place));
            }
        }
        for entry in &report.entries {
            for flag in entry.flags.iter().filter(|flag| flag.key_id.is_none()) {
                let name = entry.name.as_deref().unwrap_or_default();
                let place = format!("row {} {name}", entry.id);
                lines.push((flag.severity, flag, place.trim_end().to_owned()));
            }
        }
        if let Some(policy) = &report.policy {
            let of_policy = policy.flags.iter();
            lines.extend(of_policy.map(|flag| (flag.severity, flag, policy.name.clone())));
        }
        if lines.is_empty() {
            return Ok(());
        }
        // Info and what is excused is for those who ask.
        let shown = |line: &(Severity, &Finding, String)| {
            self.options.verbose || (line.0 > Severity::Info && line.1.exception.is_none())
        };
        lines.sort_by(|a, b| (b.0, a.1.flag, &a.2, &a.1.id).cmp(&(a.0, b.1.flag, &b.2, &b.1.id)));
        let listed: Vec<_> = lines.iter().filter(|line| shown(line)).take(most).collect();
        if !listed.is_empty() {
            let title = if self.options.verbose {
                "Findings"
            } else {
                "Worst findings"
            };
            writeln!(self.out, "\n{}", self.paint(BOLD, title))?;
        }
        let left = lines.len() - listed.len();
        for (severity, flag, place) in listed {
            let head = format!("{:<8} {}", severity.as_str(), flag.flag.as_str());
            let others = head.chars().count() + flag.id.to_string().len() + 6;
            let place = self.shortened(&escape(place), others);
            let head = self.paint(colour_of(*severity), &head);
            writeln!(self.out, "  {head}  {place}  {}", flag.id)?;
            writeln!(self.out, "           {}", self.cut(&escape(&flag.why), 11))?;
            if let Some(excuse) = &flag.exception {
                writeln!(
                    self.out,
                    "           {}",
                    self.cut(&escape(&excused(excuse)), 11)
                )?;
            }
        }
        if left > 0 && !self.options.verbose {
            writeln!(
                self.out,
                "  and {left} more: -v names all of them, `keymuster explain ID` tells about one"
            )?;
        }
        Ok(())
    }

    /// A place that fits beside `others` columns: of a long path the middle is left out.
    fn shortened(&self, text: &str, others: usize) -> String {
        let room = match self.options.width {
            Some(width) if !self.options.verbose => width.saturating_sub(others).max(20),
            _ => return text.to_owned(),
        };
        let count = text.chars().count();
        if count <= room {
            return text.to_owned();
        }
        let front = (room - 1) / 3;
        let back = count - (room - 1 - front);
        let front = text.chars().take(front).chain(['…']);
        front.chain(text.chars().skip(back)).collect()
    }

    fn cut(&self, text: &str, indent: usize) -> String {
        let room = match self.options.width {
            Some(width) if !self.options.verbose => width.saturating_sub(indent).max(20),
            _ => return text.to_owned(),
        };
        if text.chars().count() <= room {
            return text.to_owned();
        }
        text.chars().take(room - 1).chain(['…']).collect()
    }

    /// What is not the host's own: one line a class, by package.
    pub(super) fn set_aside(&mut self, report: &Report) -> io::Result<()> {
        let mut first = true;
        for (class, words) in [
            (Class::Vendor, "of installed packages"),
            (Class::Dependency, "of language packages"),
            (Class::TrustAnchor, "of the distribution's CA bundle"),
        ] {
            let keys: Vec<_> = report
                .keys
                .iter()
                .filter(|key| key.class == class)
                .collect();
            if keys.is_empty() {
                continue;
            }
            let private = keys
                .iter()
                .filter(|key| key.sightings.iter().any(|s| s.kind.is_private()))
                .count();
            let mut packages: BTreeMap<&str, u64> = BTreeMap::new();
            for key in &keys {
                let names: BTreeSet<&str> = key
                    .sightings
                    .iter()
                    .filter_map(|s| s.file.as_ref()?.package.as_deref())
                    .collect();
                for name in names {
                    *packages.entry(name).or_default() += 1;
                }
            }
            let mut named: Vec<(&str, u64)> = packages.iter().map(|(n, c)| (*n, *c)).collect();
            named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            let shown = if self.options.verbose { named.len() } else { 3 };
            let mut list: Vec<String> = named
                .iter()
                .take(shown)
                .map(|(name, number)| format!("{} {number}", escape(name)))
                .collect();
            if named.len() > shown {
                list.push(format!("{} more", named.len() - shown));
            }
            let list = if list.is_empty() {
                String::new()
            } else {
                format!(": {}", list.join(", "))
            };
            if first {
                writeln!(self.out)?;
            }
            let line = format!(
                "{} {words}, {private} with private material{list}",
                count(keys.len() as u64, "key", "keys")
            );
            let line = self.cut(&line, 12);
            self.row(if first { "Set aside" } else { "" }, &line)?;
            first = false;
        }
        Ok(())
    }

    pub(super) fn gaps(&mut self, report: &Report) -> io::Result<()> {
        if report.gaps.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", self.paint(BOLD, "Gaps"))?;
        for gap in &report.gaps {
            let Gap {
                host,
                path,
                reason,
                detail,
                offset,
                ..
            } = gap;
            let host = host.as_deref().unwrap_or_default();
            let offset = offset
                .map(|offset| format!(" at byte {offset}"))
                .unwrap_or_default();
            writeln!(
                self.out,
                "  {}  {}:{}{offset}  {}",
                reason.as_str(),
                escape(host),
                escape(path),
                escape(detail)
            )?;
        }
        Ok(())
    }
}
