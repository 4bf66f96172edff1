//! Files of the distribution's packages: made by `dpkg-deb` and installed by `dpkg`.

use super::{Root, own, run, run_as_root, vendor};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Builds a package of these files and installs it below the root.
fn install(root: &Root, name: &str, version: &str, files: &[(&str, &str)], conffiles: &[&str]) {
    let build = Root::new();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n\
         Description: a test\n"
    );
    build.write("p/DEBIAN/control", control);
    let mut md5sums = String::new();
    for (path, content) in files {
        build.write(&format!("p/{path}"), content);
        if !conffiles.contains(path) {
            md5sums += &run(&build.at("p"), "md5sum", &[path]);
        }
    }
    build.write("p/DEBIAN/md5sums", md5sums);
    if !conffiles.is_empty() {
        let list: String = conffiles.iter().map(|path| format!("/{path}\n")).collect();
        build.write("p/DEBIAN/conffiles", list);
    }
    run(
        build.path(),
        "dpkg-deb",
        &["--root-owner-group", "--build", "p", "p.deb"],
    );
    for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(root.at(directory)).unwrap();
    }
    if !root.at("var/lib/dpkg/status").exists() {
        root.write("var/lib/dpkg/status", "");
    }
    dpkg(root, &["--install", &build.at("p.deb").to_string_lossy()]);
}

fn dpkg(root: &Root, arguments: &[&str]) {
    let at = format!("--root={}", root.path().display());
    let mut all = vec![
        at.as_str(),
        "--force-not-root,bad-path,script-chrootless",
        "--log=/dev/null",
    ];
    all.extend(arguments);
    run_as_root(Path::new("/"), "dpkg", &all);
}

#[test]
fn dpkg_digests_decide() {
    let root = Root::new();
    let files = [
        ("usr/share/demo/a.pem", "hello"),
        ("usr/share/demo/b.pem", "b"),
        ("etc/demo.pem", "conf"),
    ];
    install(&root, "demo", "1:2.0-3", &files, &["etc/demo.pem"]);
    root.write("usr/share/demo/stray.pem", "hello");
    let demo = "dpkg:demo@1:2.0-3";
    assert_eq!(root.class("/usr/share/demo/a.pem"), vendor(demo));
    assert_eq!(root.class("/etc/demo.pem"), vendor(demo));
    assert_eq!(root.class("/usr/share/demo/stray.pem"), own(None));
    root.write("usr/share/demo/b.pem", "changed")
        .write("etc/demo.pem", "changed");
    assert_eq!(root.class("/usr/share/demo/b.pem"), own(Some(demo)));
    assert_eq!(root.class("/etc/demo.pem"), own(Some(demo)));
}

#[test]
fn dpkg_without_digests_proves_nothing() {
    let root = Root::new();
    install(
        &root,
        "demo",
        "1",
        &[("usr/share/demo/a.pem", "hello")],
        &[],
    );
    fs::remove_file(root.at("var/lib/dpkg/info/demo.md5sums")).unwrap();
    assert_eq!(
        root.class("/usr/share/demo/a.pem"),
        own(Some("dpkg:demo@1"))
    );
    fs::remove_file(root.at("var/lib/dpkg/info/demo.list")).unwrap();
    assert_eq!(root.class("/usr/share/demo/a.pem"), own(None));
}

#[test]
fn dpkg_forgets_what_was_removed() {
    let root = Root::new();
    install(
        &root,
        "demo",
        "1",
        &[("etc/demo.pem", "conf")],
        &["etc/demo.pem"],
    );
    dpkg(&root, &["--remove", "demo"]);
    assert!(
        root.at("etc/demo.pem").exists(),
        "a configuration file stays"
    );
    assert_eq!(root.class("/etc/demo.pem"), own(None));
}

#[test]
fn dpkg_diverted_files_keep_their_package() {
    let root = Root::new();
    install(&root, "first", "1", &[("usr/share/x.pem", "first")], &[]);
    let arguments = [
        format!("--root={}", root.path().display()),
        "--package".to_owned(),
        "second".to_owned(),
        "--divert".to_owned(),
        "/usr/share/x.pem.first".to_owned(),
        "--rename".to_owned(),
        "--add".to_owned(),
        "/usr/share/x.pem".to_owned(),
    ];
    run_as_root(Path::new("/"), "dpkg-divert", &arguments);
    install(&root, "second", "1", &[("usr/share/x.pem", "second")], &[]);
    assert_eq!(root.class("/usr/share/x.pem.first"), vendor("dpkg:first@1"));
    assert_eq!(root.class("/usr/share/x.pem"), vendor("dpkg:second@1"));
    root.write("usr/share/x.pem", "first");
    assert_eq!(root.class("/usr/share/x.pem"), own(Some("dpkg:second@1")));
}

#[test]
fn merged_usr_has_two_names_for_one_file() {
    let root = Root::new();
    install(
        &root,
        "demo",
        "1",
        &[("lib/demo/a.pem", "hello"), ("usr/lib/x", "x")],
        &[],
    );
    assert_eq!(root.class("/lib/demo/a.pem"), vendor("dpkg:demo@1"));
    fs::rename(root.at("lib/demo"), root.at("usr/lib/demo")).unwrap();
    // Not merged: another file.
    assert_eq!(root.class("/usr/lib/demo/a.pem"), own(None));
    fs::remove_dir(root.at("lib")).unwrap();
    symlink("usr/lib", root.at("lib")).unwrap();
    assert_eq!(root.class("/usr/lib/demo/a.pem"), vendor("dpkg:demo@1"));
}

