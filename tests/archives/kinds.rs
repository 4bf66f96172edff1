//! Every kind of archive by itself, with all keys in it.

use super::plants::{Kind, compare, pack, plant_all, sweep};
use crate::support::open_directory;
use std::fs;
use std::path::Path;

/// Makes a package, with this compressor, of which the files lie directly beneath the root.
macro_rules! rpm {
    ($payload:literal) => {
        concat!(
            "mkdir $1.d; printf '%s\n' 'Name: keys' 'Version: 1' 'Release: 1' 'Summary: s' 'License: none' 'BuildArch: noarch'",
            " '%description' 'd' '%install' \"cp -r '$PWD'/. %{buildroot}\" '%files' '/*' >$1.d/keys.spec;",
            " rpmbuild -bb --quiet -D '_binary_payload ", $payload, "' -D '_build_name_fmt x.rpm' -D \"_topdir $1.d\" -D \"_rpmdir $1.d\"",
            " -D '__os_install_post %{nil}' -D '_source_filedigest_algorithm 8' $1.d/keys.spec >$1.d/log 2>&1 || { cat $1.d/log >&2; exit 1; };",
            " mv $1.d/x.rpm $1; rm -r $1.d"
        )
    };
}
const RPM_ZSTD: &str = rpm!("w3.zstdio");
const RPM_LZMA: &str = rpm!("w3.lzdio");

/// Makes a file system of the files, of this type and with these options, at `$1.p`.
macro_rules! ext {
    ($options:literal) => {
        concat!(
            "mke2fs -q ",
            $options,
            " -d . $1.p $(($(du -sm . | cut -f1) * 2 + 6))M; "
        )
    };
}
/// Makes a disk at `$1` with this table, in which the file system is the partition that begins with this MiB.
macro_rules! disk {
    ($table:literal, $place:literal) => {
        concat!(
            "s=$(stat -c %s $1.p); truncate -s $((s + 4194304)) $1; printf '",
            $table,
            "' $((s / 512)) | sfdisk -q $1; dd if=$1.p of=$1 bs=1M seek=",
            $place,
            " conv=notrunc,sparse status=none; rm $1.p"
        )
    };
}

