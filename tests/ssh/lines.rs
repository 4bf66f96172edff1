//! Lines of text: public keys, grants, host keys, certificates, and RFC 4716.

use super::*;
use keymuster::model::{GapReason, Kind, Ssh};

fn hosts_of(artifact: &Artifact) -> Vec<&str> {
    ssh(artifact).hosts.iter().map(AsRef::as_ref).collect()
}

fn ssh(artifact: &Artifact) -> &Ssh {
    artifact.ssh.as_deref().expect("SSH facts")
}

fn comment(artifact: &Artifact) -> Option<&str> {
    artifact.ssh.as_ref()?.comment.as_deref()
}

/// A public line without its comment.
fn bare(bench: &Bench, name: &str) -> String {
    let line = bench.read(&format!("{name}.pub"));
    line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")
}

fn one_key() -> (Bench, String) {
    let bench = Bench::new();
    bench.key("key", &["-t", "ed25519"]);
    let line = bare(&bench, "key");
    (bench, line)
}

#[test]
fn every_type_has_the_fingerprints_that_ssh_keygen_prints() {
    let bench = Bench::new();
    for (name, arguments) in TYPES {
        bench.key(name, arguments);
        let file = format!("{name}.pub");
        let artifact = read_file(bench.read(&file).as_bytes(), &file).only();
        assert_eq!(artifact.kind, Kind::PublicKey);
        assert_eq!(artifact.format, "openssh_public");
        assert_eq!(artifact.offset, 0);
        assert_eq!(comment(&artifact), Some(&*format!("{name} comment")));
        let path = bench.path(&file);
        assert_eq!(
            [sha256(blob(&artifact))],
            *bench.fingerprints(&path, "sha256")
        );
        assert_eq!([md5(blob(&artifact))], *bench.fingerprints(&path, "md5"));

        // The same by way of RFC 4716.
        let exported = bench.keygen(&["-e", "-f", &file]);
        for text in [
            exported.clone(),
            exported.replace('\n', "\r\n"),
            exported.trim_end().to_owned(),
            exported.replace('\n', "\n    "),
            format!(
                "{{\"key\": \"{}\"}}",
                exported.trim_end().replace('"', "").replace('\n', "\\n")
            ),
        ] {
            let found = read_file(text.as_bytes(), "export").only();
            assert_eq!(found.format, "rfc4716");
            assert_eq!(found.kind, Kind::PublicKey);
            assert_eq!(blob(&found), blob(&artifact), "{text}");
            assert!(
                comment(&found).unwrap().contains("converted by"),
                "{found:?}"
            );
        }
    }
}

#[test]
fn fido_and_unknown_algorithms_are_keys() {
    let bench = Bench::new();
    let line = format!(
        "sk-ssh-ed25519@openssh.com {} token\n",
        STANDARD.encode(fido_blob())
    );
    let path = bench.write("sk.pub", &line);
    let artifact = read_file(line.as_bytes(), "sk.pub").only();
    assert_eq!(
        [sha256(blob(&artifact))],
        *bench.fingerprints(&path, "sha256")
    );

    let mut unknown = Vec::new();
    put(&mut unknown, b"ssh-mldsa-65");
    put(&mut unknown, &[7; 1952]);
    let line = format!("ssh-mldsa-65 {}", STANDARD.encode(&unknown));
    let artifact = read_file(line.as_bytes(), "x").only();
    assert_eq!(blob(&artifact), unknown);
    assert!(artifact.ssh.is_none());
    // The name on the line must be that in the blob.
    for other in ["ssh-mldsa-6", "xssh-mldsa-65", "ssh-rsa", ""] {
        let told = read_file(
            format!("{other} {}", STANDARD.encode(&unknown)).as_bytes(),
            "x",
        );
        assert!(
            told.artifacts.is_empty() && told.faults.is_empty(),
            "{other}"
        );
    }
}