#[test]
fn distroless_images() {
    let root = Root::new();
    root.write("usr/share/demo/a.pem", "hello")
        .write("usr/share/demo/b.pem", "changed");
    let sum = |content: &str| {
        root.write("tmp/x", content);
        let line = run(root.path(), "md5sum", &["tmp/x"]);
        line.split(' ').next().unwrap().to_owned()
    };
    let md5sums = format!(
        "{}  usr/share/demo/a.pem\n{}  usr/share/demo/b.pem\n",
        sum("hello"),
        sum("b")
    );
    root.write(
        "var/lib/dpkg/status.d/demo",
        "Package: demo\nVersion: 3\nArchitecture: amd64\n",
    );
    root.write("var/lib/dpkg/status.d/demo.md5sums", md5sums);
    assert_eq!(root.class("/usr/share/demo/a.pem"), vendor("dpkg:demo@3"));
    assert_eq!(
        root.class("/usr/share/demo/b.pem"),
        own(Some("dpkg:demo@3"))
    );
}

#[test]
fn alpine_packages() {
    let root = Root::new();
    root.write("usr/share/demo/a.pem", "hello")
        .write("usr/share/demo/b.pem", "changed");
    let digest = |content: &str| {
        root.write("tmp/x", content);
        let command = "openssl sha1 -binary tmp/x | base64";
        format!("Q1{}", run(root.path(), "sh", &["-c", command]).trim())
    };
    let installed = format!(
        "C:Q1x\nP:demo\nV:1.0-r0\nF:usr/share/demo\nR:a.pem\nZ:{}\nR:b.pem\nZ:{}\n\n",
        digest("hello"),
        digest("b")
    );
    root.write("lib/apk/db/installed", installed);
    assert_eq!(
        root.class("/usr/share/demo/a.pem"),
        vendor("apk:demo@1.0-r0")
    );
    assert_eq!(
        root.class("/usr/share/demo/b.pem"),
        own(Some("apk:demo@1.0-r0"))
    );
}

/// On the machine that runs the tests: what `dpkg --verify` calls changed, and nothing else, is not the vendor's.
#[test]
fn agrees_with_dpkg_verify() {
    let package = "openssl";
    let verified = std::process::Command::new("dpkg")
        .args(["--verify", package])
        .output()
        .unwrap();
    let changed = String::from_utf8(verified.stdout).unwrap();
    let files = run(Path::new("/"), "dpkg", &["--listfiles", package]);
    let host = keymuster::host::Host::load(Path::new("/"));
    let mut seen = 0;
    for path in files.lines().map(Path::new) {
        let Ok(path) = path.canonicalize() else {
            continue;
        };
        let listed = files.lines().any(|line| Path::new(line) == path);
        if !listed || !path.is_file() {
            continue;
        }
        let ownership = host.classify(path.as_os_str().as_encoded_bytes(), &mut |kind| {
            let file = fs::File::open(&path).ok()?;
            let size = file.metadata().ok()?.len();
            kind.of(file, size).ok()
        });
        let is_changed = changed
            .lines()
            .any(|line| line.ends_with(&*path.to_string_lossy()));
        let vendor = ownership.class == keymuster::model::Class::Vendor;
        assert_eq!(vendor, !is_changed, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 10, "{package} has more files than {seen}");
}

/// Packages built and installed by rpm; their headers are long enough to overflow the database's pages.
#[test]
fn rpm_digests_decide() {
    let root = Root::new();
    let build = Root::new();
    let spec = "Name: demo\nEpoch: 2\nVersion: 1.0\nRelease: 3\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
        %description\nx\n%install\nmkdir -p %{buildroot}/usr/share/demo\ncd %{buildroot}/usr/share/demo\n\
        printf hello > a.pem\nprintf b > b.pem\nfor n in $(seq 300); do echo $n > file-$n; done\n\
        %files\n/usr/share/demo\n";
    build.write("demo.spec", spec);
    let top = format!("_topdir {}/top", build.path().display());
    run(
        build.path(),
        "rpmbuild",
        &["-bb", "--quiet", "--define", &top, "demo.spec"],
    );
    let database = ["--dbpath", "/var/lib/rpm"];
    let at = root.path().to_string_lossy().into_owned();
    let package = build.at("top/RPMS/noarch/demo-1.0-3.noarch.rpm");
    let package = package.to_string_lossy();
    let arguments = [
        "--root",
        &at,
        "--nodeps",
        "--noscripts",
        "--force-debian",
        "-i",
        &package,
    ];
    run_as_root(
        build.path(),
        "rpm",
        &[&database[..], &arguments[..]].concat(),
    );
    assert!(
        root.at("var/lib/rpm/rpmdb.sqlite").exists(),
        "rpm writes another form of database"
    );
    let demo = "rpm:demo@2:1.0-3";
    assert_eq!(root.class("/usr/share/demo/a.pem"), vendor(demo));
    assert_eq!(root.class("/usr/share/demo/file-300"), vendor(demo));
    root.write("usr/share/demo/b.pem", "changed")
        .write("usr/share/demo/stray.pem", "hello");
    assert_eq!(root.class("/usr/share/demo/b.pem"), own(Some(demo)));
    assert_eq!(root.class("/usr/share/demo/stray.pem"), own(None));
}
