//! What a tree can hold: closed places, loops, things that are no files, very many and very deep.

use super::{below, bounded, paths, read, swept};
use crate::support::{
    arg, as_nobody, check, err, gaps, of_kind, open_directory, plant, public_binary, records,
    set_mode, told,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mkdirat, mknodat, openat};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

const KEY: &str = "identity/p256/pkcs8.pem";

#[test]
fn closed_files_and_directories_are_gaps_and_make_the_sweep_incomplete() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    for name in [
        "open/key",
        "closed",
        "shut/key",
        "blind/key",
        "mute/key",
        "mute/shut/key",
    ] {
        plant(KEY, &tree, name);
    }
    for (name, mode) in [
        ("open/key", 0o644),
        ("closed", 0o000),
        // Neither listed nor entered; listed and not entered; entered and not listed.
        ("shut", 0o700),
        ("blind", 0o744),
        ("mute", 0o711),
        ("mute/key", 0o644),
    ] {
        set_mode(&tree.join(name), mode);
    }
    let program = public_binary(dir.path());
    let sweep = |roots: &[&str]| {
        let mut command = as_nobody(&program);
        command.args(["scan", "-f", "jsonl"]);
        command.args(roots.iter().map(|root| tree.join(root)));
        let output = command.output().unwrap();
        check(&output, 4, &format!("{roots:?}"));
        let records = records(&output.stdout);
        assert_eq!(of_kind(&records, "end")[0]["complete"], false);
        records
    };
    let denied = |name: &str| (below(&tree, name), "permission_denied".to_owned());
    let whole = sweep(&[""]);
    let root = arg(&tree);
    assert_eq!(paths(&whole), [format!("{root}/open/key")]);
    assert_eq!(
        gaps(&whole),
        ["blind/key", "closed", "mute", "shut"].map(denied)
    );
    // A place that is named can be read where it could not be listed; one behind closed doors is told.
    let named = sweep(&["mute/key", "shut/key", "closed"]);
    assert_eq!(paths(&named), [format!("{root}/mute/key")]);
    assert_eq!(gaps(&named), ["closed", "shut/key"].map(denied));
}

#[test]
fn links_in_circles_and_out_of_the_tree_lead_nowhere() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let key = plant(KEY, &tree, "a/b/key");
    plant(KEY, dir.path(), "outside/key");
    for (target, link) in [
        ("self", "self"),
        ("two", "one"),
        ("one", "two"),
        (".", "a/here"),
        ("..", "a/up"),
        ("../../a", "a/b/again"),
        ("/", "root"),
        ("../outside", "out"),
        ("../outside/key", "out.key"),
        ("nowhere", "broken"),
        ("a/here/up/a/b/key", "to.key"),
    ] {
        symlink(target, tree.join(link)).unwrap();
    }
    // A chain longer than the kernel follows (40).
    symlink("a/b/key", tree.join("chain0")).unwrap();
    for n in 1..60 {
        symlink(format!("chain{}", n - 1), tree.join(format!("chain{n}"))).unwrap();
    }
    let sweep = swept(0, &[&tree]);
    assert_eq!(paths(&sweep), [arg(&key)]);
    assert_eq!(gaps(&sweep), []);
    let sighting = of_kind(&sweep, "sighting")[0];
    let links: Vec<&str> = sighting["location"]["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link.as_str().unwrap())
        .collect();
    // What the kernel itself says of each link.
    let mut expected: Vec<String> = fs::read_dir(&tree)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_symlink() && fs::canonicalize(path).is_ok_and(|end| end == key))
        .map(|path| arg(&path).to_owned())
        .collect();
    expected.sort();
    assert!(expected.len() > 40);
    assert_eq!(links, expected);
}

