//! Disk images: realistic trees, what was deleted, what is closed, and images that lie.

use super::damage::shell;
use super::plants::{Planted, Swept, compare, plant_all, plant_few, sweep};
use crate::support::{arg, open_directory, plant};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// File systems of all shapes: name, and what makes it of `tree` at `$name`.
const FILE_SYSTEMS: &[(&str, &str)] = &[
    ("ext4", "mke2fs -q -t ext4 -d tree ext4 80M"),
    // mke2fs takes a file that is one hole for one in its inode, and writes what debugfs cannot read either.
    (
        "inline",
        "mv tree/hole .; mke2fs -q -t ext4 -b 1024 -I 256 -O inline_data,meta_bg,^resize_inode,^has_journal -d tree inline 80M; mv hole tree",
    ),
    ("ext3", "mke2fs -q -t ext3 -b 2048 -d tree ext3 80M"),
    ("ext2", "mke2fs -q -t ext2 -b 1024 -d tree ext2 80M"),
    (
        "old",
        "mke2fs -q -t ext2 -r 0 -O none -b 1024 -d tree old 80M 2>/dev/null",
    ),
    (
        "gzip",
        "mksquashfs tree gzip -b 4K -quiet -no-progress -no-exports >/dev/null",
    ),
    (
        "zstd",
        "mksquashfs tree zstd -comp zstd -tailends -quiet -no-progress >/dev/null",
    ),
    (
        "stored",
        "mksquashfs tree stored -noI -noD -noF -noX -quiet -no-progress >/dev/null",
    ),
    ("iso", "genisoimage -quiet -R -o iso tree 2>/dev/null"),
];

