//! From a TOML file to a policy: what it does not say stays as built in, what it says must make sense.

use super::approval::{OTHERS, Step, Steps};
use super::document::{Document, Member, Node};
use super::{
    Exception, PlaceRule, Policy, PolicyError, class_words, flag_words, kind_words, severity_words,
    type_words,
};
use crate::model::Hex;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Largest policy or list of exceptions that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Most days that a period or threshold may have: a century.
const MAX_DAYS: u32 = 36_525;
/// Largest key size that can be asked for, in bits.
const MAX_BITS: u32 = 65_536;

const SECTIONS: [&str; 11] = [
    "owners",
    "include",
    "thresholds",
    "severities",
    "keys",
    "curves",
    "hashes",
    "ssh",
    "post_quantum",
    "rotation_days",
    "places",
];

/// Reads a policy, and the lists of exceptions that it includes.
///
/// # Errors
/// If a file cannot be read, or says what is not known, of a wrong type or impossible: with file and line.
pub fn read_policy(path: &Path) -> Result<Policy, PolicyError> {
    let (name, text, sha256) = load(path)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut policy = Policy {
        name: name.clone(),
        sha256,
        ..Policy::default()
    };
    let document = Document::new(&name, &text);
    let table = document.parse()?;
    let mut includes = Vec::new();
    for member in document.members(table.get_ref()) {
        section(&document, &member, directory, &mut policy, &mut includes)?;
    }
    for (include, line) in includes {
        let path = directory.join(&include);
        let (name, text, sha256) =
            load(&path).map_err(|error| document.fault_at(line, error.to_string()))?;
        let included = Document::new(&name, &text);
        let table = included.parse()?;
        for member in included.members(table.get_ref()) {
            match member.name {
                "exceptions" => exceptions(&included, &member, &mut policy)?,
                _ => return Err(included.unknown(&member, "an included file", &["exceptions"])),
            }
        }
        policy.included.push((name, sha256));
    }
    Ok(policy)
}

/// The text of a file, its last component for citing, and its digest.
fn load(path: &Path) -> Result<(String, String, String), PolicyError> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| PolicyError::Io {
            path: shown.clone(),
            source,
        })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(PolicyError::TooLarge { path: shown });
    }
    let digest = Hex::<32>(Sha256::digest(&bytes).into()).to_string();
    let text = String::from_utf8(bytes).map_err(|_| PolicyError::NotText {
        path: shown.clone(),
    })?;
    let name = path
        .file_name()
        .map_or(shown, |name| name.to_string_lossy().into_owned());
    Ok((name, text, digest))
}

fn section(
    document: &Document<'_>,
    member: &Member<'_, '_>,
    directory: &Path,
    policy: &mut Policy,
    includes: &mut Vec<(String, usize)>,
) -> Result<(), PolicyError> {
    match member.name {
        "owners" => {
            let file = document.text(member.value, "owners")?;
            policy.owners = Some((directory.join(&file), file));
            policy.note("owners", document, member.line);
        }
        "include" => {
            let files = document.texts(member.value, "include")?;
            includes.extend(files.into_iter().map(|file| (file, member.line)));
        }
        "thresholds" => thresholds(document, member, policy)?,
        "severities" => severities(document, member, policy)?,
        "keys" | "curves" | "hashes" | "ssh" => approvals(document, member, policy)?,
        "post_quantum" => post_quantum(document, member, policy)?,
        "rotation_days" => rotation(document, member, policy)?,
        "places" => places(document, member, policy)?,
        "exceptions" => exceptions(document, member, policy)?,
        _ => {
            let known: Vec<&str> = SECTIONS.into_iter().chain(["exceptions"]).collect();
            return Err(document.unknown(member, "a policy", &known));
        }
    }
    Ok(())
}

fn thresholds(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    let table = document.table(section.value, "thresholds")?;
    for member in document.members(table) {
        let (slot, range) = match member.name {
            "expiring_days" => (&mut policy.expiring_days, 0..=MAX_DAYS),
            "expiring_early_percent" => (&mut policy.expiring_early_percent, 0..=100),
            "exception_max_days" => (&mut policy.exception_max_days, 1..=MAX_DAYS),
            _ => {
                let known = [
                    "expiring_days",
                    "expiring_early_percent",
                    "exception_max_days",
                ];
                return Err(document.unknown(&member, "thresholds", &known));
            }
        };
        *slot = document.number(member.value, member.name, range)?;
        policy.note(
            &format!("thresholds.{}", member.name),
            document,
            member.line,
        );
    }
    Ok(())
}

