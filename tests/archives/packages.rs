//! Initial RAM disks, archives of object files, and packages.

use super::damage::shell;
use super::plants::{Swept, sweep};
use crate::support::{open_directory, plant};

/// Packs two keys by a script, and gives what was found in the file `x`: the types, and the name of the last member.
fn packed(script: &str) -> (Swept, Vec<(String, String)>) {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/p384/pkcs8.pem", dir.path(), "2.pem");
    shell(dir.path(), &format!("{script}\nrm -f *.pem"));
    let swept = sweep(dir.path(), &[]);
    let found = swept.found.get(&dir.path().join("x")).into_iter().flatten();
    let found = found.map(|((types, name), _)| (types.join(" "), name.clone()));
    let found = found.collect();
    (swept, found)
}

fn pair(types: &str, name: &str) -> (String, String) {
    (types.to_owned(), name.to_owned())
}

#[test]
fn an_initial_ram_disk_with_its_uncompressed_head() {
    for (tool, name) in [
        ("gzip", "gzip"),
        ("zstd -q -19 -c", "zstd"),
        ("lz4 -q -l -c", "lz4"),
        ("xz --check=crc32 -c", "xz"),
        ("xz --format=lzma -c", "lzma"),
        ("bzip2 -c", "bzip2"),
    ] {
        // As the tools of distributions do it: microcode first, then modules, then the rest.
        let (swept, found) = packed(&format!(
            "mkdir -p kernel/x86/microcode; cp 1.pem kernel/x86/microcode; \
             find kernel | cpio -o -H newc --quiet >x; head -c 3072 /dev/zero >>x; \
             echo 2.pem | cpio -o -H newc --quiet | {tool} >>x; rm -r kernel"
        ));
        assert!(swept.gaps.is_empty(), "{name}: {:?}", swept.gaps);
        let mut expected = [
            pair("cpio", "kernel/x86/microcode/1.pem"),
            pair(&format!("{name} cpio"), "2.pem"),
        ];
        expected.sort();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn names_of_system_v_and_gnu() {
    let long = "a_name_of_more_than_sixteen_characters.pem";
    let (swept, found) = packed(&format!("mv 1.pem {long}; ar -qc x 2.pem {long}"));
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(found, [pair("ar", "2.pem"), pair("ar", long)]);
}

#[test]
fn members_that_a_zero_byte_pads_as_go_writes_it() {
    let (swept, found) = packed(
        r"ar -qcD x 1.pem 2.pem; size=$(stat -c %s 1.pem); test $((size % 2)) = 1
          printf '\0' | dd of=x bs=1 seek=$((68 + size)) conv=notrunc status=none",
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(found, [pair("ar", "1.pem"), pair("ar", "2.pem")]);
}

#[test]
fn names_of_bsd() {
    // The form that ar(5) of BSD tells; both names are there, one filled with zeros.
    let (swept, found) = packed(
        r##"python3 - <<'END'
def member(name, data):
    stored = name.encode() + bytes(-len(name) % 4)
    header = "%-16s%-12d%-6d%-6d%-8s%-10d`\n" % ("#1/%d" % len(stored), 0, 0, 0, "100644", len(stored) + len(data))
    body = header.encode() + stored + data
    return body + b"\n" * (len(body) % 2)
with open("x", "wb") as out:
    out.write(b"!<arch>\n")
    out.write(member("a name with blanks.pem", open("1.pem", "rb").read()))
    out.write(member("b.pem", open("2.pem", "rb").read() + b"\n"))
END"##,
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(
        found,
        [pair("ar", "a name with blanks.pem"), pair("ar", "b.pem")]
    );
}

#[test]
fn keys_in_the_scripts_of_packages() {
    let (swept, found) = packed(
        "mkdir -p d/DEBIAN; cp 1.pem d/DEBIAN/postinst; chmod 755 d/DEBIAN/postinst; cp 2.pem d; \
         printf 'Package: keys\nVersion: 1\nArchitecture: all\nMaintainer: n\nDescription: d\n' >d/DEBIAN/control; \
         dpkg-deb -Zxz -b d x >/dev/null; rm -r d",
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(
        found,
        [
            pair("ar xz tar", "./2.pem"),
            pair("ar xz tar", "./postinst")
        ]
    );
    let (swept, found) = packed(
        "mkdir d; { printf '%s\n' 'Name: keys' 'Version: 1' 'Release: 1' 'Summary: s' 'License: none' 'BuildArch: noarch' '%description' d '%install' \"cp $PWD/2.pem %{buildroot}\" '%post'; \
           cat 1.pem; printf '%s\n' '%files' /2.pem; } >d/keys.spec; \
         rpmbuild -bb --quiet -D '_build_name_fmt x' -D \"_topdir $PWD/d\" -D \"_rpmdir $PWD/d\" -D '_binary_payload w9.xzdio' d/keys.spec >d/log 2>&1; mv d/x x; rm -r d",
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(
        found,
        [pair("rpm", "header"), pair("rpm xz cpio", "./2.pem")]
    );
}

#[test]
fn cut_and_damaged_archives_are_told() {
    // How two members are packed, where the header of the second one stands behind a first of `s` bytes, and how long it is at least.
    for (pack, second, length) in [
        ("ar -qc x 1.pem 2.pem", "68 + s + s % 2", 60),
        (
            "printf '1.pem\\n2.pem\\n' | cpio -o -H newc --quiet >x",
            "116 + (s + 3) / 4 * 4",
            48,
        ),
        (
            "printf '1.pem\\n2.pem\\n' | cpio -o -H odc --quiet >x",
            "82 + s",
            48,
        ),
        (
            "printf '1.pem\\n2.pem\\n' | cpio -o -H bin --quiet >x 2>/dev/null",
            "32 + s + s % 2",
            26,
        ),
    ] {
        let prepare = format!("s=$(stat -c %s 1.pem); {pack}; second=$(({second}))");
        let reasons = |swept: &Swept| -> Vec<String> {
            let gaps = swept.gaps.iter();
            gaps.map(|g| g["reason"].as_str().unwrap().to_owned())
                .collect()
        };
        // Within the header of the second member, and within its data.
        for more in [20, 180] {
            let (swept, found) = packed(&format!("{prepare}; truncate -s $((second + {more})) x"));
            let reasons = reasons(&swept);
            let all = !reasons.is_empty() && reasons.iter().all(|r| r == "truncated");
            assert!(
                all && found.len() == 1,
                "{pack} {more}: {reasons:?} {found:?}"
            );
        }
        // What stands behind a damaged header is searched as it is.
        let damage = format!(
            "{prepare}; printf '#%.0s' {{1..{length}}} | dd of=x bs=1 seek=$second conv=notrunc status=none"
        );
        let (swept, found) = packed(&damage);
        assert_eq!(reasons(&swept), ["malformed"], "{pack}");
        assert_eq!(found.len(), 2, "{pack}: {found:?}");
    }
}