/// A tree with what file systems treat in ways of their own: large directories, large files, holes, names of every length, and no files.
fn realistic(directory: &Path) -> Planted {
    let tree = directory.join("tree");
    fs::create_dir(&tree).unwrap();
    let mut planted = plant_all(&tree);
    let key = fs::read("fixtures/identity/p384/pkcs8.pem").unwrap();
    let mut add = |name: String, before: usize, hole: u64| {
        let file = tree.join(&name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut content: Vec<u8> = (0..before)
            .map(|at| u8::try_from(at / 7 % 255).unwrap() | 1)
            .collect();
        content.extend_from_slice(&key);
        use std::os::unix::fs::FileExt as _;
        fs::File::create(&file)
            .unwrap()
            .write_all_at(&content, hole)
            .unwrap();
        let mut told = planted["p384/pkcs8.pem"].clone();
        for told in &mut told {
            told.2 += before as u64 + hole;
        }
        planted.insert(name, told);
    };
    // An index of two levels at 1 KiB, and blocks by one, two and three steps.
    for number in 0..1500 {
        add(
            format!("large/{number}-{}", "n".repeat(number % 240)),
            number,
            0,
        );
    }
    for (number, before) in [4095, 4096, 12_287, 280_000, 6_000_000]
        .into_iter()
        .enumerate()
    {
        add(format!("long/{number}"), before, 0);
    }
    add("sparse".to_owned(), 5, 40_000_000);
    add(format!("{}end", "deep/".repeat(200)), 1, 0);
    add("n".repeat(255), 0, 0);
    shell(
        &tree,
        "mkfifo pipe; ln -s long/1 link; ln -s $(printf 'x%.0s' {1..300}) longer; mkdir empty; : >nothing; \
         truncate -s 60M hole; head -c 200000 /dev/urandom >noise",
    );
    planted
}

#[test]
fn the_files_of_a_realistic_tree_are_found_as_other_tools_list_them() {
    let dir = open_directory();
    let planted = realistic(dir.path());
    for (_, script) in FILE_SYSTEMS {
        shell(dir.path(), script);
    }
    // What the tools of the file systems unpack is what was packed.
    shell(
        dir.path(),
        "rm tree/pipe; for i in ext4 ext3 ext2; do mkdir $i.d; debugfs -R \"rdump / $i.d\" $i 2>/dev/null; \
           rm -rf $i.d/lost+found; diff -r --no-dereference tree $i.d; rm -r $i.d; done; \
         for i in gzip zstd; do unsquashfs -q -n -d $i.d $i >/dev/null; rm $i.d/pipe; diff -r --no-dereference tree $i.d; rm -r $i.d; done; rm -r tree",
    );
    let swept = sweep(dir.path(), &[]);
    for (name, _) in FILE_SYSTEMS {
        let kind = match *name {
            "gzip" | "zstd" | "stored" => "squashfs",
            "iso" => "iso9660",
            _ => "ext",
        };
        compare(&swept, &dir.path().join(name), &[kind], &planted);
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
}

#[test]
fn names_that_are_no_text_and_names_of_one_file() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    plant("identity/p256/pkcs8.pem", &tree, "1.pem");
    shell(
        dir.path(),
        r"cd tree; ln 1.pem 2.pem; mkdir $'d\xff'; cp 1.pem $'d\xff/k\xfe'; cd ..; mke2fs -q -t ext4 -d tree ext 8M; mksquashfs tree squashfs -quiet -no-progress >/dev/null; genisoimage -quiet -R -o iso tree; rm -r tree",
    );
    let swept = sweep(dir.path(), &[]);
    for kind in ["ext", "squashfs", "iso"] {
        let found = &swept.found[&dir.path().join(kind)];
        let names: Vec<_> = found.keys().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.iter().any(|n| ["1.pem", "2.pem"].contains(n)));
        assert!(names.contains(&"d\u{fffd}/k\u{fffd}"), "{names:?}");
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
}

/// Offsets of what was found as it lies.
fn raw(swept: &Swept, file: &Path) -> Vec<u64> {
    let raw = swept.found.get(file);
    let raw = raw.and_then(|found| found.get(&(vec![], String::new())));
    raw.into_iter().flatten().map(|told| told.2).collect()
}

fn names(swept: &Swept, file: &Path) -> Vec<String> {
    let found = swept.found.get(file).into_iter().flatten();
    found
        .filter(|((types, _), _)| !types.is_empty())
        .map(|((_, name), _)| name.clone())
        .collect()
}

fn reasons(swept: &Swept, file: &Path) -> BTreeSet<String> {
    let about = swept.gaps.iter().filter(|gap| gap["path"] == arg(file));
    about
        .map(|gap| gap["reason"].as_str().unwrap().to_owned())
        .collect()
}

fn place_of(file: &Path, bytes: &[u8]) -> u64 {
    let content = fs::read(file).unwrap();
    memchr::memmem::find(&content, bytes).unwrap() as u64
}

#[test]
fn what_was_deleted_is_found_where_it_lies() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let deleted = plant("identity/p256/pkcs8.pem", &tree, "1.pem");
    plant("identity/p384/pkcs8.pem", &tree, "2.pem");
    let deleted = fs::read(deleted).unwrap();
    // `rm` frees the blocks; `unlink` takes the name and nothing else.
    shell(
        dir.path(),
        "for t in ext2 ext4; do for how in rm unlink; do mke2fs -q -t $t -d tree $t.$how 8M; debugfs -w -R \"$how /1.pem\" $t.$how 2>/dev/null; done; done; rm -r tree",
    );
    let swept = sweep(dir.path(), &[]);
    for name in ["ext2.rm", "ext2.unlink", "ext4.rm", "ext4.unlink"] {
        let file = dir.path().join(name);
        assert_eq!(raw(&swept, &file), [place_of(&file, &deleted)], "{name}");
        assert_eq!(names(&swept, &file), ["2.pem"], "{name}");
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
}

#[test]
fn what_stands_behind_a_file_and_in_lost_inodes_is_found() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    // What is written behind the end of a file in its block, and small files that lost their names.
    plant("identity/p256/pkcs8.pem", &tree, "1.pem");
    plant("identity/ed25519/openssh_public.pub", &tree, "2");
    shell(
        dir.path(),
        r#"cp tree/1.pem key; printf x >tree/3; { printf '\n%.0s' {1..60}; cat tree/2; } >tree/4; mke2fs -q -t ext4 -I 1024 -O inline_data -d tree inode 8M
           debugfs -w -R 'unlink /4' inode 2>/dev/null; rm tree/4; mke2fs -q -t ext4 -d tree slack 8M
           size=$(dumpe2fs -h slack 2>/dev/null | sed -n 's/^Block size: *//p'); block=$(debugfs -R 'blocks /3' slack 2>/dev/null)
           dd if=key of=slack bs=1 seek=$((block * size + 100)) conv=notrunc status=none; rm -r tree key"#,
    );
    let swept = sweep(dir.path(), &[]);
    for (name, file) in [
        ("slack", "identity/p256/pkcs8.pem"),
        ("inode", "identity/ed25519/openssh_public.pub"),
    ] {
        let image = dir.path().join(name);
        let key = fs::read(Path::new("fixtures").join(file)).unwrap();
        let content = fs::read(&image).unwrap();
        let last = memchr::memmem::rfind(&content, &key).unwrap();
        let first = memchr::memmem::find(&content, &key).unwrap();
        let found = raw(&swept, &image);
        assert!(
            found == [first as u64] || found == [last as u64],
            "{name}: {found:?}"
        );
        assert_eq!(names(&swept, &image), ["1.pem", "2"], "{name}");
    }
}