fn severities(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    let (flags, classes) = (flag_words(), class_words());
    let flag_of = |name: &str| {
        flags
            .iter()
            .find(|(word, _)| *word == name)
            .map(|(_, f)| *f)
    };
    let unknown = |member: &Member<'_, '_>| {
        let flags = flags.iter().map(|(word, _)| *word);
        let words: Vec<&str> = flags.chain(classes.iter().map(|(word, _)| *word)).collect();
        document.unknown(member, "severities", &words)
    };
    let table = document.table(section.value, "severities")?;
    for member in document.members(table) {
        if let Some((_, class)) = classes.iter().find(|(word, _)| *word == member.name) {
            let of_class = document.table(member.value, member.name)?;
            for inner in document.members(of_class) {
                let flag = flag_of(inner.name).ok_or_else(|| unknown(&inner))?;
                let severity = document.word(inner.value, inner.name, &severity_words())?;
                policy.class_severities.insert((*class, flag), severity);
                let path = format!("severities.{}.{}", member.name, inner.name);
                policy.note(&path, document, inner.line);
            }
        } else {
            let flag = flag_of(member.name).ok_or_else(|| unknown(&member))?;
            let severity = document.word(member.value, member.name, &severity_words())?;
            policy.severities.insert(flag, severity);
            policy.note(
                &format!("severities.{}", member.name),
                document,
                member.line,
            );
        }
    }
    Ok(())
}

fn approvals(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    let sized = matches!(section.name, "keys" | "ssh");
    let table = document.table(section.value, section.name)?;
    for member in document.members(table) {
        if section.name == "hashes" && (member.name == OTHERS || member.name.ends_with('*')) {
            return Err(document.fault_at(
                member.line,
                format!("hashes are named one by one, {:?} is none", member.name),
            ));
        }
        if super::approval::plain(member.name).is_empty() {
            return Err(document.fault_at(member.line, format!("{:?} names nothing", member.name)));
        }
        let steps = steps(document, &member, sized)?;
        let slot: &mut Steps = match section.name {
            "keys" => &mut policy.approvals.keys,
            "curves" => &mut policy.approvals.curves,
            "hashes" => &mut policy.approvals.hashes,
            _ => &mut policy.approvals.ssh,
        };
        // What is built in for the same name, however it is written there, is replaced.
        let same = |key: &str| {
            super::approval::plain(key) == super::approval::plain(member.name)
                && key.ends_with('*') == member.name.ends_with('*')
        };
        slot.0.retain(|key, _| !same(key));
        slot.0.insert(member.name.to_owned(), steps);
        policy.note(
            &format!("{}.{}", section.name, member.name),
            document,
            member.line,
        );
    }
    Ok(())
}