#[test]
fn a_file_of_grants_is_told_line_by_line() {
    let bench = Bench::new();
    bench.key("a", &["-t", "ed25519"]);
    bench.key("b", &["-t", "ecdsa"]);
    let (a, b) = (bare(&bench, "a"), bare(&bench, "b"));
    let text = format!(
        "# keys of the host\n\
         {a} plain one\n\
         \t{b}\r\n\
         command=\"echo \\\"{a} x\\\" # no\",from=\"10.0.0.0/8,*.example.com\",NO-pty {b} with options\n\
         #{a} left\n\
         restrict,expiry-time=\"20300102Z\",cert-authority,principals=\"root,web\" {a}\n\
         expiry-time=\"203001020304\" {b} local\n\
         {} broken\n\
         future=\"1\" {a} \u{fffd}\n\
         {b}",
        &a[..60]
    );
    let mut bytes = text.replace('\u{fffd}', "?").into_bytes();
    let marked = bytes.iter().rposition(|b| *b == b'?').unwrap();
    bytes[marked] = 0xff;
    let told = read_file(&bytes, "authorized_keys");

    let kinds: Vec<_> = told.artifacts.iter().map(|a| a.kind).collect();
    let [grant, lone] = [Kind::AuthorizedKey, Kind::PublicKey];
    // The key inside the command is one amid other text.
    assert_eq!(
        kinds,
        [grant, grant, lone, grant, lone, grant, grant, grant, grant]
    );
    let [
        plain,
        bare,
        quoted,
        options,
        commented,
        restricted,
        local,
        future,
        last,
    ] = <[Artifact; 9]>::try_from(told.artifacts).unwrap();
    assert_eq!(comment(&plain), Some("plain one"));
    assert_eq!(plain.format, "authorized_keys");
    assert!(bare.ssh.is_none());
    assert_eq!(bytes[bare.offset..][..5], *b"ecdsa");
    assert_eq!(comment(&quoted), Some("x"));
    assert_eq!(blob(&options), bench.public_blob("b.pub"));
    assert_eq!(comment(&options), Some("with options"));
    let written = ssh(&options).options.as_deref().unwrap();
    assert!(written.starts_with("command=\"echo \\\"ssh-") && written.ends_with(",NO-pty"));
    assert_eq!(bytes[options.offset..][..7], *b"command");
    assert_eq!(commented.notes, ["on a commented-out line"]);
    assert_eq!(bytes[commented.offset..][..7], *b"ssh-ed2");
    assert_eq!(
        ssh(&restricted).rare().marker.as_deref(),
        Some("cert-authority")
    );
    assert_eq!(ssh(&restricted).rare().principals, ["root", "web"]);
    let end = ssh(&restricted).rare().valid_before.unwrap().to_string();
    assert_eq!(end, "2030-01-02T00:00:00Z");
    assert_eq!(restricted.notes.len(), 0);
    assert_eq!(
        local.notes,
        ["expiry-time is in the host's time zone, taken as UTC"]
    );
    assert_eq!(future.notes, ["an option is not one of sshd(8)"]);
    assert_eq!(comment(&future), Some("\u{fffd}"));
    assert_eq!(blob(&last), bench.public_blob("b.pub"));

    assert_eq!(told.faults.len(), 1);
    assert_eq!(told.faults[0].reason, GapReason::Malformed);
    assert_eq!(bytes[told.faults[0].offset..][..11], *b"ssh-ed25519");
}

#[test]
fn known_hosts_plain_and_hashed_have_the_hosts_and_keys_of_ssh_keygen() {
    let bench = Bench::new();
    for (name, arguments) in [TYPES[1], TYPES[3], TYPES[6]] {
        bench.key(name, arguments);
    }
    let [rsa, p256, ed] = ["rsa2048", "p256", "ed25519"].map(|name| bare(&bench, name));
    let text = format!(
        "web01,192.0.2.1,fe80::1%eth0 {ed} root@web01\n\
         [db.example.com]:2222 {rsa}\n\
         *.example.com,!bad.example.com\t{p256}\n\
         @cert-authority * {ed} the CA\n\
         @revoked web01 {rsa}\n"
    );
    let path = bench.write("known_hosts", &text);
    let told = read_file(text.as_bytes(), "anything");
    let hosts: Vec<Vec<_>> = told.artifacts.iter().map(hosts_of).collect();
    let expected: [&[&str]; 5] = [
        &["web01", "192.0.2.1", "fe80::1%eth0"],
        &["[db.example.com]:2222"],
        &["*.example.com", "!bad.example.com"],
        &["*"],
        &["web01"],
    ];
    assert_eq!(hosts, expected);
    assert!(
        told.artifacts
            .iter()
            .all(|a| a.kind == Kind::KnownHost && a.format == "known_hosts")
    );
    let markers: Vec<_> = told
        .artifacts
        .iter()
        .map(|a| ssh(a).rare().marker.as_deref())
        .collect();
    assert_eq!(
        markers,
        [None, None, None, Some("cert-authority"), Some("revoked")]
    );
    assert_eq!(comment(&told.artifacts[0]), Some("root@web01"));
    // ssh-keygen does not list the lines with markers.
    let plain = told
        .artifacts
        .iter()
        .filter(|a| ssh(a).rare().marker.is_none());
    let ours: Vec<_> = plain.map(|a| sha256(blob(a))).collect();
    assert_eq!(ours, bench.fingerprints(&path, "sha256"));

    let plain = format!("web01 {ed}\n[db]:2222 {rsa}\n");
    bench.write("hashed", plain);
    bench.keygen(&["-q", "-H", "-f", "hashed"]);
    let hashed = bench.read("hashed");
    let told = read_file(hashed.as_bytes(), "x");
    assert_eq!(told.artifacts.len(), 2);
    for (artifact, line) in told.artifacts.iter().zip(hashed.lines()) {
        assert_eq!(artifact.kind, Kind::KnownHost);
        assert_eq!(hosts_of(artifact), [line.split(' ').next().unwrap()]);
    }
    assert_eq!(blob(&told.artifacts[1]), bench.public_blob("rsa2048.pub"));
}