#[test]
fn what_is_closed_or_not_replayed_is_told() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    plant("identity/p256/pkcs8.pem", &tree, "1.pem");
    plant("identity/p384/pkcs8.pem", &tree, "d/2.pem");
    shell(
        dir.path(),
        "mke2fs -q -t ext4 -O encrypt -d tree file 8M; cp file directory; cp file journal; cp file features; \
         debugfs -w -R 'sif /1.pem flags 0x80800' file; debugfs -w -R 'sif /d flags 0x80800' directory; \
         debugfs -w -R 'feature needs_recovery' journal >/dev/null; debugfs -w -R 'feature FEATURE_I30' features >/dev/null; rm -r tree",
    );
    let swept = sweep(dir.path(), &[]);
    let told = |name: &str| reasons(&swept, &dir.path().join(name));
    assert_eq!(told("file"), BTreeSet::from(["encrypted".to_owned()]));
    assert_eq!(names(&swept, &dir.path().join("file")), ["d/2.pem"]);
    assert_eq!(told("directory"), BTreeSet::from(["encrypted".to_owned()]));
    assert_eq!(names(&swept, &dir.path().join("directory")), ["1.pem"]);
    for name in ["journal", "features"] {
        assert_eq!(told(name), BTreeSet::from(["unsupported".to_owned()]));
    }
    assert_eq!(names(&swept, &dir.path().join("journal")).len(), 2);
    assert_eq!(raw(&swept, &dir.path().join("features")).len(), 2);
}

#[test]
fn other_images_are_told_and_searched_as_they_lie() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    shell(
        dir.path(),
        r"for f in qcow2 vmdk vhdx vdi vpc; do qemu-img convert -q -O $f 1.pem $f; done
          mkdir tree; cp 1.pem tree; mksquashfs tree lzo -comp lzo -quiet -no-progress >/dev/null
          mksquashfs tree big -noF -noD -noI -quiet -no-progress >/dev/null; cp big three
          printf 'sqsh' | dd of=big conv=notrunc status=none; printf '\0\4' | dd of=big bs=1 seek=28 conv=notrunc status=none
          printf '\3\0' | dd of=three bs=1 seek=28 conv=notrunc status=none
          { printf 'XFSB'; head -c 97 /dev/zero; printf '\xb5'; head -c 5000 /dev/zero; cat 1.pem; } >xfs
          { head -c 65600 /dev/zero; printf '_BHRfS_M'; head -c 5000 /dev/zero; cat 1.pem; } >btrfs
          { head -c 512 /dev/zero; printf 'LABELONE'; head -c 16 /dev/zero; printf 'LVM2 001'; cat 1.pem; } >lvm2
          { printf '\xeb\x52\x90NTFS    \0\x02'; head -c 5000 /dev/zero; cat 1.pem; } >ntfs
          { printf 'Rar!\x1a\7\0'; head -c 5000 /dev/zero; cat 1.pem; } >rar4; { printf 'Rar!\x1a\7\1\0'; head -c 5000 /dev/zero; cat 1.pem; } >rar5
          { printf 'MSCF\0\0\0\0'; head -c 16 /dev/zero; printf '\3\1'; head -c 5000 /dev/zero; cat 1.pem; } >cab
          { printf 'MSWIM\0\0\0'; head -c 5000 /dev/zero; cat 1.pem; } >wim
          { head -c 1024 /dev/zero; printf '\xe2\xe1\xf5\xe0'; head -c 8 /dev/zero; printf '\x0c'; head -c 5000 /dev/zero; cat 1.pem; } >erofs
          mkfs.cramfs tree cramfs
          rm -r tree 1.pem",
    );
    let swept = sweep(dir.path(), &[]);
    let all: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(all.len(), 18);
    for file in all {
        let told: Vec<&Value> = swept
            .gaps
            .iter()
            .filter(|gap| gap["path"] == arg(&file))
            .collect();
        assert_eq!(told.len(), 1, "{}", file.display());
        assert_eq!(told[0]["reason"], "unsupported", "{}", file.display());
        let is_packed = file.ends_with("lzo") || file.ends_with("cramfs");
        assert_eq!(
            raw(&swept, &file).len(),
            usize::from(!is_packed),
            "{}",
            file.display()
        );
    }
}

