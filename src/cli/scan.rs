//! `keymuster scan`.

use super::args::{Format, ScanArgs};
use super::config::Config;
use super::hosts::{self, HostTask};
use super::interrupt::{Cause, Stop};
use super::judge::{self, Judge};
use super::messages::Messages;
use super::output::{self, Target};
use super::passwords;
use super::progress::{self, Snapshot};
use crate::model::{Budgets, GapReason, Secret, Sweep};
use crate::pipeline::{self, PasswordBook, Progress, Request};
use crate::report;
use crate::report::escape::escape;
use crate::stores::pkcs11::Tokens;
use crate::walk::{self, HostRoot, WalkOptions};
use anyhow::bail;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

/// Sweeps, judges and writes; gives the exit code.
pub fn run(args: &ScanArgs) -> anyhow::Result<u8> {
    let messages = Messages::new(&args.output);
    let tasks = hosts::tasks(args)?;
    let stop = Stop::install(args.time_limit)?;
    if args.dry_run {
        return dry_run(args, &tasks, &stop, &messages);
    }
    // What can fail before a long sweep fails before it.
    let judge = Judge::load(&args.judge, &messages)?;
    let config = Config::load(args.config.as_deref())?;
    let secrets = Secrets {
        book: passwords::book(&args.secrets, &config)?,
        id_key: passwords::secret_id_key(&args.secrets)?,
        tokens: passwords::tokens(&args.secrets)?,
        agents: args.secrets.agents,
    };
    let budgets = config.budgets(args.shallow);
    if args.sweep.as_ref() == Some(&args.output.output) {
        bail!(
            "{}: named by both --output and --sweep",
            args.output.output.display()
        );
    }
    let output = Target::open(&args.output.output)?;
    let kept = args.sweep.as_deref().map(Target::open).transpose()?;
    let mut never = output::redirected();
    never.extend(output.own_files());
    never.extend(kept.iter().flat_map(Target::own_files));

    let mut sweeps = Vec::new();
    for task in &tasks {
        let options = WalkOptions {
            never: never.clone(),
            ..walk_options(args, &stop)
        };
        sweeps.push(sweep(task, options, budgets, &secrets, &stop, &messages)?);
    }
    if let Some(cause) = stop.cause() {
        messages.tell(match cause {
            Cause::Signal => "interrupted: the sweep is incomplete",
            Cause::TimeLimit => "time limit reached: the sweep is incomplete",
        });
    }
    if let Some(kept) = kept {
        kept.commit(|out| write_sweeps(&sweeps, out))?;
    }
    if args.output.format == Format::Jsonl && !judge.has_inventory() {
        output.commit(|out| write_sweeps(&sweeps, out))?;
        return judge.judge(sweeps).map(|judged| judged.exit_code);
    }
    let judged = judge.judge(sweeps)?;
    judge::write(&judged, &args.output, output)
}

fn write_sweeps(sweeps: &[Sweep], out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    sweeps
        .iter()
        .try_for_each(|sweep| report::sweep::write(sweep, &mut out))
}

fn walk_options(args: &ScanArgs, stop: &Stop) -> WalkOptions {
    WalkOptions {
        jobs: args.jobs.unwrap_or(0),
        exclude: args.exclude.clone(),
        max_depth: args.max_depth,
        one_file_system: args.one_file_system,
        network_mounts: args.network_mounts,
        fuse: args.fuse,
        never: Vec::new(),
        stop: stop.flag.clone(),
    }
}

/// What is tried on closed things, and the key under which guessable secrets are told.
struct Secrets {
    book: PasswordBook,
    id_key: Option<Secret>,
    tokens: Option<Tokens>,
    agents: bool,
}

fn sweep(
    task: &HostTask,
    walk: WalkOptions,
    budgets: Budgets,
    secrets: &Secrets,
    stop: &Stop,
    messages: &Messages,
) -> anyhow::Result<Sweep> {
    let request = Request {
        host: &task.name,
        root: &task.root,
        paths: &task.paths,
        walk,
        budgets,
        passwords: &secrets.book,
        secret_id_key: secrets.id_key.as_ref(),
        // They are this machine's, whose root is its own.
        tokens: secrets.tokens.as_ref().filter(|_| task.is_this_machine()),
        agents: secrets.agents && task.is_this_machine(),
        tool: super::tool(),
    };
    let progress = Progress::default();
    let snapshot = || Snapshot {
        files: progress.walk.files.load(Ordering::Relaxed),
        bytes: progress.walk.bytes.load(Ordering::Relaxed),
        found: progress.found.load(Ordering::Relaxed),
        directory: String::from_utf8_lossy(&progress.walk.current_directory()).into_owned(),
    };
    let cause = || match stop.cause() {
        Some(Cause::TimeLimit) => (GapReason::Limit, "time limit".to_owned()),
        _ => (GapReason::Interrupted, "stopped by a signal".to_owned()),
    };
    let swept = progress::show(messages.quiet(), &task.name, snapshot, || {
        pipeline::sweep(&request, &progress, &cause)
    })?;
    if swept.access_times_changed {
        messages.tell(&format!(
            "{}: the kernel did not permit to leave the access times of some files as they were",
            escape(&task.name)
        ));
    }
    let mut sweep = swept.sweep;
    // The report cites the sweep that it rests on by the digest that a stored one has.
    let digest = report::sweep::digest(&sweep);
    if let Some(end) = &mut sweep.end {
        end.sha256 = digest;
    }
    Ok(sweep)
}

/// Says what would be covered, and how much it is, without reading content.
fn dry_run(
    args: &ScanArgs,
    tasks: &[HostTask],
    stop: &Stop,
    messages: &Messages,
) -> anyhow::Result<u8> {
    let output = Target::open(&args.output.output)?;
    let mut text = Vec::new();
    let mut code = 0;
    for task in tasks {
        let root = HostRoot::open(&task.root)?;
        let progress = walk::Progress::default();
        let snapshot = || Snapshot {
            files: progress.files.load(Ordering::Relaxed),
            bytes: progress.bytes.load(Ordering::Relaxed),
            found: 0,
            directory: String::from_utf8_lossy(&progress.current_directory()).into_owned(),
        };
        let survey = progress::show(messages.quiet(), &task.name, snapshot, || {
            walk::survey(&root, &task.paths, &walk_options(args, stop), &progress)
        })?;
        if survey.stopped || survey.gaps.iter().any(|gap| gap.reason.makes_incomplete()) {
            code = super::INCOMPLETE;
        }
        let all = survey.gaps.len();
        let shown = if args.output.verbose {
            all
        } else {
            all.min(20)
        };
        report::survey::write(
            &report::survey::Survey {
                host: &task.name,
                directories: survey.directories,
                files: survey.files,
                bytes: survey.bytes,
                stopped: survey.stopped,
                gaps: survey.gaps.get(..shown).unwrap_or_default(),
                more_gaps: all - shown,
            },
            args.output.format == Format::Text,
            &mut text,
        )?;
    }
    output.commit(|out| out.write_all(&text))?;
    Ok(code)
}
