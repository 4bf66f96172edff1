use super::*;
use std::os::unix::fs::symlink;
use std::path::Path;

const PASSWD: &str = "root:x:0:0::/root:/bin/bash\n\
    backup:x:34:34::/var/backups:/usr/sbin/nologin\n\
    alice:x:1000:1000::/home/alice:/bin/bash\n\
    bob:x:1001:1001::/home/bob:/bin/sh\n";
const GROUP: &str = "root:x:0:\nbackup:x:34:\nalice:x:1000:\nbob:x:1001:\noperators:x:2000:bob\n";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f x";
/// `ssh-keygen -lf` of it.
const FINGERPRINT: &str = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA";

fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Sshd) {
    let root = tempfile::tempdir().unwrap();
    let all = [("etc/passwd", PASSWD), ("etc/group", GROUP)];
    for (path, content) in all.iter().chain(files) {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let sshd = loaded(root.path());
    (root, sshd)
}

fn loaded(root: &Path) -> Sshd {
    let rooted = Rooted::open_root(root);
    Sshd::load(&rooted, &Accounts::load(&rooted))
}

/// `account`, with `!directive` where it is refused.
fn opened(sshd: &Sshd, path: &str) -> Vec<String> {
    let found = sshd.use_of(&[path.as_bytes().to_vec()], Some(FINGERPRINT), false);
    let opens = found.map(|u| u.opens).unwrap_or_default();
    opens
        .into_iter()
        .map(|o| match o.refused {
            Some(refused) => format!("{} !{refused}", o.account),
            None => o.account.to_string(),
        })
        .collect()
}

#[test]
fn without_a_configuration_its_defaults_hold() {
    let (_root, sshd) = host(&[]);
    assert!(!sshd.is_configured());
    assert_eq!(opened(&sshd, "/root/.ssh/authorized_keys"), ["root"]);
    assert_eq!(opened(&sshd, "/home/bob/.ssh/authorized_keys2"), ["bob"]);
    assert_eq!(
        opened(&sshd, "/var/backups/.ssh/authorized_keys"),
        ["backup"]
    );
    assert!(opened(&sshd, "/etc/ssh/keys/bob").is_empty());
}

#[test]
fn tokens_blocks_and_included_files() {
    let (_root, sshd) = host(&[
        (
            "etc/ssh/sshd_config",
            "Include sshd_config.d/[0-2]*.conf\nAuthorizedKeysFile .ssh/authorized_keys\n",
        ),
        (
            "etc/ssh/sshd_config.d/10-keys.conf",
            "Match Group operators\n AuthorizedKeysFile /etc/ssh/keys/%u-%U%% %h/more\n",
        ),
        ("etc/ssh/sshd_config.d/not", "PubkeyAuthentication no\n"),
        ("etc/ssh/sshd_config.d/30.conf", "PubkeyAuthentication no\n"),
        (
            "etc/ssh/sshd_config.d/20.conf",
            "AuthorizedKeysFile /etc/ssh/all\nMatch all\nPermitRootLogin no\n",
        ),
    ]);
    assert!(sshd.is_configured());
    assert_eq!(opened(&sshd, "/etc/ssh/keys/bob-1001%"), ["bob"]);
    assert_eq!(opened(&sshd, "/home/bob/more"), ["bob"]);
    // The first value outside blocks counts, and an account without shell is not told of what is everybody's.
    assert_eq!(
        opened(&sshd, "/etc/ssh/all"),
        ["root !PermitRootLogin no", "alice"]
    );
    assert!(opened(&sshd, "/home/alice/.ssh/authorized_keys").is_empty());
}

#[test]
fn links_on_the_way_are_followed() {
    let (root, _) = host(&[("etc/ssh/sshd_config", ""), ("data/alice/x", "")]);
    std::fs::create_dir_all(root.path().join("home")).unwrap();
    symlink("/data/alice", root.path().join("home/alice")).unwrap();
    symlink("../data/./bob", root.path().join("home/bob")).unwrap();
    let sshd = loaded(root.path());
    assert_eq!(opened(&sshd, "/data/alice/.ssh/authorized_keys"), ["alice"]);
    assert_eq!(opened(&sshd, "/data/bob/.ssh/authorized_keys"), ["bob"]);
    symlink("loop", root.path().join("data/loop")).unwrap();
    std::fs::write(
        root.path().join("etc/ssh/sshd_config"),
        "AuthorizedKeysFile /data/loop/x ../../../../up none\n",
    )
    .unwrap();
    let sshd = loaded(root.path());
    assert_eq!(opened(&sshd, "/up"), ["root", "backup", "alice", "bob"]);
}

#[test]
fn who_is_refused() {
    let of = |config: &str| {
        let (_root, sshd) = host(&[("etc/ssh/sshd_config", config)]);
        let list = ["/root", "/home/alice", "/home/bob"];
        list.map(|home| {
            let found = opened(&sshd, &format!("{home}/.ssh/authorized_keys"));
            found[0].split_once(" !").map(|(_, why)| why.to_owned())
        })
    };
    let no = |why: &str| Some(why.to_owned());
    assert_eq!(of(""), [None, None, None]);
    assert_eq!(of("PermitRootLogin prohibit-password"), [None, None, None]);
    assert_eq!(
        of("PermitRootLogin forced-commands-only"),
        [no("PermitRootLogin forced-commands-only"), None, None]
    );
    assert_eq!(
        of("PubkeyAuthentication no\nMatch User bob\nPubkeyAuthentication yes"),
        [
            no("PubkeyAuthentication no"),
            no("PubkeyAuthentication no"),
            None
        ]
    );
    assert_eq!(
        of("DenyUsers al* bob@10.0.0.1"),
        [None, no("DenyUsers"), None]
    );
    assert_eq!(
        of("AllowUsers alice\nAllowUsers bob@10.*"),
        [no("AllowUsers"), None, None]
    );
    assert_eq!(
        of("AllowGroups operators root"),
        [None, no("AllowGroups"), None]
    );
    assert_eq!(of("DenyGroups operators"), [None, None, no("DenyGroups")]);
    // It depends on where one comes from.
    assert_eq!(
        of("Match Address 10.0.0.0/8\nDenyUsers alice\nPermitRootLogin no"),
        [None, None, None]
    );
    assert_eq!(
        of("AuthenticationMethods password keyboard-interactive:pam")[1],
        no("AuthenticationMethods without publickey")
    );
    assert_eq!(
        of("AuthenticationMethods publickey,password password"),
        [None, None, None]
    );
}

#[test]
fn authorities_and_the_names_that_they_may_sign_for() {
    let (_root, sshd) = host(&[
        (
            "etc/ssh/sshd_config",
            "TrustedUserCAKeys /etc/ssh/ca.pub\nMatch User bob\nAuthorizedPrincipalsFile /etc/ssh/principals/%u\n",
        ),
        (
            "etc/ssh/principals/bob",
            "# comment\nops # of the day\ncommand=\"date\" auditors\t# x\n\n",
        ),
    ]);
    let found = sshd
        .use_of(&[b"/etc/ssh/ca.pub".to_vec()], None, false)
        .unwrap();
    assert_eq!(found.directive, "TrustedUserCAKeys");
    let told: Vec<(&str, String)> = found
        .opens
        .iter()
        .map(|o| (o.account.as_str(), o.principals.join(" ")))
        .collect();
    assert_eq!(
        told,
        [
            ("root", "root".to_owned()),
            ("alice", "alice".to_owned()),
            ("bob", "ops auditors".to_owned())
        ]
    );
}

#[test]
fn revoked_keys_and_what_cannot_be_followed() {
    let config = "RevokedKeys /etc/ssh/revoked\nAuthorizedKeysCommand /usr/bin/ask %u\n";
    let (root, sshd) = host(&[
        ("etc/ssh/sshd_config", config),
        ("etc/ssh/revoked", &format!("# gone\n{KEY}\n")),
    ]);
    assert_eq!(
        opened(&sshd, "/home/bob/.ssh/authorized_keys"),
        ["bob !RevokedKeys /etc/ssh/revoked"]
    );
    let of = sshd.use_of(&[b"/etc/ssh/revoked".to_vec()], None, false);
    assert_eq!(of.unwrap().directive, "RevokedKeys");
    let [remark] = sshd.remarks() else {
        panic!("{:?}", sshd.remarks())
    };
    assert_eq!(remark.reason, GapReason::Unsupported);
    assert!(
        remark
            .detail
            .starts_with("AuthorizedKeysCommand /usr/bin/ask: ")
    );
    std::fs::write(root.path().join("etc/ssh/revoked"), b"SSHKRL\n\0....").unwrap();
    let sshd = loaded(root.path());
    assert_eq!(opened(&sshd, "/home/bob/.ssh/authorized_keys"), ["bob"]);
    assert_eq!(sshd.remarks().len(), 2);
    for (list, reason) in [
        (Some(vec![b'\n'; 5 << 20]), GapReason::Limit),
        (None, GapReason::IoError),
    ] {
        let path = root.path().join("etc/ssh/revoked");
        std::fs::remove_file(&path).unwrap();
        if let Some(list) = list {
            std::fs::write(&path, list).unwrap();
        }
        let sshd = loaded(root.path());
        assert_eq!(sshd.remarks().len(), 2);
        assert!(sshd.remarks().iter().any(|remark| remark.reason == reason));
        std::fs::write(&path, "").unwrap();
    }
}

#[test]
fn a_configuration_that_includes_itself_ends() {
    let (_root, sshd) = host(&[(
        "etc/ssh/sshd_config",
        "Include sshd_config sshd_config\nMatch User alice\nInclude sshd_config\nPubkeyAuthentication no\n",
    )]);
    assert_eq!(sshd.remarks().len(), 1);
    assert_eq!(sshd.remarks()[0].reason, GapReason::Limit);
    assert_eq!(opened(&sshd, "/root/.ssh/authorized_keys"), ["root"]);
}