#[test]
fn what_only_looks_like_a_disk_is_searched_as_it_is() {
    let dir = open_directory();
    let key = fs::read("fixtures/identity/p256/pkcs8.pem").unwrap();
    let mut boot = vec![0; 512];
    boot[..3].copy_from_slice(b"\xeb\x3c\x90");
    boot[510..].copy_from_slice(b"\x55\xaa");
    let mut fat = boot.clone();
    fat[3..11].copy_from_slice(b"mkfs.fat");
    fat[54..62].copy_from_slice(b"FAT16   ");
    fat[62..490].fill(b'm');
    // A record whose partition is not there.
    let mut alone = boot.clone();
    alone[446 + 4] = 0x83;
    alone[446 + 9..446 + 12].copy_from_slice(&[8, 0, 0]);
    alone[446 + 13] = 8;
    let mut overlapping = alone.clone();
    overlapping[446 + 8..446 + 10].copy_from_slice(&[1, 0]);
    overlapping.copy_within(446..462, 462);
    let mut magic = vec![0; 2048];
    magic[1080..1082].copy_from_slice(&[0x53, 0xef]);
    for (name, start) in [
        ("boot", boot),
        ("fat", fat),
        ("alone", alone),
        ("overlapping", overlapping),
        ("magic", magic),
    ] {
        fs::write(dir.path().join(name), [&start[..], &key].concat()).unwrap();
        let swept = sweep(&dir.path().join(name), &[]);
        assert_eq!(
            raw(&swept, &dir.path().join(name)),
            [start.len() as u64],
            "{name}"
        );
        assert!(swept.gaps.is_empty(), "{name}: {:?}", swept.gaps);
    }
}