#[test]
fn a_root_that_is_a_circle_of_links_is_said() {
    let dir = open_directory();
    symlink("circle", dir.path().join("circle")).unwrap();
    let circle = below(dir.path(), "circle");
    let output = bounded(&["scan", &circle]).output().unwrap();
    check(&output, 2, "a circle");
    assert!(err(&output).contains(&circle), "{}", err(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn fifos_sockets_and_devices_are_never_opened() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let key = plant(KEY, &tree, "key");
    let node = |name: &str, kind, device| {
        mknodat(CWD, tree.join(name), kind, Mode::RUSR | Mode::WUSR, device).unwrap();
        tree.join(name)
    };
    let empty = node("empty", FileType::Fifo, 0);
    let full = node("full", FileType::Fifo, 0);
    for (name, kind, major, minor) in [
        ("zero", FileType::CharacterDevice, 1, 5),
        ("random", FileType::CharacterDevice, 1, 9),
        ("terminal", FileType::CharacterDevice, 5, 0),
        ("disk", FileType::BlockDevice, 7, 200),
    ] {
        node(name, kind, makedev(major, minor));
    }
    let socket = UnixListener::bind(tree.join("socket")).unwrap();
    socket.set_nonblocking(true).unwrap();
    // A key waits in this one, for somebody else.
    let text = fs::read(&key).unwrap();
    let mut pipe = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(&full)
        .unwrap();
    pipe.write_all(&text).unwrap();
    let sweep = swept(0, &[&tree]);
    assert_eq!(paths(&sweep), [arg(&key)]);
    assert_eq!(gaps(&sweep), []);
    // Named as roots they are not opened either, and that is said.
    for name in ["empty", "full", "socket", "zero", "disk"] {
        let path = tree.join(name);
        let output = bounded(&["scan", "-f", "jsonl", arg(&path)])
            .output()
            .unwrap();
        let sweep = read(&output, 0, name);
        assert_eq!(paths(&sweep), [""; 0]);
        let gap = (arg(&path).to_owned(), "not_swept".to_owned());
        assert_eq!(gaps(&sweep), [gap], "{name}");
    }
    let mut waiting = vec![0; text.len() + 1];
    let count = pipe.read(&mut waiting).unwrap();
    assert!(waiting[..count] == text, "somebody drank from the pipe");
    let nobody = socket.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    drop(empty);
}

#[test]
fn ten_thousand_entries_in_one_directory_are_all_read() {
    let dir = open_directory();
    let model = fs::read(format!("fixtures/{KEY}")).unwrap();
    let mut expected = Vec::new();
    for n in 0..10_000 {
        let path = dir.path().join(format!("entry-{n:05}"));
        if n % 500 == 499 {
            fs::write(&path, &model).unwrap();
            expected.push(arg(&path).to_owned());
        } else {
            fs::write(&path, format!("nothing {n}")).unwrap();
        }
    }
    let sweep = swept(0, &[dir.path()]);
    assert_eq!(paths(&sweep), expected);
    let end = of_kind(&sweep, "end")[0];
    assert_eq!((&end["files"], &end["keys"]), (&10_000.into(), &1.into()));
}

#[test]
fn a_key_below_a_thousand_levels_is_found_and_named() {
    let dir = open_directory();
    let model = fs::read(format!("fixtures/{KEY}")).unwrap();
    let mut at = openat(CWD, dir.path(), OFlags::RDONLY, Mode::empty()).unwrap();
    let (mut path, mut expected) = (arg(dir.path()).to_owned(), Vec::new());
    for level in 1..=1_000 {
        let name = format!("level-{level:04}");
        mkdirat(&at, &name, Mode::RWXU).unwrap();
        at = openat(&at, &name, OFlags::RDONLY, Mode::empty()).unwrap();
        path = format!("{path}/{name}");
        if level % 250 == 0 {
            let flags = OFlags::WRONLY | OFlags::CREATE;
            let file = openat(&at, "key", flags, Mode::RUSR | Mode::WUSR).unwrap();
            File::from(file).write_all(&model).unwrap();
            expected.push(format!("{path}/key"));
        }
    }
    let sweep = swept(0, &[dir.path()]);
    let found = paths(&sweep);
    expected.sort();
    assert_eq!(found, expected);
    let deepest = found.iter().map(String::len).max().unwrap();
    assert!(deepest > 2 * 4096, "longer than any path the kernel takes");
    let id = told(KEY)["key_id"].clone();
    let mine = |sighting: &&serde_json::Value| sighting["key_id"] == id;
    assert!(of_kind(&sweep, "sighting").iter().all(mine));
    // And people can be told: the summary, and all about the key at that place.
    let kept = open_directory();
    let kept = below(kept.path(), "sweep");
    let output = bounded(&["scan", arg(dir.path()), "--sweep", &kept])
        .output()
        .unwrap();
    check(&output, 0, "a deep tree");
    let output = bounded(&["explain", &found[0], &kept]).output().unwrap();
    check(&output, 0, "explain");
    // Our own removal of so deep a tree would need a path as long.
    let removed = Command::new("rm").arg("-rf").arg(dir.path()).status();
    assert!(removed.unwrap().success());
}