/// `true`, `false`, or an array of steps in order of time, of which only the last may have no end.
fn steps(
    document: &Document<'_>,
    member: &Member<'_, '_>,
    sized: bool,
) -> Result<Vec<Step>, PolicyError> {
    if let DeValue::Boolean(approved) = member.value.get_ref() {
        return Ok(vec![Step {
            approved: *approved,
            min_bits: None,
            until: None,
        }]);
    }
    let of = "true, false, or an array of steps such as [{ min_bits = 2048, until = 2030-12-31 }]";
    let mut steps: Vec<Step> = Vec::new();
    for node in document.array(member.value, member.name, of)? {
        let line = document.line_of(node.span());
        let step = step(document, document.table(node, member.name)?, sized)?;
        if let Some(before) = steps.last() {
            let Some(end) = before.until else {
                return Err(document.fault_at(line, "a step behind one that has no end (until)"));
            };
            if step.until.is_some_and(|until| until <= end) {
                return Err(
                    document.fault_at(line, "this step ends no later than the one before it")
                );
            }
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(document.fault_at(member.line, format!("{} has no step", member.name)));
    }
    Ok(steps)
}

fn step(document: &Document<'_>, table: &DeTable<'_>, sized: bool) -> Result<Step, PolicyError> {
    let mut step = Step {
        approved: true,
        min_bits: None,
        until: None,
    };
    for member in document.members(table) {
        match member.name {
            "approved" => step.approved = document.boolean(member.value, "approved")?,
            "min_bits" if sized => {
                step.min_bits = Some(document.number(member.value, "min_bits", 1..=MAX_BITS)?);
            }
            "until" => step.until = Some(document.date(member.value, "until")?),
            _ if sized => {
                return Err(document.unknown(
                    &member,
                    "a step",
                    &["approved", "min_bits", "until"],
                ));
            }
            _ => return Err(document.unknown(&member, "a step here", &["approved", "until"])),
        }
    }
    Ok(step)
}

fn post_quantum(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    let table = document.table(section.value, "post_quantum")?;
    for member in document.members(table) {
        let demands = &mut policy.approvals.post_quantum;
        let slot = match member.name {
            "signature_from" => &mut demands.signature_from,
            "encryption_from" => &mut demands.encryption_from,
            _ => {
                let known = ["signature_from", "encryption_from"];
                return Err(document.unknown(&member, "post_quantum", &known));
            }
        };
        *slot = Some(document.date(member.value, member.name)?);
        policy.note(
            &format!("post_quantum.{}", member.name),
            document,
            member.line,
        );
    }
    Ok(())
}

fn rotation(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    let types = type_words();
    let table = document.table(section.value, "rotation_days")?;
    for member in document.members(table) {
        let Some((_, kind)) = types.iter().find(|(word, _)| *word == member.name) else {
            let words: Vec<&str> = types.iter().map(|(word, _)| *word).collect();
            return Err(document.unknown(&member, "rotation_days", &words));
        };
        let days = document.number(member.value, member.name, 1..=MAX_DAYS)?;
        policy.rotation_days.insert(*kind, days);
        policy.note(
            &format!("rotation_days.{}", member.name),
            document,
            member.line,
        );
    }
    Ok(())
}

fn places(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    for node in document.array(section.value, "places", "[[places]]")? {
        let line = document.line_of(node.span());
        let mut rule = PlaceRule {
            source: format!("{}:{line}", document.name),
            ..PlaceRule::default()
        };
        for member in document.members(document.table(node, "places")?) {
            match member.name {
                "kinds" => rule.kinds = words(document, &member, &kind_words())?,
                "types" => rule.types = words(document, &member, &type_words())?,
                "environment" => {
                    rule.environment = Some(document.text(member.value, "environment")?);
                }
                "allow" => rule.allow = globs(document, &member)?,
                "deny" => rule.deny = globs(document, &member)?,
                _ => {
                    let known = ["kinds", "types", "environment", "allow", "deny"];
                    return Err(document.unknown(&member, "places", &known));
                }
            }
        }
        if rule.allow.is_empty() && rule.deny.is_empty() {
            return Err(document.fault_at(line, "this rule neither allows nor denies a place"));
        }
        policy.places.push(rule);
    }
    Ok(())
}

fn words<T: Copy>(
    document: &Document<'_>,
    member: &Member<'_, '_>,
    known: &[(&str, T)],
) -> Result<Vec<T>, PolicyError> {
    let list = document.array(member.value, member.name, "an array of words")?;
    list.into_iter()
        .map(|node| document.word(node, member.name, known))
        .collect()
}

fn globs(document: &Document<'_>, member: &Member<'_, '_>) -> Result<Vec<String>, PolicyError> {
    let list = document.array(member.value, member.name, "an array of places")?;
    list.into_iter()
        .map(|node| location(document, node, member.name))
        .collect()
}

/// `host:/glob`, `/glob`, a host, or `*`.
fn location(document: &Document<'_>, node: &Node<'_>, what: &str) -> Result<String, PolicyError> {
    let text = document.text(node, what)?;
    let host = match text.split_once(':') {
        Some((host, path)) if path.starts_with('/') => host,
        Some(_) => "",
        None if text.starts_with('/') => "*",
        None => text.as_str(),
    };
    if host.is_empty() || host.contains(['/', ' ']) {
        return Err(document.fault_at(
            document.line_of(node.span()),
            format!("{what} is {text:?}, expected host:/path, /path or a host, each with * and ? where wanted"),
        ));
    }
    Ok(text)
}

fn exceptions(
    document: &Document<'_>,
    section: &Member<'_, '_>,
    policy: &mut Policy,
) -> Result<(), PolicyError> {
    for node in document.array(section.value, "exceptions", "[[exceptions]]")? {
        let line = document.line_of(node.span());
        let mut exception = Exception {
            source: format!("{}:{line}", document.name),
            ..Exception::default()
        };
        for member in document.members(document.table(node, "exceptions")?) {
            // An empty text is a part that is lacking, which a finding tells.
            let text = || match member.value.get_ref() {
                DeValue::String(text) if text.trim().is_empty() => Ok(None),
                _ => document.text(member.value, member.name).map(Some),
            };
            let date = || document.date(member.value, member.name).map(Some);
            match member.name {
                "key" => exception.key = text()?,
                "flag" => {
                    exception.flag = Some(document.word(member.value, "flag", &flag_words())?);
                }
                "location" => {
                    exception.location = Some(location(document, member.value, "location")?);
                }
                "reason" => exception.reason = text()?,
                "ticket" => exception.ticket = text()?,
                "requester" => exception.requester = text()?,
                "approver" => exception.approver = text()?,
                "from" => exception.from = date()?,
                "until" => exception.until = date()?,
                _ => {
                    let known = [
                        "key",
                        "flag",
                        "location",
                        "reason",
                        "ticket",
                        "requester",
                        "approver",
                        "from",
                        "until",
                    ];
                    return Err(document.unknown(&member, "an exception", &known));
                }
            }
        }
        policy.exceptions.push(exception);
    }
    Ok(())
}
