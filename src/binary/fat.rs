//! Facts of fat Mach-O files: one slice per architecture.
//!
//! Takes a fat file's bytes, gives the [`Facts`] of its slices together. Checks that the slices lie
//! inside the file, apart from each other and aligned as stated. Does not look into a slice.

use std::collections::HashSet;

use object::macho;
use object::read::macho::{FatArch, MachOFatFile};

use super::macho::{Fault, damaged, fault};
use super::{Facts, Ledger};
use crate::error::Error;

/// More slices than any real file has; a Java class file, which shares the magic number, claims at
/// least 45 at the same place.
const MAX_SLICES: usize = 16;

/// Facts of a fat file with 32-bit or 64-bit offsets.
pub(super) fn read(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    read_slices(data, ledger).map_err(damaged)
}

fn read_slices(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Fault> {
    let slices = if data.starts_with(&macho::FAT_MAGIC_64.to_be_bytes()) {
        slices::<macho::FatArch64>(data)?
    } else {
        slices::<macho::FatArch32>(data)?
    };
    let mut merged: Option<Facts> = None;
    for slice in slices {
        let facts = super::macho::thin(slice, ledger)?;
        merged = Some(match merged {
            None => facts,
            Some(first) => merge(first, facts)?,
        });
    }
    let mut facts = merged.ok_or("it has no slices")?;
    let mut arches = facts
        .slices
        .iter()
        .map(|slice| slice.arch.as_str())
        .collect::<Vec<_>>();
    arches.sort_unstable();
    facts.arch = match arches[..] {
        ["arm64", "x86_64"] => "universal2".to_owned(),
        [_] => facts.arch,
        _ => arches.join("+"),
    };
    Ok(facts)
}

fn slices<Fat: FatArch>(data: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let arches = MachOFatFile::<Fat>::parse(data).map_err(fault)?.arches();
    if arches.len() > MAX_SLICES {
        let count = arches.len();
        return Err(format!("it claims {count} slices, or is a Java class file"));
    }
    let header_size = size_of::<macho::FatHeader>() + size_of_val(arches);
    let mut taken = vec![(0, header_size as u64)];
    let mut slices = Vec::new();
    for arch in arches {
        let (offset, size) = arch.file_range();
        let slice = arch.data(data).map_err(fault)?;
        let (inner, stated) = (slice.get(4..8), arch.cputype().0);
        if inner != Some(&stated.to_le_bytes()) && inner != Some(&stated.to_be_bytes()) {
            return Err(format!("the slice at {offset:#x} is of another CPU"));
        }
        if offset.trailing_zeros() < arch.align() {
            return Err(format!("the slice at {offset:#x} is not aligned as stated"));
        }
        taken.push((offset, size));
        slices.push(slice);
    }
    // Slices that share bytes would be read once each, in quadratic time.
    taken.sort_unstable();
    for pair in taken.windows(2) {
        // Both lie in the file, so that the sum can't overflow.
        if pair[0].0 + pair[0].1 > pair[1].0 {
            return Err(format!("the slice at {:#x} overlaps another", pair[1].0));
        }
    }
    Ok(slices)
}

/// Facts of the slices so far together with those of one more.
fn merge(mut all: Facts, next: Facts) -> Result<Facts, Fault> {
    for slice in &next.slices {
        if all.slices.iter().any(|other| other.arch == slice.arch) {
            return Err(format!("it has two slices for {}", slice.arch));
        }
    }
    if all.kind != next.kind {
        let (one, other) = (all.kind.name(), next.kind.name());
        return Err(format!("its slices are of the kinds {one} and {other}"));
    }
    all.needed.extend(next.needed);
    all.rpaths.extend(next.rpaths);
    all.undefined.extend(next.undefined);
    // What can be found on some processors only is not exported by the file.
    let exported = next.exported.into_iter().collect::<HashSet<_>>();
    all.exported.retain(|name| exported.contains(name));
    all.soname = all.soname.or(next.soname);
    all.stripped &= next.stripped;
    all.slices.extend(next.slices);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use crate::universal;

    fn universal2() -> Vec<u8> {
        universal::merge(
            &sample("macos-10.12-x86_64.dylib"),
            &sample("macos-11.0-arm64.dylib"),
        )
        .unwrap()
    }

    fn fault_of(data: &[u8]) -> String {
        super::super::read(data).unwrap_err().to_string()
    }

    /// A fat file with the 32-bit field at `offset` replaced.
    fn with(offset: usize, value: u32) -> Vec<u8> {
        let mut data = universal2();
        data[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
        data
    }

    #[test]
    fn a_fat_file_shows_the_facts_of_both_slices() {
        let facts = super::super::read(&universal2()).unwrap();
        assert_eq!(facts.arch, "universal2");
        let minimum = facts.slices.iter().map(|one| one.minimum_macos.as_deref());
        assert_eq!(minimum.collect::<Vec<_>>(), [Some("10.12"), Some("11.0")]);
        assert_eq!(facts.needed, ["/usr/lib/libSystem.B.dylib"]);
        assert_eq!(facts.rpaths, ["@loader_path/lib"]);
        assert!(facts.exported.contains(&"PyInit_sample".to_owned()));
    }

    #[test]
    fn a_java_class_file_is_no_fat_file() {
        let class = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x1d";
        assert!(fault_of(class).contains("nfat_arch"));
        let mut class = class.to_vec();
        class.resize(4096, 0);
        assert!(fault_of(&class).contains("Java class file"));
    }

    #[test]
    fn bad_headers_are_refused() {
        assert!(fault_of(&with(4, 0)).contains("no slices"));
        assert!(fault_of(&with(4, u32::MAX)).contains("nfat_arch"));
        assert!(fault_of(&with(8, 7)).contains("another CPU"));
        assert!(fault_of(&with(12 + 4, u32::MAX)).contains("fat arch offset"));
        assert!(fault_of(&with(16 + 4, u32::MAX)).contains("fat arch offset"));
        assert!(fault_of(&with(20 + 4, 63)).contains("not aligned"));
        assert!(fault_of(&with(20 + 4, u32::MAX)).contains("not aligned"));
    }

    #[test]
    fn overlapping_slices_are_refused() {
        let mut data = universal2();
        data.copy_within(8..28, 28);
        assert!(fault_of(&data).contains("overlaps another"));
    }
}