#[test]
fn partitions_by_number_and_label_and_what_lies_between_them() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let planted = plant_few(&tree);
    let key = plant("identity/p384/pkcs8.pem", dir.path(), "key");
    let key = fs::read(key).unwrap();
    shell(
        dir.path(),
        r#"mke2fs -q -t ext4 -d tree p 4M; cp p gpt.p
           truncate -s 16M gpt; printf 'label: gpt\nstart=2048, size=8192, name="the keys"\nstart=16384, size=8192\n' | sfdisk -q gpt
           dd if=p of=gpt bs=1M seek=1 conv=notrunc status=none; dd if=key of=gpt bs=512 seek=12000 conv=notrunc status=none; dd if=key of=gpt bs=512 seek=16384 conv=notrunc status=none
           cp gpt damaged; dd if=/dev/zero of=damaged bs=512 seek=2 count=1 conv=notrunc status=none
           head -c 11M gpt >cut
           truncate -s 16M mbr; printf 'label: dos\nstart=2048, size=2048\nstart=4096, size=26624, type=f\nstart=6144, size=1024\nstart=10240, size=8192\n' | sfdisk -q mbr
           dd if=p of=mbr bs=1M seek=5 conv=notrunc status=none; dd if=key of=mbr bs=512 seek=2048 conv=notrunc status=none; dd if=key of=mbr bs=512 seek=5000 conv=notrunc status=none
           rm -r tree p gpt.p key"#,
    );
    let swept = sweep(dir.path(), &[]);
    let members = |name: &str, chain: usize| -> Vec<(String, u64)> {
        let found = &swept.found[&dir.path().join(name)];
        let found = found.iter().filter(|((types, _), _)| types.len() == chain);
        found
            .flat_map(|((_, name), told)| told.iter().map(|told| (name.clone(), told.2)))
            .collect()
    };
    for name in ["gpt", "damaged", "cut"] {
        assert_eq!(members(name, 0), [(String::new(), 12_000 * 512)], "{name}");
        assert_eq!(members(name, 1), [("2".to_owned(), 0)], "{name}");
        assert_eq!(members(name, 2).len(), planted.len(), "{name}");
    }
    assert_eq!(members("mbr", 0), [(String::new(), 5000 * 512)]);
    assert_eq!(members("mbr", 1), [("1".to_owned(), 0)]);
    assert_eq!(members("mbr", 2).len(), planted.len());
    assert!(key.len() < 512);
    let told = |name: &str| reasons(&swept, &dir.path().join(name));
    assert_eq!(told("gpt"), BTreeSet::new());
    assert_eq!(told("mbr"), BTreeSet::new());
    assert_eq!(told("damaged"), BTreeSet::from(["malformed".to_owned()]));
    assert_eq!(told("cut"), BTreeSet::from(["truncated".to_owned()]));
}

#[test]
fn a_stream_that_is_too_large_is_searched_in_order() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    plant("identity/p256/pkcs8.pem", &tree, "1.pem");
    shell(
        dir.path(),
        "for m in 40 90; do mke2fs -q -t ext4 -d tree x ${m}M; gzip -1 <x >$m.gz; rm x; done; rm -r tree",
    );
    let swept = sweep(dir.path(), &[]);
    let found = |name: &str| -> Vec<usize> {
        let found = &swept.found[&dir.path().join(name)];
        found.keys().map(|(types, _)| types.len()).collect()
    };
    assert_eq!(found("40.gz"), [2]);
    assert_eq!(found("90.gz"), [1]);
    assert!(reasons(&swept, &dir.path().join("40.gz")).is_empty());
    let told = reasons(&swept, &dir.path().join("90.gz"));
    assert_eq!(told, BTreeSet::from(["limit".to_owned()]));
}

/// Small images of each kind with three keys in them.
fn small(directory: &Path) -> Vec<&'static str> {
    let tree = directory.join("tree");
    plant_few(&tree);
    shell(
        directory,
        "mke2fs -q -t ext2 -b 1024 -N 32 -d tree ext2 300K; mke2fs -q -t ext4 -b 1024 -N 32 -I 256 -O ^has_journal,inline_data,^metadata_csum -d tree ext4 300K; \
         for c in gzip lzma xz lz4 zstd; do mksquashfs tree $c -comp $c -quiet -no-progress -nopad >/dev/null; done; \
         genisoimage -quiet -R -J -o iso tree; truncate -s 700K gpt; printf 'label: gpt\\nstart=40, size=600\\n' | sfdisk -q gpt; dd if=ext2 of=gpt bs=512 seek=40 conv=notrunc status=none; \
         truncate -s 500K mbr; printf 'label: dos\\nstart=8, size=800, type=5\\nstart=16, size=600\\n' | sfdisk -q mbr; dd if=ext2 of=mbr bs=512 seek=16 conv=notrunc status=none; rm -r tree",
    );
    vec![
        "ext2", "ext4", "iso", "gzip", "lzma", "xz", "lz4", "zstd", "gpt", "mbr",
    ]
}

