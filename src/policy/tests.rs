//! Policies as files: what is taken, what is refused and where, and the round through `show`.

use super::*;
use jiff::civil::date;

/// Reads a policy from a text, with an included list of exceptions beside it.
fn read(text: &str) -> Result<Policy, PolicyError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(
        dir.path().join("more.toml"),
        "[[exceptions]]\nkey = \"K-2\"\nflag = \"weak\"\n",
    )
    .unwrap();
    std::fs::write(dir.path().join("bad.toml"), "\n[thresholds]\n").unwrap();
    read_policy(&path)
}

fn shown(policy: &Policy) -> String {
    let mut text = Vec::new();
    show(policy, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// A policy without what says where it is from.
fn bare(policy: &Policy) -> Policy {
    let mut bare = policy.clone();
    bare.name = String::new();
    bare.sha256 = String::new();
    bare.included.clear();
    bare.origins.clear();
    bare.owners = bare.owners.map(|(_, written)| (PathBuf::new(), written));
    for rule in &mut bare.places {
        rule.source = String::new();
    }
    for exception in &mut bare.exceptions {
        exception.source = String::new();
    }
    bare
}

const WHOLE: &str = r#"owners = "owners.csv"
include = ["more.toml"]

[thresholds]
expiring_days = 14
expiring_early_percent = 10
exception_max_days = 90

[severities]
expired = "critical"
unpaired = "low"
[severities.vendor]
exposed = "medium"

[keys]
rsa = [{ min_bits = 3072, until = 2029-12-31 }, { min_bits = 4096 }]
"Ed448*" = false
others = [{ until = "2035-12-31" }]

[curves]
P-224 = false

[hashes]
SHA-1 = true
SHA-224 = [{ until = 2027-06-30 }, { approved = false }]

[ssh]
RSA = [{ min_bits = 4096 }]

[post_quantum]
encryption_from = 2030-01-01

[rotation_days]
certificate = 397

[[places]]
kinds = ["private_key", "symmetric_key"]
types = ["certificate"]
environment = "prod"
allow = ["/etc/ssl/private/**", "web*:/etc/pki/"]
deny = ["/tmp/**"]

[[exceptions]]
key = "K-1"
flag = "exposed"
location = "web01:/srv/\"odd\"/**"
reason = "a \\ in it"
ticket = "SEC-1"
requester = "Ann"
approver = "Bob"
from = 2026-11-01
until = 2026-12-31
"#;

#[test]
fn policy_replaces_a_degree_but_never_lifts_info() {
    let mut policy = Policy::default();
    assert_eq!(policy.severity(Flag::Expired), Severity::High);
    policy.severities.insert(Flag::Expired, Severity::Critical);
    assert_eq!(policy.severity(Flag::Expired), Severity::Critical);
    assert_eq!(policy.graded(Flag::Expired, Severity::Info), Severity::Info);
    // A flag that is info by contract may be lifted as a whole.
    policy.severities.insert(Flag::Unpaired, Severity::Low);
    assert_eq!(policy.severity(Flag::Unpaired), Severity::Low);
}

#[test]
fn a_file_replaces_what_it_says_and_nothing_else() {
    let policy = read(WHOLE).unwrap();
    assert_eq!(policy.expiring_days, 14);
    assert_eq!(policy.severity(Flag::Expired), Severity::Critical);
    assert_eq!(policy.severity(Flag::Weak), Severity::High);
    assert_eq!(
        policy.of_class(Class::Vendor, Flag::Exposed),
        Some(Severity::Medium)
    );
    assert_eq!(policy.of_class(Class::Own, Flag::Exposed), None);
    let keys = &policy.approvals.keys;
    // Written in another case, it stands for what is built in.
    assert!(keys.0.contains_key("rsa") && !keys.0.contains_key("RSA"));
    assert!(keys.0.contains_key("EC"));
    let bits = |day| keys.demand(&["RSA"], day).unwrap().min_bits;
    assert_eq!(bits(date(2029, 12, 31)), Some(3072));
    assert_eq!(bits(date(2030, 1, 1)), Some(4096));
    assert_eq!(policy.rotation_days[&EntryKind::Certificate], 397);
    assert_eq!(policy.places[0].source, "policy.toml:36");
    assert_eq!(policy.exceptions.len(), 2);
    assert_eq!(policy.exceptions[0].source, "policy.toml:43");
    assert_eq!(policy.exceptions[1].source, "more.toml:1");
    assert_eq!(policy.included[0].0, "more.toml");
    let (path, written) = policy.owners.clone().unwrap();
    assert!(path.is_absolute() && written == "owners.csv");
}

#[test]
fn what_is_shown_reads_back_as_the_same_policy() {
    for policy in [Policy::built_in(), read(WHOLE).unwrap()] {
        let text = shown(&policy);
        let again = read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(bare(&again), bare(&policy), "{text}");
    }
}

#[test]
fn each_value_is_shown_with_its_origin_in_columns() {
    let text = shown(&read(WHOLE).unwrap());
    for line in [
        "expiring_days          = 14  # policy.toml:5",
        "exception_max_days     = 90  # policy.toml:7",
        "# weak                       = \"high\"      # built in, or by degree",
        "expired                      = \"critical\"  # policy.toml:10",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(text.contains("# more.toml:1\n"), "{text}");
    assert!(
        text.lines()
            .any(|l| l.starts_with("EC ") && l.ends_with("# built in")),
        "{text}"
    );
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let refused = |text: &str, line: usize, words: &str| {
        let error = read(text).unwrap_err().to_string();
        let place = format!("policy.toml:{line}: ");
        assert!(
            error.starts_with(&place) && error.contains(words),
            "{text}: {error}"
        );
    };
    let in_sections: &[(&str, &[(&str, &str)])] = &[
        (
            "[thresholds]",
            &[
                ("expiring_day = 3", "expiring_days"),
                (r#"expiring_days = "3""#, "expected an integer"),
                ("expiring_days = -3", "expected 0 to"),
                ("expiring_days = 99999999999", "expected 0 to"),
                ("expiring_early_percent = 101", "0 to 100"),
                ("exception_max_days = 0", "1 to"),
            ],
        ),
        (
            "[severities]",
            &[
                (r#"expird = "high""#, r#"has no "expird""#),
                (r#"expired = "hihg""#, "critical, high, medium, low, info"),
            ],
        ),
        (
            "[severities.vendor]",
            &[(r#"exposd = "low""#, r#"has no "exposd""#)],
        ),
        (
            "[keys]",
            &[
                ("RSA = 2048", "an array of steps"),
                ("RSA = []", "no step"),
                ("RSA = [{ bits = 2048 }]", r#"has no "bits""#),
                ("RSA = [{ min_bits = 2048 }, { min_bits = 3072 }]", "no end"),
                ("RSA = [{ until = 2030-13-31 }]", ""),
                ("RSA = [{ until = 2030-12-31T10:00:00Z }]", "no date"),
            ],
        ),
        (
            "[curves]",
            &[("P-256 = [{ min_bits = 3 }]", r#"has no "min_bits""#)],
        ),
        ("[hashes]", &[("others = false", "one by one")]),
        ("[post_quantum]", &[("from = 2030-01-01", "signature_from")]),
        (
            "[rotation_days]",
            &[
                ("certificates = 3", r#"has no "certificates""#),
                ("certificate = 0", "1 to"),
            ],
        ),
        (
            "[[places]]",
            &[
                (r#"allow = ["etc/ssl"]"#, "expected host:/path"),
                (r#"allow = ["web01:etc"]"#, "expected host:/path"),
            ],
        ),
        (
            "[[exceptions]]",
            &[
                (r#"flag = "exposd""#, "one of"),
                ("expires = 2026-12-31", r#"has no "expires""#),
                (r#"until = "soon""#, "no date"),
            ],
        ),
    ];
    for (section, wrong) in in_sections {
        for (value, words) in *wrong {
            refused(&format!("{section}\n{value}\n"), 2, words);
        }
    }
    for (text, line, words) in [
        ("\n[threshold]\n", 2, "has no \"threshold\""),
        ("thresholds = 3\n", 1, "expected a table"),
        (
            "[severities.vendors]\nexposed = \"low\"\n",
            1,
            "has no \"vendors\"",
        ),
        (
            "[keys]\nRSA = [\n{ until = 2030-12-31 },\n{ until = 2030-12-31 }]\n",
            4,
            "no later",
        ),
        (
            "[[places]]\nkinds = [\"private\"]\nallow = [\"/a\"]\n",
            2,
            "private_key",
        ),
        ("\n[[places]]\nkinds = [\"crl\"]\n", 2, "neither"),
        ("[exceptions]\nkey = \"a\"\n", 1, "expected [[exceptions]]"),
        ("owners = 3\n", 1, "a string"),
        ("owners = \"\"\n", 1, "empty"),
        ("a = 1\na = 2\n", 2, ""),
        ("\n\nx = [\n", 3, ""),
        ("\ninclude = [\"absent.toml\"]\n", 2, "absent.toml"),
    ] {
        refused(text, line, words);
    }
    let error = read("include = [\"bad.toml\"]\n").unwrap_err().to_string();
    assert!(error.starts_with("bad.toml:2: "), "{error}");
}

#[test]
fn a_broken_exception_is_no_error() {
    let policy = read("[[exceptions]]\nkey = \"K-1\"\napprover = \"\"\n").unwrap();
    assert_eq!(policy.exceptions[0].approver, None);
}