const fn kind(ending: &'static str, chain: &'static [&'static str], script: &'static str) -> Kind {
    Kind {
        ending,
        script,
        chain,
    }
}

/// All kinds, as their own tools make them: the ending, what leads to a file, and the script.
pub(crate) const KINDS: &[Kind] = &[
    kind("ustar.tar", &["tar"], "tar --format=ustar -cf $1 *"),
    kind("pax.tar", &["tar"], "tar --format=pax -cf $1 ."),
    kind("gnu.tar", &["tar"], "tar --format=gnu -cf $1 *"),
    kind(
        "two.tar",
        &["tar"],
        "{ ls | grep ^[a-p] || :; } | tar -cf $1 -T -; { ls | grep -v ^[a-p] || :; } | tar -cf $1.2 -T -; cat $1.2 >>$1 && rm $1.2",
    ),
    kind("tar.gz", &["gzip", "tar"], "tar -czf $1 *"),
    kind(
        "members.tar.gz",
        &["gzip", "tar"],
        "tar -cf - * | split -b 100000 --filter='gzip -9' - >$1; head -c 1024 /dev/zero >>$1",
    ),
    kind("zip", &["zip"], "zip -qr $1.zip . && mv $1.zip $1"),
    kind("stored.zip", &["zip"], "zip -q0r $1.zip . && mv $1.zip $1"),
    kind("streamed.zip", &["zip"], "zip -qr - . | cat >$1"),
    kind(
        "self-extracting.zip",
        &["zip"],
        "zip -qr $1.zip . && cat /bin/true $1.zip >$1 && rm $1.zip && zip -qA $1",
    ),
    kind(
        "solid.7z",
        &["7z"],
        "7z a -bso0 -bsp0 -ms=on $1.7z . && mv $1.7z $1",
    ),
    kind(
        "files.7z",
        &["7z"],
        "7z a -bso0 -bsp0 -ms=off -mx=1 $1.7z . && mv $1.7z $1",
    ),
    kind("tar.bz2", &["bzip2", "tar"], "tar -cjf $1 *"),
    kind(
        "members.tar.bz2",
        &["bzip2", "tar"],
        "tar -cf - * | split -b 100000 --filter='bzip2 -1' - >$1; head -c 1024 /dev/zero >>$1",
    ),
    kind(
        "tar.xz",
        &["xz", "tar"],
        "tar -cf - * | xz -9 --check=sha256 >$1",
    ),
    kind(
        "members.tar.xz",
        &["xz", "tar"],
        "tar -cf - * | split -b 100000 --filter='xz --x86 --delta=dist=4 --lzma2 --block-size=30000' - >$1; head -c 1024 /dev/zero >>$1",
    ),
    kind(
        "tar.lzma",
        &["lzma", "tar"],
        "tar -cf - * | xz --format=lzma >$1",
    ),
    kind(
        "tar.zst",
        &["zstd", "tar"],
        "tar -cf - * | zstd -q -19 --ultra --long=26 >$1",
    ),
    kind(
        "members.tar.zst",
        &["zstd", "tar"],
        r"printf '\x5a\x2a\x4d\x18\x04\0\0\0skip' >$1; tar -cf - * | split -b 100000 --filter='zstd -q -1' - >>$1; printf '\x5f\x2a\x4d\x18\0\0\0\0' >>$1",
    ),
    kind(
        "tar.lz4",
        &["lz4", "tar"],
        "tar -cf - * | lz4 -q -c -BD -B4 -BX --content-size >$1",
    ),
    kind(
        "members.tar.lz4",
        &["lz4", "tar"],
        r"printf '\x5a\x2a\x4d\x18\x04\0\0\0skip' >$1; tar -cf - * | split -b 100000 --filter='lz4 -q -c -9 --no-frame-crc' - >>$1",
    ),
    kind(
        "legacy.tar.lz4",
        &["lz4", "tar"],
        "tar -cf - * | lz4 -q -c -l >$1",
    ),
    kind(
        "tar.Z",
        &["compress", "tar"],
        "tar -cf - * | compress -c >$1",
    ),
    kind(
        "12.tar.Z",
        &["compress", "tar"],
        "tar -cf - * | compress -c -b 12 >$1",
    ),
    kind(
        "newc.cpio",
        &["cpio"],
        "find . -type f | cpio -o -H newc --quiet >$1",
    ),
    kind("crc.cpio", &["cpio"], "find . | cpio -o -H crc --quiet >$1"),
    kind(
        "odc.cpio.gz",
        &["gzip", "cpio"],
        "find * | cpio -o -H odc --quiet | gzip >$1",
    ),
    kind(
        "bin.cpio",
        &["cpio"],
        "find . -type f | cpio -o -H bin --quiet 2>/dev/null >$1",
    ),
    kind(
        "a",
        &["ar", "tar"],
        "mkdir $1.d; tar -cf $1.d/a_rather_long_name.tar *; ar -qc $1 $1.d/*; rm -r $1.d",
    ),
    kind(
        "xz.deb",
        &["ar", "xz", "tar"],
        "mkdir -p $1.d/DEBIAN; cp -r * $1.d; printf 'Package: keys\nVersion: 1\nArchitecture: all\nMaintainer: n\nDescription: d\n' >$1.d/DEBIAN/control; dpkg-deb -Zxz --root-owner-group -b $1.d $1 >/dev/null; rm -r $1.d",
    ),
    kind(
        "gz.deb",
        &["ar", "gzip", "tar"],
        "mkdir -p $1.d/DEBIAN; cp -r * $1.d; printf 'Package: keys\nVersion: 1\nArchitecture: all\nMaintainer: n\nDescription: d\n' >$1.d/DEBIAN/control; dpkg-deb -Zgzip --root-owner-group -b $1.d $1 >/dev/null; rm -r $1.d",
    ),
    kind(
        "pdf",
        &["pdf"],
        r#"files=(); while IFS= read -r f; do files+=(--add-attachment "$f" --key="$f" --filename="$f" --); done < <(find * -type f); qpdf --empty "${files[@]}" $1"#,
    ),
    kind("zst.rpm", &["rpm", "zstd", "cpio"], RPM_ZSTD),
    kind("lzma.rpm", &["rpm", "lzma", "cpio"], RPM_LZMA),
    kind("ext4", &["ext"], concat!(ext!("-t ext4"), "mv $1.p $1")),
    kind(
        "inline.ext4",
        &["ext"],
        concat!(
            ext!(
                "-t ext4 -I 1024 -O inline_data,metadata_csum,64bit,meta_bg,^resize_inode,bigalloc"
            ),
            "mv $1.p $1"
        ),
    ),
    kind(
        "ext2",
        &["ext"],
        concat!(ext!("-t ext2 -b 1024 -r 0"), "mv $1.p $1"),
    ),
    kind(
        "gzip.squashfs",
        &["squashfs"],
        "mksquashfs . $1 -comp gzip -quiet -no-progress >/dev/null",
    ),
    kind(
        "lzma.squashfs",
        &["squashfs"],
        "mksquashfs . $1 -comp lzma -always-use-fragments -quiet -no-progress >/dev/null",
    ),
    kind(
        "xz.squashfs",
        &["squashfs"],
        "mksquashfs . $1 -comp xz -Xbcj x86 -b 16K -quiet -no-progress >/dev/null",
    ),
    kind(
        "lz4.squashfs",
        &["squashfs"],
        "mksquashfs . $1 -comp lz4 -no-fragments -quiet -no-progress >/dev/null",
    ),
    kind(
        "zstd.squashfs",
        &["squashfs"],
        "mksquashfs . $1 -comp zstd -b 1M -quiet -no-progress >/dev/null",
    ),
    kind(
        "gpt",
        &["partition", "ext"],
        concat!(
            ext!("-t ext3"),
            disk!("label: gpt\\nstart=2048, size=%s, name=\"keys\"\\n", "1")
        ),
    ),
    kind(
        "mbr",
        &["partition", "squashfs"],
        concat!(
            "mksquashfs . $1.p -quiet -no-progress >/dev/null; ",
            disk!(
                "label: dos\\nstart=2048, type=5\\nstart=4096, size=%s\\n",
                "2"
            )
        ),
    ),
    kind("iso", &["iso9660"], "genisoimage -quiet -R -o $1 ."),
    kind(
        "joliet.iso",
        &["iso9660"],
        "genisoimage -quiet -J -joliet-long -input-charset utf-8 -o $1 . 2>/dev/null",
    ),
];

/// Makes one of each kind of the files beneath a directory.
fn pack_all(keys: &Path, archives: &Path) {
    for kind in KINDS {
        let target = archives.join(format!("x.{}", kind.ending));
        pack(kind, keys, &target);
    }
}

#[test]
fn every_key_is_found_in_every_kind() {
    let keys = open_directory();
    let planted = plant_all(keys.path());
    let archives = open_directory();
    pack_all(keys.path(), archives.path());
    let swept = sweep(archives.path(), &[]);
    for kind in KINDS {
        let file = archives.path().join(format!("x.{}", kind.ending));
        compare(&swept, &file, kind.chain, &planted);
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}

#[test]
fn closed_archives_are_told() {
    let keys = open_directory();
    plant_all(keys.path());
    let archives = open_directory();
    pack_all(keys.path(), archives.path());
    let swept = sweep(archives.path(), &["--shallow"]);
    let files = fs::read_dir(archives.path()).unwrap().count();
    let told = swept
        .gaps
        .iter()
        .filter(|gap| gap["reason"] == "not_swept" && gap["by_choice"] == true);
    assert_eq!(told.count(), files, "{:?}", swept.gaps);
    let inside = swept.found.values().flat_map(|found| found.keys());
    assert!(inside.into_iter().all(|(types, _)| types.is_empty()));
}