#[test]
fn keys_amid_other_text_are_lone_keys() {
    let (bench, key) = one_key();
    for (text, expected) in [
        (
            format!("ssh_authorized_keys:\n  - {key} me@host\n"),
            Some("me@host"),
        ),
        (format!("  - \"{key} me\"\n"), Some("me")),
        (
            format!("{{\"keys\": [\"{} me\\n\", 1]}}", key.replace('/', "\\/")),
            Some("me"),
        ),
        (format!("{{\"a\": \"x\\n{key} me\\nrest\"}}"), Some("me")),
        (format!("echo \"{key}\" >> ~/.ssh/authorized_keys"), None),
        (format!("echo {key} me >> f"), Some("me")),
        (format!("KEY='{key} it is \"me\"'; x"), Some("it is \"me\"")),
        (format!("<key>{key} me</key>"), Some("me")),
        (format!("+{key} me\n"), Some("me")),
        (format!("-{key} me\n"), Some("me")),
        (format!("user = {key}\n"), None),
        (format!("\0\0{key} me\0rest"), Some("me")),
        (key.replace(' ', "   \t "), None),
        (key.trim_end_matches('=').to_owned(), None),
    ] {
        let artifact = read_file(text.as_bytes(), "f").only();
        assert_eq!(artifact.kind, Kind::PublicKey, "{text}");
        assert_eq!(comment(&artifact), expected, "{text}");
        assert_eq!(blob(&artifact), bench.public_blob("key.pub"));
        assert!(text[artifact.offset..].starts_with("ssh-ed25519"), "{text}");
    }
    let text = format!("- 'from=\"10.0.0.1\" {key} me'\necho \"github.com {key}\" >> known_hosts");
    let told = read_file(text.as_bytes(), "user-data");
    let kinds: Vec<_> = told.artifacts.iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [Kind::AuthorizedKey, Kind::KnownHost]);
    assert_eq!(comment(&told.artifacts[0]), Some("me"));
}

#[test]
fn mentions_in_documents_are_nothing() {
    for text in [
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC... user@host",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCabcdefghijklmnopqrstuvwxyz0123… user@host",
        "ssh-rsa AAAAB3NzaC1yc2E= user@host",
        "ssh-rsa AAAA",
        "Add a line like \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\" to it",
        "---- BEGIN SSH2 PUBLIC KEY ----",
        "The file starts with ---- BEGIN SSH2 PUBLIC KEY ---- and ends with",
        "---- BEGIN SSH2 PUBLIC KEY ----\n---- END SSH2 PUBLIC KEY ----\n",
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: none\n<your key>\n",
        " AAAA AAAA AAAAAAAAAAAA",
    ] {
        let told = read_file(text.as_bytes(), "README");
        assert!(
            told.artifacts.is_empty() && told.faults.is_empty(),
            "{text}: {told:?}"
        );
    }
}

