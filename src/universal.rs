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
