//! Archives, disk images and file systems that are recognised and not read: their bytes are searched as they lie.

use super::little::{u16_at, u32_at, u64_at};
use super::{Archive, Failure, Input, Members};

/// A kind that is not read.
pub(super) struct Told {
    name: &'static str,
    /// Its name in sentences.
    title: &'static str,
    begins: fn(&[u8]) -> bool,
}

impl Archive for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn begins(&self, start: &[u8]) -> bool {
        (self.begins)(start)
    }

    fn read(&self, _: &mut Input<'_>, _: &mut dyn Members) -> Result<(), Failure> {
        let title = self.title;
        Err(Failure::unsupported(format!(
            "{title} is not opened, and searched as it lies"
        )))
    }
}

/// QEMU's images ("The QCOW2 image format", docs/interop/qcow2.txt of QEMU), and the first version of them.
pub(super) static QCOW: Told = Told {
    name: "qcow2",
    title: "a QEMU copy-on-write image",
    begins: |start| matches!(start, [b'Q', b'F', b'I', 0xfb, 0, 0, 0, 1..=3, ..]),
};

/// VMware's images ("Virtual Disk Format 5.0"): sparse extents, and the older ones of ESX.
pub(super) static VMDK: Told = Told {
    name: "vmdk",
    title: "a VMware disk image",
    begins: |start| {
        (start.starts_with(b"KDMV") || start.starts_with(b"COWD"))
            && (1..=3).contains(&u32_at(start, 4))
    },
};

/// Hyper-V's images (MS-VHDX, 2.2).
pub(super) static VHDX: Told = Told {
    name: "vhdx",
    title: "a Hyper-V disk image",
    begins: |start| start.starts_with(b"vhdxfile"),
};

/// The older images of Virtual PC that grow: a copy of their footer stands first ("Virtual Hard Disk Image Format Specification").
pub(super) static VHD: Told = Told {
    name: "vhd",
    title: "a Virtual PC disk image",
    begins: |start| start.starts_with(b"conectix"),
};

/// VirtualBox' images: the signature stands behind a sentence.
pub(super) static VDI: Told = Told {
    name: "vdi",
    title: "a VirtualBox disk image",
    begins: |start| start.starts_with(b"<<< ") && u32_at(start, 0x40) == 0xbeda_107f,
};

/// XFS ("XFS Algorithms & Data Structures", Superblocks): the version is 4 or 5.
pub(super) static XFS: Told = Told {
    name: "xfs",
    title: "an XFS file system",
    begins: |start| {
        start.starts_with(b"XFSB")
            && start
                .get(101)
                .is_some_and(|version| matches!(version & 15, 4 | 5))
    },
};

/// Btrfs ("On-disk Format", Superblock): the first superblock stands at 64 KiB.
pub(super) static BTRFS: Told = Told {
    name: "btrfs",
    title: "a Btrfs file system",
    begins: |start| {
        start
            .get(0x1_0040..)
            .is_some_and(|rest| rest.starts_with(b"_BHRfS_M"))
    },
};

/// A physical volume of LVM, whose label stands in the second sector.
pub(super) static LVM: Told = Told {
    name: "lvm2",
    title: "a physical volume of LVM",
    begins: |start| {
        let label = start.get(512..).unwrap_or_default();
        label.starts_with(b"LABELONE") && label.get(24..32) == Some(b"LVM2 001")
    },
};

/// NTFS: the boot sector has its name, and sectors and clusters of sizes that are powers of two.
pub(super) static NTFS: Told = Told {
    name: "ntfs",
    title: "an NTFS file system",
    begins: |start| start.get(3..11) == Some(b"NTFS    ") && u16_at(start, 11).is_power_of_two(),
};

/// EROFS ("EROFS - Enhanced Read-Only File System" of the kernel's documentation): the superblock stands at 1 KiB, with the size of blocks in it.
pub(super) static EROFS: Told = Told {
    name: "erofs",
    title: "an EROFS file system",
    begins: |start| {
        let superblock = start.get(1024..).unwrap_or_default();
        superblock.starts_with(&[0xe2, 0xe1, 0xf5, 0xe0])
            && superblock.get(12).is_some_and(|log| (9..=16).contains(log))
    },
};

/// cramfs ("Cramfs - cram a filesystem onto a small ROM" of the kernel's documentation), in either byte order.
pub(super) static CRAMFS: Told = Told {
    name: "cramfs",
    title: "a cramfs file system",
    begins: |start| {
        let magic = start.first_chunk();
        matches!(
            magic,
            Some([0x45, 0x3d, 0xcd, 0x28] | [0x28, 0xcd, 0x3d, 0x45])
        ) && start
            .get(16..)
            .is_some_and(|rest| rest.starts_with(b"Compressed ROMFS"))
    },
};

/// Windows' images ("Windows Imaging File Format (WIM)", Header).
pub(super) static WIM: Told = Told {
    name: "wim",
    title: "a Windows image",
    begins: |start| start.starts_with(b"MSWIM\0\0\0"),
};

/// Cabinets (MS-CAB, 2.1): what is reserved is zero, and the version 1.3.
pub(super) static CAB: Told = Told {
    name: "cab",
    title: "a cabinet",
    begins: |start| {
        start.starts_with(b"MSCF\0\0\0\0") && u32_at(start, 12) == 0 && u16_at(start, 24) == 0x0103
    },
};

/// RAR, of version 1.5 to 4 and of version 5 ("RAR 5.0 archive format").
pub(super) static RAR: Told = Told {
    name: "rar",
    title: "a RAR archive",
    begins: |start| {
        start.starts_with(b"Rar!\x1a\x07\0") || u64_at(start, 0) == 0x0001_071a_2172_6152
    },
};
