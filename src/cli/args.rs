//! What was typed. Reading it needs no system call; what it means is worked out in the commands.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Calls the roll of every cryptographic key on a machine and holds it against the register.
#[derive(Debug, Parser)]
#[command(name = "keymuster", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes, as bits: 0 nothing at or above --fail-on and the sweep complete; 1 findings at or above it; \
4 incomplete sweep, or a host of --hosts without one; 5 both; 2 alone: usage or input error, or an output that could not be written.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sweep file systems for keys; with an inventory, reconcile at once
    Scan(Box<ScanArgs>),
    /// Hold stored sweeps, of one host or many, against an inventory
    Reconcile(ReconcileArgs),
    /// Tell all about one key, fingerprint, path or entry: where, matched how, flagged why
    Explain(ExplainArgs),
    /// Tell the policy by which keys are judged
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Read an inventory by itself
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// Ask one PKCS#11 module; the parent process calls this
    #[command(name = crate::stores::pkcs11::CHILD, hide = true)]
    Pkcs11Child,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Files and directories to sweep, as the host sees them [default: /]
    pub paths: Vec<PathBuf>,
    /// Name of the host [default: the machine's name]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["host_roots", "hosts_under"])]
    pub host: Option<String>,
    /// Take DIR as the root directory of host NAME (repeatable)
    #[arg(long = "host-root", value_name = "NAME=DIR")]
    pub host_roots: Vec<String>,
    /// Take each directory in DIR as the root of the host of that name
    #[arg(long, value_name = "DIR")]
    pub hosts_under: Vec<PathBuf>,
    /// Leave out what matches (`*` stays within a name, `**` crosses `/`; repeatable)
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Descend at most this many directories below each root
    #[arg(long, value_name = "N")]
    pub max_depth: Option<usize>,
    /// Stay on the file system of each root
    #[arg(long)]
    pub one_file_system: bool,
    /// Enter network file systems
    #[arg(long)]
    pub network_mounts: bool,
    /// Enter FUSE file systems
    #[arg(long)]
    pub fuse: bool,
    /// Leave compressed files, archives and images closed, for a quick look
    #[arg(long)]
    pub shallow: bool,
    /// Configuration in TOML: budgets, passwords for some paths
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Threads [default: one a processor]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// End after this long with a valid, incomplete sweep (`90s`, `15m`, `2h`)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub time_limit: Option<Duration>,
    /// Say what would be covered, and how much it is, without reading content
    #[arg(long, conflicts_with_all = ["inventories", "sweep"])]
    pub dry_run: bool,
    /// Keep the sweep in FILE too
    #[arg(long, value_name = "FILE")]
    pub sweep: Option<PathBuf>,
    /// What to try on closed things.
    #[command(flatten)]
    pub secrets: SecretArgs,
    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// What to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What to try on closed things, and how secrets are told.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// Try these passwords on closed keystores and keys: one a line, blanks kept, an empty line is the
    /// empty password [default: the file that KEYMUSTER_PASSWORDS_FILE names]
    #[arg(long, value_name = "FILE")]
    pub passwords: Option<PathBuf>,
    /// Do not try the short built-in list of default passwords
    #[arg(long)]
    pub no_default_passwords: bool,
    /// Try texts that lie beside a closed thing and name themselves its password
    #[arg(long)]
    pub use_found_passwords: bool,
    /// Tell secrets that could be guessed by an HMAC under the key in FILE
    #[arg(long, value_name = "FILE")]
    pub secret_id_key: Option<PathBuf>,
    /// Ask the tokens of this PKCS#11 module (repeatable)
    #[arg(long, value_name = "PATH")]
    pub pkcs11_module: Vec<PathBuf>,
    /// Ask the tokens of every module that p11-kit knows
    #[arg(long)]
    pub pkcs11: bool,
    /// PINs of tokens: lines LABEL=PIN, or one PIN for the only token [default: KEYMUSTER_PKCS11_PIN]
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Ask the SSH and GnuPG agents of this machine for the keys that they hold
    #[arg(long)]
    pub agents: bool,
}