#[test]
fn images_that_are_cut_anywhere_are_told() {
    let dir = open_directory();
    let kinds = small(dir.path());
    for kind in kinds {
        let image = fs::read(dir.path().join(kind)).unwrap();
        let cuts = open_directory();
        // What a superblock needs is there; behind the last partition nothing is lacking.
        let end = match kind {
            "gpt" => 640 * 512,
            "mbr" => 616 * 512,
            _ => image.len(),
        };
        let start = if image.len() > 100_000 { 40 << 10 } else { 96 };
        let step = (end - start) / 64;
        let mut files = Vec::new();
        for size in (start..end).step_by(step) {
            let file = cuts.path().join(size.to_string());
            fs::write(&file, &image[..size]).unwrap();
            files.push(file);
        }
        let swept = sweep(cuts.path(), &[]);
        for file in files {
            let told = reasons(&swept, &file);
            assert!(
                told.contains("truncated"),
                "{kind} {}: {told:?}",
                file.display()
            );
        }
    }
}

#[test]
fn images_with_flipped_bytes_end_soon() {
    let dir = open_directory();
    let kinds = small(dir.path());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let flipped = open_directory();
    for kind in &kinds {
        let image = fs::read(dir.path().join(kind)).unwrap();
        // Where tables are: what is zero is left so.
        let used: Vec<_> = (0..image.len()).filter(|at| image[*at] != 0).collect();
        for number in 0..100 {
            let mut image = image.clone();
            for _ in 0..1 + number % 8 {
                let at = used[random(used.len())] + random(4);
                if let Some(byte) = image.get_mut(at) {
                    *byte = [0, 0xff, 0x7f, 1, u8::try_from(random(256)).unwrap()][random(5)];
                }
            }
            fs::write(flipped.path().join(format!("{kind}.{number}")), image).unwrap();
        }
    }
    let begun = std::time::Instant::now();
    let swept = sweep(flipped.path(), &[]);
    assert!(begun.elapsed().as_secs() < 120, "{:?}", begun.elapsed());
    // Most flips harm one file at most.
    let whole = swept.found.values().filter(|found| found.len() >= 2);
    assert!(whole.count() > 50 * kinds.len());
    assert!(swept.gaps.len() > 100, "{}", swept.gaps.len());
}

#[test]
fn tables_that_lie() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let planted = plant_few(&tree);
    // A directory in itself, a file of sixteen exabytes, a block that is not there, two inodes of which the one's map is the other's.
    shell(
        dir.path(),
        r#"mke2fs -q -t ext2 -d tree loop 8M; cp loop huge; cp loop outside; cp loop table
           debugfs -w -R 'ln / /p256/again' loop 2>/dev/null
           debugfs -w -R 'sif /p256/pkcs8.pem size 0xffffffffffffffff' huge 2>/dev/null
           debugfs -w -R 'sif /p256/pkcs8.pem block[0] 0x7fffffff' outside 2>/dev/null
           debugfs -w -R 'set_bg 0 inode_table 1' table 2>/dev/null; rm -r tree"#,
    );
    let swept = sweep(dir.path(), &[]);
    compare(&swept, &dir.path().join("loop"), &["ext"], &planted);
    compare(&swept, &dir.path().join("huge"), &["ext"], &planted);
    for name in ["loop", "huge", "outside", "table"] {
        let told = reasons(&swept, &dir.path().join(name));
        assert!(told.contains("malformed"), "{name}: {told:?}");
    }
    // What has no file is found as it lies.
    assert_eq!(raw(&swept, &dir.path().join("outside")).len(), 1);
    assert_eq!(raw(&swept, &dir.path().join("table")).len(), planted.len());
}

