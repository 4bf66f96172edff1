//! Mails as Python's library and openssl write them: attachments of any content, S/MIME, mails in mails, mailboxes.

use super::damage::shell;
use super::plants::sweep;
use crate::support::{open_directory, plant, told};
use std::path::Path;

const KEY: &str = "identity/p256/pkcs8.pem";
const CERTIFICATE: &str = "identity/rsa2048/certificate.pem";

/// Writes mails by `policy` (the line's end) with these attachments, one in the other, and a mailbox of them.
const WRITER: &str = r#"
cat >write.py <<'END'
import email.message, email.policy, mailbox, os, sys
def mail(policy):
    message = email.message.EmailMessage(policy=policy)
    message['Subject'], message['From'], message['To'] = 'keys', 'a@example.test', 'b@example.test'
    message.set_content('As agreed, the keys are attached.\n\nAAAABBBB\n')
    return message
def add(message, file, kind, **more):
    main, sub = kind.split('/')
    message.add_attachment(open(file, 'rb').read(), main, sub, **more)
inner = mail(email.policy.default)
add(inner, 'key', 'application/x-pem-file', filename='inner.pem')
message = mail(email.policy.SMTP)
add(message, 'der', 'application/x-x509-user-cert', filename='user cert.der')
add(message, 'key', 'application/octet-stream', filename='sch\u00fc\u00dfel ' + 'x' * 80 + '.pem')
add(message, 'pgp', 'application/pgp-keys', filename='pgp.asc')
for name in ['key.zst', 'key.xz', 'key.bz2', 'key.zip', 'key.gz', 'key.tar']: add(message, name, 'application/octet-stream', filename=name)
message.add_attachment(inner)
message.add_attachment(open('key').read(), 'plain', cte='quoted-printable', filename='printable.pem')
message.add_attachment(open('key').read(), 'plain', cte='7bit', filename='plain.pem')
open('mail.eml', 'wb').write(message.as_bytes())
box = mailbox.mbox('box')
for each in [inner, message, mail(email.policy.default)]: box.add(each)
box.flush()
END
"#;

fn key_id(fixture: &str) -> String {
    told(fixture)["key_id"].as_str().unwrap().to_owned()
}

