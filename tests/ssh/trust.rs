//! SSH trust over two hosts made with ssh-keygen. What sshd makes of the configuration is asked of sshd itself (`sshd -T
//! -C user=…`), what is in certificates and under hashed names of `ssh-keygen -L` and `-F`.

use crate::support::{expect, out};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SSHD: &str = "/usr/sbin/sshd";

/// Accounts that every Debian has, so that sshd knows their groups. Name, number, home, shell.
const ACCOUNTS: [(&str, u32, &str, &str); 5] = [
    ("root", 0, "/root", "/bin/bash"),
    ("daemon", 1, "/home/daemon", "/bin/sh"),
    ("games", 5, "/home/games", "/bin/bash"),
    ("backup", 34, "/var/backups", "/usr/sbin/nologin"),
    ("www-data", 33, "/var/www", "/bin/bash"),
];

const CONFIG: &str = r#"
# in front of everything
Include sshd_config.d/*.conf
Port 22
AuthorizedKeysFile	.ssh/authorized_keys "/etc/ssh/keys/of %u"
authorizedkeysfile /never/read
TrustedUserCAKeys = /etc/ssh/user_ca.pub
PermitRootLogin yes
Match Group games,!daemon
    AuthorizedKeysFile %h/.ssh/authorized_keys2 /srv/keys/%U
Match User back*,!root
    PubkeyAuthentication no
Match User games,daemon
    AuthorizedPrincipalsFile /etc/ssh/principals/%u
"#;

/// What an included file says, before all else.
const INCLUDED: &str =
    "PermitRootLogin prohibit-password\nMatch user www-data\nAuthorizedKeysFile none\n";

struct Estate {
    dir: tempfile::TempDir,
}

impl Estate {
    fn path(&self, place: &str) -> PathBuf {
        let (host, path) = place.split_once(':').unwrap();
        self.dir.path().join("hosts").join(host).join(&path[1..])
    }

    fn put(&self, place: &str, content: &str) {
        let path = self.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Makes a key pair; gives its public line.
    fn key(&self, name: &str, kind: &str) -> String {
        let file = self.dir.path().join(name);
        keygen(&[
            "-q",
            "-t",
            kind,
            "-N",
            "secret",
            "-C",
            name,
            "-f",
            text(&file),
        ]);
        fs::read_to_string(file.with_extension("pub")).unwrap()
    }

    /// Puts the private half of a key somewhere.
    fn hold(&self, name: &str, place: &str) {
        let private = fs::read_to_string(self.dir.path().join(name)).unwrap();
        self.put(place, &private);
    }

    fn scan(&self, more: &[&str]) -> Value {
        let hosts = self.dir.path().join("hosts");
        let mut args = vec![
            "scan",
            "--hosts-under",
            text(&hosts),
            "-f",
            "json",
            "--no-default-passwords",
        ];
        args.extend(more);
        serde_json::from_str(&out(&expect(0, &args))).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn keygen(args: &[&str]) -> String {
    let output = Command::new("ssh-keygen").args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ssh-keygen {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn passwd() -> String {
    let line = |(name, uid, home, shell): &(&str, u32, &str, &str)| {
        format!("{name}:x:{uid}:{}:{name}:{home}:{shell}\n", gid(name))
    };
    ACCOUNTS.iter().map(line).collect()
}

fn gid(name: &str) -> u32 {
    match name {
        "games" => 60,
        name => ACCOUNTS.iter().find(|a| a.0 == name).unwrap().1,
    }
}

fn group() -> String {
    let line = |a: &(&str, u32, &str, &str)| format!("{}:x:{}:\n", a.0, gid(a.0));
    ACCOUNTS.iter().map(line).collect()
}

/// An estate of two hosts, of which `web01` has the configuration.
fn estate() -> Estate {
    let estate = Estate {
        dir: tempfile::tempdir().unwrap(),
    };
    for host in ["web01", "db01"] {
        estate.put(&format!("{host}:/etc/passwd"), &passwd());
        estate.put(&format!("{host}:/etc/group"), &group());
    }
    estate.put("web01:/etc/ssh/sshd_config", CONFIG);
    estate.put("web01:/etc/ssh/sshd_config.d/10-first.conf", INCLUDED);
    estate
}

/// One line of `sshd -T` for an account: its words.
fn asked(estate: &Estate, account: &str, keyword: &str) -> Vec<String> {
    // sshd looks for included files where it is installed: here they are named as they lie.
    let config = fs::read_to_string(estate.path("web01:/etc/ssh/sshd_config")).unwrap();
    let absolute = estate.path("web01:/etc/ssh/sshd_config.d");
    let config = config.replace("sshd_config.d", text(&absolute));
    let file = estate.dir.path().join(format!("sshd-{account}"));
    fs::write(&file, config).unwrap();
    let key = estate.dir.path().join(format!("host-{account}"));
    if !key.exists() {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", text(&key)]);
    }
    // It wants this directory even where it only tells.
    fs::create_dir_all("/run/sshd").unwrap();
    let connection = format!("user={account},host=client,addr=192.0.2.7");
    let output = Command::new(SSHD)
        .args(["-T", "-f", text(&file), "-h", text(&key), "-C", &connection])
        .output()
        .expect("sshd: apt-get install openssh-server");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "sshd -T: {said}");
    let told = String::from_utf8(output.stdout).unwrap();
    let mut lines = told.lines().map(str::split_whitespace);
    let found = lines.find_map(|mut words| {
        (words.next()? == keyword).then(|| words.map(str::to_owned).collect())
    });
    found.unwrap_or_default()
}

/// Host, account and state of each access of a key by its comment.
fn of_key(report: &Value, comment: &str) -> BTreeSet<(String, String, String)> {
    let keys = report["keys"].as_array().unwrap();
    let named = |key: &&Value| {
        let seen = key["sightings"].as_array().unwrap();
        seen.iter().any(|s| s["ssh"]["comment"] == comment)
    };
    let id = &keys.iter().find(named).unwrap()["key_id"];
    let access = report["access"].as_array().unwrap();
    let word = |a: &Value, name: &str| a[name].as_str().unwrap_or("-").to_owned();
    access
        .iter()
        .filter(|a| a["key_id"] == *id)
        .map(|a| (word(a, "host"), word(a, "account"), word(a, "state")))
        .collect()
}

fn set(list: &[(&str, &str, &str)]) -> BTreeSet<(String, String, String)> {
    let owned =
        |(a, b, c): &(&str, &str, &str)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn files_are_read_as_sshd_says() {
    let estate = estate();
    // One key in each file that one of the accounts might have.
    let mut places = BTreeSet::new();
    for (name, uid, home, _) in ACCOUNTS {
        for file in [
            format!("{home}/.ssh/authorized_keys"),
            format!("{home}/.ssh/authorized_keys2"),
            format!("/etc/ssh/keys/of %{name}").replace('%', ""),
            format!("/srv/keys/{uid}"),
        ] {
            places.insert(file);
        }
    }
    places.insert("/never/read".to_owned());
    let line = estate.key("probe", "ed25519");
    for place in &places {
        estate.put(&format!("web01:{place}"), &line);
    }

    // By sshd: which account reads which file, and whether keys are taken at all.
    let mut wanted = BTreeSet::new();
    for (name, uid, home, _) in ACCOUNTS {
        let files = asked(&estate, name, "authorizedkeysfile").join(" ");
        let files = files.replace("/etc/ssh/keys/of %u", "/etc/ssh/keys/of\u{1}%u");
        let open = asked(&estate, name, "pubkeyauthentication") == ["yes"]
            && (uid != 0 || asked(&estate, name, "permitrootlogin") != ["no"]);
        for file in files.split(' ').filter(|f| *f != "none") {
            let file = file.replace('\u{1}', " ").replace("%u", name);
            let file = file.replace("%U", &uid.to_string()).replace("%h", home);
            let file = if file.starts_with('/') {
                file
            } else {
                format!("{home}/{file}")
            };
            wanted.insert((
                file,
                name.to_owned(),
                if open { "open" } else { "refused" }.to_owned(),
            ));
        }
    }
    assert!(wanted.len() >= 7, "{wanted:?}");

    let report = estate.scan(&[]);
    let access = report["access"].as_array().unwrap();
    let told: BTreeSet<(String, String, String)> = access
        .iter()
        .filter(|a| a["state"] != "not_read")
        .map(|a| ["path", "account", "state"].map(|name| a[name].as_str().unwrap().to_owned()))
        .map(|[path, account, state]| (path, account, state))
        .collect();
    assert_eq!(told, wanted);

    // Every other file is told as one that sshd does not read; by its name alone where it is a grant.
    let read: BTreeSet<&str> = wanted.iter().map(|(file, ..)| file.as_str()).collect();
    let sightings = report["keys"][0]["sightings"].as_array().unwrap();
    assert_eq!(sightings.len(), places.len());
    for s in sightings {
        let path = s["location"]["path"].as_str().unwrap();
        let by_name = path.contains("/authorized_keys");
        let kind = if read.contains(path) || by_name {
            "authorized_key"
        } else {
            "public_key"
        };
        assert_eq!(s["kind"], kind, "{path}");
        if kind == "authorized_key" {
            assert_eq!(s["ssh"]["read_by_sshd"], read.contains(path), "{path}");
        }
    }
}

#[test]
fn certificates_and_their_authority() {
    let estate = estate();
    let authority = estate.key("user-ca", "ed25519");
    estate.put(
        "web01:/etc/ssh/user_ca.pub",
        &format!("# signs for people\n{authority}"),
    );
    estate.put("web01:/etc/ssh/principals/games", "# roles\noperators\n");
    let user = estate.key("eve", "rsa");
    estate.hold("eve", "db01:/home/games/.ssh/id_rsa");
    let ca = estate.dir.path().join("user-ca");
    let public = estate.dir.path().join("eve.pub");
    keygen(&[
        "-q",
        "-s",
        text(&ca),
        "-P",
        "secret",
        "-I",
        "eve@example.test",
        "-n",
        "operators,www-data",
        "-O",
        "source-address=192.0.2.0/24",
        "-V",
        "20260101:20280101",
        text(&public),
    ]);
    let certificate = fs::read_to_string(estate.dir.path().join("eve-cert.pub")).unwrap();
    estate.put("db01:/home/games/.ssh/id_rsa-cert.pub", &certificate);
    // An authority that one account trusts, and that has signed nothing.
    let other = estate.key("other-ca", "ed25519");
    let line = format!("cert-authority,principals=\"auditors\" {other}");
    estate.put("web01:/home/daemon/.ssh/authorized_keys", &line);
    assert!(!user.is_empty());

    // Which account trusts which authority, by sshd; which names the certificate has, by ssh-keygen.
    let shown = keygen(&[
        "-L",
        "-f",
        text(&estate.path("db01:/home/games/.ssh/id_rsa-cert.pub")),
    ]);
    for name in ["operators", "www-data", "eve@example.test"] {
        assert!(shown.contains(name), "{shown}");
    }
    let mut wanted = BTreeSet::new();
    for (name, uid, _, shell) in ACCOUNTS {
        assert_eq!(
            asked(&estate, name, "trustedusercakeys"),
            ["/etc/ssh/user_ca.pub"]
        );
        if shell.ends_with("nologin") {
            continue;
        }
        let names = match asked(&estate, name, "authorizedprincipalsfile")
            .first()
            .map(String::as_str)
        {
            Some("none") | None => name.to_owned(),
            Some(file) => {
                let file = estate.path(&format!("web01:{}", file.replace("%u", name)));
                fs::read_to_string(file).unwrap_or_default()
            }
        };
        let lines: Vec<&str> = names.lines().collect();
        if lines.contains(&"operators") || lines.contains(&"www-data") {
            wanted.insert((name.to_owned(), u64::from(uid)));
        }
    }
    assert_eq!(wanted.len(), 2, "{wanted:?}");
    let report = estate.scan(&["--now", "2026-11-25"]);
    let access = report["access"].as_array().unwrap();
    let by_certificate: Vec<&Value> = access
        .iter()
        .filter(|a| a["via"] == "certificate")
        .collect();
    let told = by_certificate
        .iter()
        .map(|a| {
            (
                a["account"].as_str().unwrap().to_owned(),
                a["uid"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(wanted, told);
    for a in &by_certificate {
        assert_eq!(a["host"], "web01");
        assert_eq!(a["from"], "192.0.2.0/24");
        assert_eq!(a["certificate"], "eve@example.test");
        assert_eq!(a["held_at"][0], "db01:/home/games/.ssh/id_rsa");
    }
    assert_eq!(
        of_key(&report, "other-ca"),
        set(&[("web01", "daemon", "open")])
    );
    // A year too late.
    let late = estate.scan(&["--now", "2028-11-25"]);
    let states: BTreeSet<&str> = late["access"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|a| a["via"] == "certificate")
        .map(|a| a["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, BTreeSet::from(["expired"]));
}

/// What cloud-init writes before the key of root where an image has another account to log in with.
const REFUSAL: &str = r#"no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="echo 'Please login as the user \"debian\" rather than the user \"root\".';echo;sleep 10;exit 142""#;

#[test]
fn grants_orphans_and_where_the_key_is_held() {
    let estate = estate();
    let [admin, lost, closed, job] =
        ["admin", "lost", "closed", "job"].map(|name| estate.key(name, "ed25519"));
    estate.hold("admin", "db01:/home/daemon/.ssh/id_ed25519");
    let lines = format!(
        "{admin}{lost}{REFUSAL} {closed}restrict,command=\"/usr/bin/dump\",from=\"192.0.2.1\" {job}expiry-time=\"20260630\" {}",
        estate.key("past", "ed25519")
    );
    estate.put("web01:/root/.ssh/authorized_keys", &lines);
    let stored = estate.dir.path().join("sweeps");
    let report = estate.scan(&["--estate", "--now", "2026-11-25", "--sweep", text(&stored)]);
    let on_root = |state| set(&[("web01", "root", state)]);
    for (comment, state) in [
        ("admin", "open"),
        ("lost", "open"),
        ("closed", "disabled"),
        ("job", "command"),
        ("past", "expired"),
    ] {
        assert_eq!(of_key(&report, comment), on_root(state), "{comment}");
    }
    let orphans: BTreeSet<(&str, &str)> = report["keys"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|key| {
            let comment = key["sightings"]
                .as_array()
                .unwrap()
                .iter()
                .find_map(|s| s["ssh"]["comment"].as_str());
            let flags = key["flags"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|f| f["flag"] == "access_orphan");
            flags.map(move |f| (comment.unwrap(), f["severity"].as_str().unwrap()))
        })
        .collect();
    assert_eq!(
        orphans,
        BTreeSet::from([("lost", "high"), ("job", "low"), ("past", "info")])
    );

    // A stored sweep has all that is needed, and the texts say it.
    let again = [
        "reconcile",
        text(&stored),
        "--estate",
        "--now",
        "2026-11-25",
    ];
    let json: Value =
        serde_json::from_str(&out(&expect(0, &[&again[..], &["-f", "json"]].concat()))).unwrap();
    assert_eq!(json["access"], report["access"]);
    let summary = out(&expect(0, &again));
    for part in [
        "3 keys to 1 account on 1 host · 2 grants let nobody in",
        "root: 3 accesses on web01, 1 of them for one command",
        "nobody known holds 2 keys",
    ] {
        assert!(summary.contains(part), "{summary}");
    }
    let sweep = out(&expect(
        0,
        &["explain", "/home/daemon/.ssh/id_ed25519", text(&stored)],
    ));
    for part in [
        "opens\n    web01:root, by a grant in /root/.ssh/authorized_keys, line 1\n",
        "held at db01:/home/daemon/.ssh/id_ed25519",
    ] {
        assert!(sweep.contains(part), "{sweep}");
    }
}

#[test]
fn a_known_host_that_the_host_contradicts() {
    let estate = estate();
    let [now, before] = ["now", "before"].map(|name| estate.key(name, "ed25519"));
    estate.hold("now", "db01:/etc/ssh/ssh_host_ed25519_key");
    let bare = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let file = estate.path("web01:/home/games/.ssh/known_hosts");
    estate.put(
        "web01:/home/games/.ssh/known_hosts",
        &format!("db01 {}\n", bare(before.trim())),
    );
    keygen(&["-q", "-H", "-f", text(&file)]);
    fs::remove_file(file.with_extension("old")).unwrap();
    assert!(keygen(&["-F", "db01", "-f", text(&file)]).contains("found: line 1"));
    assert!(!fs::read_to_string(&file).unwrap().contains("db01"));
    let contradicted = |report: &Value| {
        let flags = report["keys"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|k| k["flags"].as_array().unwrap());
        flags
            .filter(|f| f["flag"] == "mismatch")
            .map(|f| f["place"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        contradicted(&estate.scan(&[])),
        ["web01:/home/games/.ssh/known_hosts"]
    );
    // With the right key beside it, the client is content.
    let both = fs::read_to_string(&file).unwrap() + &format!("db01 {}\n", bare(now.trim()));
    fs::write(&file, both).unwrap();
    assert!(contradicted(&estate.scan(&[])).is_empty());
}

#[test]
fn what_cannot_be_followed_is_a_gap() {
    let estate = estate();
    let key = estate.key("gone", "ed25519");
    let list = estate.dir.path().join("gone.pub");
    let revoked = estate.path("web01:/etc/ssh/revoked");
    keygen(&["-q", "-k", "-f", text(&revoked), text(&list)]);
    let config = format!(
        "RevokedKeys /etc/ssh/revoked\nAuthorizedKeysCommand /usr/bin/ask %u\nAuthorizedKeysCommandUser nobody\n{CONFIG}"
    );
    estate.put("web01:/etc/ssh/sshd_config", &config);
    estate.put("web01:/root/.ssh/authorized_keys", &key);
    let report = estate.scan(&[]);
    let gaps: BTreeSet<(&str, &str)> = report["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (g["path"].as_str().unwrap(), g["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        gaps,
        BTreeSet::from([
            ("/etc/ssh/revoked", "unsupported"),
            ("/etc/ssh/sshd_config", "unsupported")
        ])
    );
    assert_eq!(of_key(&report, "gone"), set(&[("web01", "root", "open")]));
    // As text the list is read.
    estate.put("web01:/etc/ssh/revoked", &key);
    assert_eq!(
        of_key(&estate.scan(&[]), "gone"),
        set(&[("web01", "root", "refused")])
    );
}