#[test]
fn rfc_4716_headers_and_broken_blocks() {
    let bench = Bench::new();
    bench.key("key", &["-t", "rsa", "-b", "2048"]);
    let exported = bench.keygen(&["-e", "-f", "key.pub"]);
    let body: Vec<&str> = exported
        .lines()
        .filter(|l| !l.contains("----") && !l.contains(':'))
        .collect();
    let body = body.join("\n");
    for (begin, headers, expected) in [
        (
            "---- BEGIN SSH2 PUBLIC KEY ----",
            "Subject: me\nComment: \"a long \\\ncomment\"\nx-own: 1\n",
            Some("a long comment"),
        ),
        (
            "---- BEGIN SSH2 PUBLIC KEY ----",
            "COMMENT: not quoted\n",
            Some("not quoted"),
        ),
        ("----BEGIN SSH2 PUBLIC KEY----", "", None),
        ("---- BEGIN SSH2 PUBLIC KEY ---", "Comment: \"\"\n", None),
    ] {
        let end = begin.replace("BEGIN", "END");
        for newline in ["\n", "\r\n"] {
            let text = format!("text {begin}\n{headers}{body}\n{end}\nmore").replace('\n', newline);
            let artifact = read_file(text.as_bytes(), "x").only();
            assert_eq!(blob(&artifact), bench.public_blob("key.pub"));
            assert_eq!(comment(&artifact), expected);
            assert_eq!(artifact.offset, 5);
        }
    }
    for cut in [body.len() - 30, body.len()] {
        let text = format!("---- BEGIN SSH2 PUBLIC KEY ----\n{}", &body[..cut]);
        let told = read_file(text.as_bytes(), "x");
        assert_eq!(told.faults[0].reason, GapReason::Truncated);
        let window = Candidate {
            at_end: false,
            ..candidate(Clue::Ssh2Armour, text.as_bytes(), 0)
        };
        assert!(matches!(ask(&window), Reading::NeedMore { from: 0 }));
    }
    let text = format!("---- BEGIN SSH2 PUBLIC KEY ----\n{body}\nnot base64!\nmore\n");
    assert_eq!(
        read_file(text.as_bytes(), "x").faults[0].reason,
        GapReason::Truncated
    );
    let text = "---- BEGIN SSH2 PUBLIC KEY ----\nQUJDRA==\n---- END SSH2 PUBLIC KEY ----\n";
    assert_eq!(
        read_file(text.as_bytes(), "x").faults[0].reason,
        GapReason::Malformed
    );
}

#[test]
fn certificates_say_what_ssh_keygen_says() {
    let bench = Bench::new();
    for (name, arguments) in [
        ("rsa_ca", TYPES[2].1),
        ("p256_ca", TYPES[3].1),
        ("ed_ca", TYPES[6].1),
    ] {
        bench.key(name, arguments);
    }
    for (index, (name, arguments)) in TYPES.into_iter().enumerate() {
        bench.key(name, arguments);
        let ca = ["rsa_ca", "p256_ca", "ed_ca"][index % 3];
        let host = index % 2 == 1;
        let serial = ["0", "42", "18446744073709551615"][index % 3];
        let public = format!("{name}.pub");
        let id = format!("id of {name}");
        let mut command = vec!["-q", "-s", ca, "-I", &id, "-z", serial, "-n", "root,web01"];
        match index % 3 {
            0 => command.extend(["-V", "always:forever"]),
            1 => command.extend(["-V", "20240102030405:20300102030405"]),
            _ => command.extend(["-V", "20240102:20250102"]),
        }
        if host {
            command.push("-h");
        } else {
            command.extend([
                "-O",
                "force-command=/bin/true -x",
                "-O",
                "source-address=10.0.0.0/8",
            ]);
            command.extend([
                "-O",
                "no-x11-forwarding",
                "-O",
                "extension:login@example.com=bob",
            ]);
        }
        command.push(&public);
        bench.keygen(&command);

        let file = format!("{name}-cert.pub");
        let line = bench.read(&file);
        let artifact = read_file(line.as_bytes(), &file).only();
        assert_eq!(artifact.kind, Kind::SshCertificate);
        assert_eq!(artifact.format, "ssh_certificate");
        assert_eq!(blob(&artifact), bench.public_blob(&public));
        assert_eq!(comment(&artifact), Some(&*format!("{name} comment")));
        let facts = ssh(&artifact);
        let listing = bench.keygen(&["-L", "-f", &file]);
        assert_eq!(told_by(facts), listed(&listing), "{listing}");
        assert_eq!(
            facts.rare().signed_by.as_deref(),
            Some(&*sha256(&bench.public_blob(&format!("{ca}.pub"))))
        );

        // The same in a grant and as a host key.
        let grant = format!("no-pty,principals=\"x\" {line}");
        let artifact = read_file(grant.as_bytes(), "authorized_keys").only();
        assert_eq!(artifact.kind, Kind::SshCertificate);
        assert_eq!(
            ssh(&artifact).options.as_deref(),
            Some("no-pty,principals=\"x\"")
        );
        assert_eq!(ssh(&artifact).rare().principals, ["root", "web01"]);
        let host = format!("web01 {line}");
        let artifact = read_file(host.as_bytes(), "known_hosts").only();
        assert_eq!(artifact.kind, Kind::SshCertificate);
        assert_eq!(hosts_of(&artifact), ["web01"]);
    }
}