/// Arguments of `reconcile`.
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// Stored sweeps (`-` is standard input)
    #[arg(required = true, value_name = "SWEEP")]
    pub sweeps: Vec<PathBuf>,
    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// What to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A key id, finding id, fingerprint in any spelling, path (with or without `host:`) or entry id
    pub id: String,
    /// Stored sweeps, or a report written with `-f json` (`-` is standard input)
    #[arg(required = true, value_name = "SWEEP")]
    pub sweeps: Vec<PathBuf>,
    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// What to write.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What to do with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the policy in force as TOML, with the origin of each value
    Show(ShowArgs),
}

/// Arguments of `policy show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The policy [default: the one built in]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Write to FILE (mode 0600) instead of standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// What to do with an inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// Tell how an export is understood, how much of it is usable, and what is doubtful
    Check(CheckArgs),
    /// Write the rows of exports in columns of our own
    Convert(ConvertArgs),
    /// Write the rows that an export lacks or has wrong, in its own form and columns
    Propose(ProposeArgs),
}

/// Arguments of `inventory convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Exports: files, `sqlite:FILE?table=NAME` or `postgres://…?table=NAME` (or `query=`)
    #[arg(required = true, value_name = "FILE")]
    pub inventories: Vec<PathBuf>,
    /// The form to write
    #[arg(long, value_enum, value_name = "FORM")]
    pub to: ConvertForm,
    /// How to read them.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Convert an export although more than a fifth of it is unusable, a page of it is lacking, or it is suspiciously one-sided:
    /// what is written does not show that
    #[arg(long)]
    pub allow_partial_inventory: bool,
    /// Write to FILE (mode 0600) instead of standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// No messages
    #[arg(short, long)]
    pub quiet: bool,
}

/// Forms that exports are converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConvertForm {
    /// CSV in UTF-8
    Csv,
    /// A workbook of one sheet
    Xlsx,
    /// One JSON array
    Json,
    /// A JSON object a line
    Jsonl,
    /// A YAML list
    Yaml,
    /// CycloneDX 1.6
    #[value(name = "cbom-1.6")]
    Cbom16,
    /// CycloneDX 1.7
    #[value(name = "cbom", alias = "cbom-1.7")]
    Cbom17,
}

/// Arguments of `inventory propose`.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// Stored sweeps, or a report written with `-f json` (`-` is standard input)
    #[arg(required = true, value_name = "SWEEP")]
    pub sweeps: Vec<PathBuf>,
    /// Exports that the keys are held against; rows are written for the first (repeatable)
    #[arg(short, long = "inventory", value_name = "FILE", required = true)]
    pub inventories: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Use an inventory although more than a fifth of it is unusable, a page of it is lacking, or it is suspiciously one-sided
    #[arg(long)]
    pub allow_partial_inventory: bool,
    /// Judge as of this time (RFC 3339, or a date) [default: now]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Write the whole export with the proposals taken over; rows that are right stay as they are
    #[arg(long)]
    pub whole: bool,
    /// Say in a last column of each row whether it is new or changed, and why
    #[arg(long, conflicts_with = "whole")]
    pub reasons: bool,
    /// Write to FILE (mode 0600) instead of standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// No messages
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell each row, and why
    #[arg(short, long)]
    pub verbose: bool,
}

/// Arguments of `inventory check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Exports: files, `sqlite:FILE?table=NAME` or `postgres://…?table=NAME` (or `query=`)
    #[arg(required = true, value_name = "FILE")]
    pub inventories: Vec<PathBuf>,
    /// How to read them.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// People who may own keys: CSV with a column owner, name, mail or email, and an optional status
    #[arg(long, value_name = "FILE")]
    pub owners: Option<PathBuf>,
    /// Check as of this time (RFC 3339, or a date) [default: now]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write to FILE (mode 0600) instead of standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Tell every fault, and not only the first ones of a kind
    #[arg(short, long)]
    pub verbose: bool,
}

/// How exports are read; shared by the commands.
#[derive(Debug, Clone, Args)]
pub struct ReadingArgs {
    /// Take FIELD from COLUMN where the header is not understood (repeatable)
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub map: Vec<String>,
    /// Understand exports by this profile where it fits, before those that are built in (repeatable)
    #[arg(long = "profile", value_name = "FILE")]
    pub profiles: Vec<PathBuf>,
    /// The date that the exports are of (RFC 3339, or a date) [default: their own, else the files']
    #[arg(long, value_name = "DATE")]
    pub inventory_as_of: Option<String>,
}