/// Types, names and identity of everything found in a file.
fn found(directory: &Path, name: &str) -> Vec<(String, String, String)> {
    let swept = sweep(directory, &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let found = swept.found.get(&directory.join(name));
    let all = found
        .into_iter()
        .flatten()
        .flat_map(|((types, name), told)| {
            let types = types.join(" ");
            told.iter()
                .map(move |t| (types.clone(), name.clone(), t.1.clone()))
        });
    all.collect()
}

fn expected(key: &str, certificate: &str) -> Vec<(String, String, String)> {
    let long = format!("sch\u{fc}\u{df}el {}.pem", "x".repeat(80));
    let entry = |types: &str, name: &str| (types.to_owned(), name.to_owned(), key.to_owned());
    let mut expected = vec![
        (
            "mail".to_owned(),
            "user cert.der".to_owned(),
            certificate.to_owned(),
        ),
        entry("mail", &long),
        entry("mail", "inner.pem"),
        entry("mail zstd", ""),
        entry("mail xz", ""),
        entry("mail bzip2", ""),
        entry("mail zip", "key"),
        entry("mail gzip", "key"),
        entry("mail tar", "key"),
        // As texts that they are.
        entry("", ""),
        entry("", ""),
    ];
    expected.sort();
    expected
}

#[test]
fn attachments_are_found_whatever_they_hold() {
    let dir = open_directory();
    plant(KEY, dir.path(), "key");
    plant("identity/rsa2048/certificate.der", dir.path(), "der");
    let script = format!(
        "{WRITER}
        zstd -q key; xz -k key; bzip2 -k key; zip -q key.zip key; gzip -k key; tar -cf key.tar key
        mkdir -m 700 g; export GNUPGHOME=$PWD/g
        gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-gen-key 'a <a@example.test>' ed25519 sign never 2>/dev/null
        gpg -q --armor --export >pgp; gpg --with-colons -k | grep ^fpr | head -1 | cut -d: -f10 >id; gpgconf --kill all
        python3 write.py; mv mail.eml box id ..; cd ..; mkdir mails; mv mail.eml box mails"
    );
    std::fs::create_dir(dir.path().join("w")).unwrap();
    shell(
        dir.path(),
        &format!("mv key der w; cd w; {script}; rm -r w"),
    );
    let (key, certificate) = (key_id(KEY), key_id(CERTIFICATE));
    let pgp = std::fs::read_to_string(dir.path().join("id")).unwrap();
    assert_eq!(pgp.trim().len(), 40);
    let mails = dir.path().join("mails");
    let split = |name: &str| -> (Vec<_>, Vec<_>) {
        let all = found(&mails, name);
        all.into_iter()
            .partition(|(_, _, id)| [&key, &certificate].contains(&id))
    };
    let (mut keys, others) = split("mail.eml");
    keys.sort();
    assert_eq!(keys, expected(&key, &certificate));
    // The OpenPGP key and what belongs to it.
    assert!(
        !others.is_empty()
            && others
                .iter()
                .all(|(types, name, _)| types == "mail" && name == "pgp.asc"),
        "{others:?}"
    );
    let (keys, _) = split("box");
    assert_eq!(
        keys.len(),
        expected(&key, &certificate).len() + 1,
        "{keys:?}"
    );
}

#[test]
fn certificates_of_signed_mails_are_found() {
    let dir = open_directory();
    plant(CERTIFICATE, dir.path(), "c.pem");
    plant("identity/rsa2048/pkcs8.pem", dir.path(), "k.pem");
    shell(
        dir.path(),
        "echo text >m; sign() { openssl \"$@\" -sign -in m -signer c.pem -inkey k.pem; }
         sign smime >smime.eml; sign smime -nodetach >opaque.eml; sign cms -stream >stream.eml; sign cms -stream -nodetach >stream.opaque.eml
         sign cms -stream -crlfeol >crlf.eml; (cat smime.eml; echo; cat stream.eml) >two.mbox
         grep -q ^MIAGCSqGSIb3DQEHAqCA stream.opaque.eml; rm m *.pem",
    );
    let certificate = key_id(CERTIFICATE);
    for (name, count) in [
        ("smime.eml", 1),
        ("opaque.eml", 1),
        ("stream.eml", 1),
        ("stream.opaque.eml", 1),
        ("crlf.eml", 1),
        ("two.mbox", 2),
    ] {
        let all = found(dir.path(), name);
        assert_eq!(all.len(), count, "{name} {all:?}");
        for (types, file, id) in all {
            let names = ["smime.p7s", "smime.p7m"];
            assert_eq!((types.as_str(), &id), ("mail", &certificate), "{name}");
            assert!(names.contains(&file.as_str()), "{name} {file}");
        }
    }
}

#[test]
fn damaged_mails_are_searched_as_texts() {
    let dir = open_directory();
    plant(KEY, dir.path(), "key");
    shell(
        dir.path(),
        "(printf 'Content-Transfer-Encoding: base64\\n\\n'; base64 key | head -2) >cut.eml
         (printf 'Content-Transfer-Encoding: base64\\nthis is no header\\n\\n'; base64 key) >none.eml
         (printf 'Content-Transfer-Encoding: base64\\n\\nQUJD!\\n\\n'; cat key) >other.eml
         (printf 'Content-Transfer-Encoding: base64\\n\\n') >empty.eml; rm key",
    );
    let swept = sweep(dir.path(), &[]);
    let types = |name: &str| -> Vec<Vec<String>> {
        let found = swept.found.get(&dir.path().join(name));
        found
            .into_iter()
            .flat_map(|found| found.keys().map(|(types, _)| types.clone()))
            .collect()
    };
    assert_eq!(types("none.eml"), [["base64"]]);
    assert_eq!(types("other.eml"), [[""; 0]]);
    // A key that is cut off, in a part that is.
    let [gap] = &swept.gaps[..] else {
        panic!("{:?}", swept.gaps)
    };
    assert_eq!(
        (gap["reason"].as_str(), gap["inside"][0]["type"].as_str()),
        (Some("truncated"), Some("mail"))
    );
}