#[test]
fn the_ssh_key_crate_reads_certificates_alike() {
    let bench = Bench::new();
    bench.key("ca", &["-t", "ed25519"]);
    bench.key("key", &["-t", "ed25519"]);
    bench.keygen(&[
        "-q",
        "-s",
        "ca",
        "-I",
        "me",
        "-n",
        "a,b",
        "-z",
        "7",
        "-V",
        "20240102:20250102",
        "key.pub",
    ]);
    let line = bench.read("key-cert.pub");
    let theirs = ssh_key::Certificate::from_openssh(&line).unwrap();
    let ours = read_file(line.as_bytes(), "x").only();
    let facts = ssh(&ours);
    assert_eq!(
        facts.rare().certificate_key_id.as_deref(),
        Some(theirs.key_id())
    );
    assert_eq!(facts.rare().serial, Some(theirs.serial().to_string()));
    assert_eq!(facts.rare().principals, theirs.valid_principals());
    let seconds = |time: Option<jiff::Timestamp>| u64::try_from(time.unwrap().as_second()).unwrap();
    assert_eq!(seconds(facts.rare().valid_after), theirs.valid_after());
    assert_eq!(seconds(facts.rare().valid_before), theirs.valid_before());
    let names: Vec<_> = theirs.extensions().keys().cloned().collect();
    assert_eq!(facts.rare().extensions, names);
}

/// The facts of a certificate in the words of `ssh-keygen -L`: type, signer, id, serial, validity, lists.
fn told_by(facts: &Ssh) -> Vec<String> {
    let time =
        |time: Option<jiff::Timestamp>| time.map(|t| t.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    let valid = match (
        time(facts.rare().valid_after),
        time(facts.rare().valid_before),
    ) {
        (None, None) => "forever".to_owned(),
        (after, before) => format!("from {} to {}", after.unwrap(), before.unwrap()),
    };
    let mut out = vec![
        facts.rare().certificate_type.clone().unwrap(),
        facts.rare().signed_by.clone().unwrap(),
        facts.rare().certificate_key_id.clone().unwrap(),
        facts.rare().serial.clone().unwrap(),
        valid,
    ];
    out.extend(facts.rare().principals.clone());
    out.extend(facts.rare().extensions.clone());
    out
}

/// The same from the listing.
fn listed(listing: &str) -> Vec<String> {
    let value = |label: &str| {
        let line = listing.lines().find_map(|l| l.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("{label}: {listing}"))
            .trim()
            .to_owned()
    };
    let word = |text: String, index: usize| text.split(' ').nth(index).unwrap().to_owned();
    let mut out = vec![
        word(value("Type:"), 1),
        word(value("Signing CA:"), 1),
        value("Key ID:").trim_matches('"').to_owned(),
        value("Serial:"),
        value("Valid:"),
    ];
    out[0] = if value("Type:").contains("host certificate") {
        "host"
    } else {
        "user"
    }
    .to_owned();
    let mut inside = false;
    for line in listing.lines() {
        let entry = line.starts_with("                ");
        let text = line.trim();
        if !entry {
            inside = matches!(text, "Principals:" | "Critical Options:" | "Extensions:");
        } else if inside && text.contains(" UNKNOWN OPTION") {
            // Printed with the hexadecimal data: a string of three bytes, `bob`.
            assert!(
                text.ends_with("(len 7)") || text.contains("00000003626f62"),
                "{text}"
            );
            out.push(format!("{}=bob", text.split(' ').next().unwrap()));
        } else if inside {
            out.push(text.replacen(' ', "=", 1));
        }
    }
    out
}