/// A disc of one directory with these records, `blocks` large.
fn disc(records: &[Vec<u8>], blocks: usize) -> Vec<u8> {
    let sectors: Vec<&[Vec<u8>]> = records.chunks(2048 / 64).collect();
    let record = |name: &[u8], flags: u8, start: u32, size: usize| -> Vec<u8> {
        let mut record = vec![0; 33];
        record[2..6].copy_from_slice(&start.to_le_bytes());
        record[10..14].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
        record[25] = flags;
        record[32] = u8::try_from(name.len()).unwrap();
        record.extend_from_slice(name);
        record.resize(record.len().next_multiple_of(2), 0);
        record[0] = u8::try_from(record.len()).unwrap();
        record
    };
    let mut image = vec![0; 18 * 2048];
    let descriptor = &mut image[16 * 2048..];
    descriptor[..7].copy_from_slice(b"\x01CD001\x01");
    descriptor[80..84].copy_from_slice(&u32::try_from(blocks).unwrap().to_le_bytes());
    descriptor[128..130].copy_from_slice(&2048u16.to_le_bytes());
    let root = record(&[0], 2, 18, sectors.len() * 2048);
    descriptor[156..156 + root.len()].copy_from_slice(&root);
    descriptor[2048..2048 + 7].copy_from_slice(b"\xffCD001\x01");
    for sector in sectors {
        let end = image.len() + 2048;
        image.extend(sector.concat());
        image.resize(end, 0);
    }
    image.resize(image.len().max(blocks * 2048), 0);
    image
}

/// A record of a file, 64 bytes long.
fn file_record(name: &str, flags: u8, start: u32, size: u32) -> Vec<u8> {
    let mut record = vec![0; 64];
    record[0] = 64;
    record[2..6].copy_from_slice(&start.to_le_bytes());
    record[10..14].copy_from_slice(&size.to_le_bytes());
    record[25] = flags;
    record[32] = u8::try_from(name.len()).unwrap();
    record[33..33 + name.len()].copy_from_slice(name.as_bytes());
    record
}

#[test]
fn discs_whose_files_all_claim_the_same_blocks_end_soon() {
    let dir = open_directory();
    let records: Vec<_> = (0..20_000)
        .map(|number| file_record(&format!("f{number}"), 0, 2, u32::MAX))
        .collect();
    fs::write(dir.path().join("disc"), disc(&records, 8192)).unwrap();
    let begun = std::time::Instant::now();
    let swept = sweep(dir.path(), &[]);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    let told = reasons(&swept, &dir.path().join("disc"));
    assert_eq!(told, BTreeSet::from(["truncated".to_owned()]));
}

#[test]
fn a_file_on_a_disc_without_its_last_piece_is_told() {
    let dir = open_directory();
    let key = fs::read("fixtures/identity/p256/pkcs8.pem").unwrap();
    let size = u32::try_from(key.len()).unwrap();
    let mut image = disc(&[file_record("A.PEM;1", 0x80, 20, size)], 30);
    image[20 * 2048..20 * 2048 + key.len()].copy_from_slice(&key);
    fs::write(dir.path().join("disc"), image).unwrap();
    let swept = sweep(dir.path(), &[]);
    assert_eq!(names(&swept, &dir.path().join("disc")), ["A.PEM"]);
    let told = reasons(&swept, &dir.path().join("disc"));
    assert_eq!(told, BTreeSet::from(["malformed".to_owned()]));
}

#[test]
fn a_compressed_file_on_a_disc_is_told() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    plant("identity/p384/pkcs8.pem", &tree, "2.pem");
    // What mkzftree makes: magic, size, size of the header in words, of blocks as a power of two, ends of the blocks, blocks.
    shell(
        dir.path(),
        r#"python3 -c '
import struct, zlib
data = b"not compressed" * 300
packed = zlib.compress(data)
head = bytes.fromhex("37e45396c9dbd607") + struct.pack("<IBBH", len(data), 4, 15, 0)
open("tree/1.z", "wb").write(head + struct.pack("<II", 24, 24 + len(packed)) + packed)'
           genisoimage -quiet -R -z -o iso tree 2>/dev/null; rm -r tree"#,
    );
    let swept = sweep(dir.path(), &[]);
    let file = dir.path().join("iso");
    assert_eq!(names(&swept, &file), ["2.pem"]);
    let told: Vec<_> = swept
        .gaps
        .iter()
        .map(|gap| &gap["inside"][0]["name"])
        .collect();
    assert_eq!(told, ["1.z"]);
    assert_eq!(
        reasons(&swept, &file),
        BTreeSet::from(["unsupported".to_owned()])
    );
}