/// How to judge; shared by the commands.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Hold the keys against this export: CSV, XLSX, ODS, JSON, YAML, CycloneDX, an earlier report or sweep, an SQLite file,
    /// `sqlite:FILE?table=NAME` or `postgres://…?table=NAME`; of several the first counts (repeatable)
    #[arg(short, long = "inventory", value_name = "FILE")]
    pub inventories: Vec<PathBuf>,
    /// How to read the exports.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// People who may own keys: CSV with a column owner, name, mail or email, and an optional status
    #[arg(long, value_name = "FILE")]
    pub owners: Option<PathBuf>,
    /// Judge by this policy in TOML: thresholds, severities, approved algorithms, places, rotation periods, exceptions
    /// [default: built in; `keymuster policy show` prints it]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Hosts that should have been swept: CSV or any form of an inventory, with a column host or name, and aliases,
    /// environment, scope, owner, machine id; one that is in scope and has no sweep makes the exit code incomplete
    #[arg(long, value_name = "FILE")]
    pub hosts: Option<PathBuf>,
    /// Let sweeps that are older than this (`7d`, `12h`) prove no absence; their hosts count as not reported
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub max_sweep_age: Option<jiff::SignedDuration>,
    /// The sweeps are all of the estate: a private key that none of them has is nowhere
    #[arg(long)]
    pub estate: bool,
    /// Use an inventory although more than a fifth of it is unusable, a page of it is lacking, or it is suspiciously one-sided
    #[arg(long)]
    pub allow_partial_inventory: bool,
    /// Judge as of this time (RFC 3339, or a date) [default: now]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Exit with 1 at findings of this severity or above, or with these flags (comma-separated), or `none`
    /// [default: high with an inventory, none without]
    #[arg(long, value_name = "SEVERITY|FLAGS")]
    pub fail_on: Option<String>,
    /// Let --fail-on count only findings that are new or worse than in this earlier report (`-f json`)
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
    /// Gaps that do not make the exit code incomplete: reasons and path globs, comma-separated
    #[arg(long, value_name = "REASON|GLOB", value_delimiter = ',')]
    pub allow_gaps: Vec<String>,
}

/// What to write, and how much of it; shared by the commands.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write to FILE (mode 0600) instead of standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// No progress and no messages
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More detail: all findings, all gaps, inventory faults
    #[arg(short, long)]
    pub verbose: bool,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A summary for people
    Text,
    /// The report as one JSON document
    Json,
    /// Without inventory the sweep, with one the report, as JSON Lines
    Jsonl,
}

/// Reads `7d`, `2w`, `12h`, `30m`.
fn age(text: &str) -> Result<jiff::SignedDuration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let minutes: i64 = match text.get(digits.len()..).unwrap_or_default() {
        "m" | "min" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return Err("expected a number with m, h, d or w".to_owned()),
    };
    digits
        .parse::<i64>()
        .ok()
        .filter(|number| *number > 0)
        .and_then(|number| number.checked_mul(minutes)?.checked_mul(60))
        .map(jiff::SignedDuration::from_secs)
        .ok_or_else(|| "expected a whole number with m, h, d or w".to_owned())
}

/// Reads `90`, `90s`, `15m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let factor: f64 = match unit {
        "" | "s" | "sec" => 1.0,
        "ms" => 0.001,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("expected a number with s, m or h".to_owned()),
    };
    digits
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * factor).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a number with s, m or h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ages_have_units() {
        let hours = jiff::SignedDuration::from_hours;
        assert_eq!(age("7d"), Ok(hours(168)));
        assert_eq!(age("2w"), Ok(hours(336)));
        assert_eq!(age("12h"), Ok(hours(12)));
        for text in ["7", "0d", "-1d", "d", "1.5d", "99999999999999999d"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert!(duration("0").is_err() && duration("x").is_err() && duration("-1s").is_err());
    }
}
