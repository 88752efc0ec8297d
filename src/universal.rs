//! Two thin Mach-O files into one fat file (`universal2`).
//!
//! Takes the bytes of an x86_64 and an arm64 file, gives the bytes of the fat one. The slices are
//! copied unchanged, so that their signatures stay valid. Does not know of wheels or their metadata.

use fat_macho::FatWriter;

use crate::binary::{self, Facts, Format};
use crate::error::Error;

/// One fat file of two thin ones.
///
/// `fat-macho` looks at no more than the slices' headers, and takes static archives and fat files
/// too. Each input is therefore read in full before, and the merged file after.
///
/// # Errors
///
/// When an input is damaged, fat already or of another architecture, or when the two are not of
/// the same kind.
pub fn merge(x86_64: &[u8], arm64: &[u8]) -> Result<Vec<u8>, Error> {
    let first = check(x86_64, "x86_64")?;
    let second = check(arm64, "arm64")?;
    if first.kind != second.kind {
        let (one, other) = (first.kind.name(), second.kind.name());
        return Err(Error::Universal(format!(
            "the x86_64 file is of kind {one}, the arm64 file of kind {other}"
        )));
    }
    let mut writer = FatWriter::new();
    for slice in [x86_64, arm64] {
        writer.add(slice).map_err(refused)?;
    }
    let mut merged = Vec::new();
    writer.write_to(&mut merged).map_err(refused)?;
    let facts = binary::read(&merged).map_err(|error| Error::Universal(error.to_string()))?;
    if facts.arch != "universal2" {
        let arch = facts.arch;
        return Err(Error::Universal(format!("the merged file reads as {arch}")));
    }
    Ok(merged)
}

fn check(data: &[u8], arch: &str) -> Result<Facts, Error> {
    let fail = |what: String| Error::Universal(format!("the {arch} file is {what}"));
    let facts = binary::read(data).map_err(|error| fail(format!("unreadable: {error}")))?;
    if facts.format != Format::MachO {
        return Err(fail(format!("no Mach-O file but {}", facts.format.name())));
    }
    if matches!(data.first(), Some(0xca)) {
        return Err(fail("fat already".into()));
    }
    if facts.arch != arch {
        return Err(fail(format!("of the architecture {}", facts.arch)));
    }
    Ok(facts)
}

fn refused(error: fat_macho::Error) -> Error {
    Error::Universal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::tests::sample;

    fn slices() -> (Vec<u8>, Vec<u8>) {
        (
            sample("macos-10.12-x86_64.dylib"),
            sample("macos-11.0-arm64.dylib"),
        )
    }

    fn word(data: &[u8], at: usize) -> usize {
        u32::from_be_bytes(data[at..at + 4].try_into().unwrap()) as usize
    }

    #[test]
    fn slices_are_unchanged_and_aligned_to_pages() {
        let (x86_64, arm64) = slices();
        let merged = merge(&x86_64, &arm64).unwrap();
        assert_eq!(word(&merged, 4), 2);
        for (entry, slice, page) in [(8, x86_64, 1 << 12), (28, arm64, 1 << 14)] {
            let (offset, size) = (word(&merged, entry + 8), word(&merged, entry + 12));
            assert!(merged[offset..offset + size] == slice);
            assert_eq!(offset % page, 0);
            assert!(1 << word(&merged, entry + 16) >= page);
        }
    }

    #[test]
    fn wrong_inputs_are_named() {
        let (x86_64, arm64) = slices();
        let fat = merge(&x86_64, &arm64).unwrap();
        let message = |one: &[u8], other: &[u8]| merge(one, other).unwrap_err().to_string();
        let start = "can't merge into a universal2 file: the";
        assert_eq!(
            message(&arm64, &x86_64),
            format!("{start} x86_64 file is of the architecture arm64")
        );
        assert_eq!(
            message(&x86_64, &x86_64),
            format!("{start} arm64 file is of the architecture x86_64")
        );
        assert_eq!(
            message(&fat, &arm64),
            format!("{start} x86_64 file is fat already")
        );
        assert_eq!(
            message(&x86_64, &sample("glibc-aarch64.so")),
            format!("{start} arm64 file is no Mach-O file but elf")
        );
        assert!(message(b"", &arm64).contains("x86_64 file is unreadable"));
    }

    #[test]
    fn a_library_and_a_program_are_not_merged() {
        let (x86_64, mut arm64) = slices();
        // MH_EXECUTE in place of MH_DYLIB.
        arm64[12] = 2;
        let error = merge(&x86_64, &arm64).unwrap_err().to_string();
        assert!(error.contains("of kind library, the arm64 file of kind executable"));
    }
}
