//! Facts of PE files (Windows programs and DLLs).
//!
//! Takes a PE file's bytes, gives [`Facts`]. Imports include the delay-loaded ones, since these too
//! must be there when they are called. Imports by ordinal have no name and are left out. Does not
//! read COFF object files, which have no magic number to tell them from other bytes.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageThunkData, ImportThunkList, PeFile};

use super::{Facts, Format, Kind, Ledger};
use crate::error::Error;

type Fault = String;

/// Facts of a PE file of either width.
pub(super) fn read(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    let facts = match object::read::pe::optional_header_magic(data) {
        Ok(pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC) => read_as::<pe::ImageNtHeaders32>(data, 32, ledger),
        Ok(pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC) => read_as::<pe::ImageNtHeaders64>(data, 64, ledger),
        Ok(magic) => Err(format!("unknown optional header {magic:#x}")),
        Err(error) => Err(fault(error)),
    };
    facts.map_err(|what| Error::Damaged { format: "PE", what })
}

fn read_as<Pe: ImageNtHeaders>(data: &[u8], bits: u8, ledger: &mut Ledger) -> Result<Facts, Fault> {
    let file = PeFile::<Pe>::parse(data).map_err(fault)?;
    let header = file.nt_headers().file_header();
    let characteristics = header.characteristics.get(LE);
    let mut facts = Facts::new(Format::Pe);
    facts.bits = bits;
    facts.arch = match header.machine.get(LE) {
        pe::IMAGE_FILE_MACHINE_AMD64 => "x86_64".to_owned(),
        pe::IMAGE_FILE_MACHINE_I386 => "i686".to_owned(),
        pe::IMAGE_FILE_MACHINE_ARM64 => "arm64".to_owned(),
        other => format!("unknown-{:#x}", other.0),
    };
    facts.kind = if characteristics.contains(pe::IMAGE_FILE_DLL) {
        Kind::Library
    } else if characteristics.contains(pe::IMAGE_FILE_EXECUTABLE_IMAGE) {
        Kind::Executable
    } else {
        Kind::Other
    };
    facts.stripped = is_stripped(&file, data, ledger)?;
    fill_imports(&file, &mut facts, ledger)?;
    fill_delayed_imports(&file, &mut facts, ledger)?;
    if let Some(table) = file.export_table().map_err(fault)? {
        for pointer in table.name_pointers() {
            let name = table.name_from_pointer(pointer.get(LE)).map_err(fault)?;
            facts.exported.push(ledger.copy(name)?);
        }
    }
    Ok(facts)
}

fn is_stripped<Pe: ImageNtHeaders>(
    file: &PeFile<'_, Pe>,
    data: &[u8],
    ledger: &mut Ledger,
) -> Result<bool, Fault> {
    let header = file.nt_headers().file_header();
    // MinGW's linkers keep the table's place, with no symbols, for the long names of sections.
    if header.pointer_to_symbol_table.get(LE) != 0 && header.number_of_symbols.get(LE) != 0 {
        return Ok(false);
    }
    let Ok(symbols) = file.nt_headers().symbols(data) else {
        return Ok(true);
    };
    for section in file.section_table().iter() {
        let name = section.name(symbols.strings()).unwrap_or_default();
        ledger.spend(name.len())?;
        if name.starts_with(b".debug_") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fill_imports<Pe: ImageNtHeaders>(
    file: &PeFile<'_, Pe>,
    facts: &mut Facts,
    ledger: &mut Ledger,
) -> Result<(), Fault> {
    let Some(table) = file.import_table().map_err(fault)? else {
        return Ok(());
    };
    let mut descriptors = table.descriptors().map_err(fault)?;
    while let Some(descriptor) = descriptors.next().map_err(fault)? {
        let library = name_at(file, descriptor.name.get(LE), ledger)?;
        facts.needed.push(library);
        // Without a lookup table the address table holds the names until the file is loaded.
        let lookup = match descriptor.original_first_thunk.get(LE) {
            0 => descriptor.first_thunk.get(LE),
            lookup => lookup,
        };
        let thunks = table.thunks(lookup).map_err(fault)?;
        fill_names(file, thunks, facts, ledger)?;
    }
    Ok(())
}

fn fill_delayed_imports<Pe: ImageNtHeaders>(
    file: &PeFile<'_, Pe>,
    facts: &mut Facts,
    ledger: &mut Ledger,
) -> Result<(), Fault> {
    let directories = file.data_directories();
    let table = directories
        .delay_load_import_table(file.data(), &file.section_table())
        .map_err(fault)?;
    let Some(table) = table else {
        return Ok(());
    };
    let mut descriptors = table.descriptors().map_err(fault)?;
    while let Some(descriptor) = descriptors.next().map_err(fault)? {
        let library = name_at(file, descriptor.dll_name_rva.get(LE), ledger)?;
        facts.needed.push(library);
        let thunks = table
            .thunks(descriptor.import_name_table_rva.get(LE))
            .map_err(fault)?;
        fill_names(file, thunks, facts, ledger)?;
    }
    Ok(())
}

/// A NUL-terminated name anywhere in the file.
///
/// `ImportTable` looks for all names in the section of the first one, but delvewheel puts the names
/// that it changes into a section of their own.
fn name_at<Pe: ImageNtHeaders>(
    file: &PeFile<'_, Pe>,
    address: u32,
    ledger: &mut Ledger,
) -> Result<String, Fault> {
    let sections = file.section_table();
    // Both the names and the sections to look through for each are as many as the file claims.
    ledger.spend(sections.len())?;
    let data = sections.pe_data_at(file.data(), address);
    let data = data.ok_or("an imported name lies outside of its sections")?;
    Ok(ledger.name_at(data, 0)?)
}

fn fill_names<Pe: ImageNtHeaders>(
    file: &PeFile<'_, Pe>,
    mut thunks: ImportThunkList<'_>,
    facts: &mut Facts,
    ledger: &mut Ledger,
) -> Result<(), Fault> {
    while let Some(thunk) = thunks.next::<Pe>().map_err(fault)? {
        ledger.spend(size_of_val(&thunk))?;
        if !thunk.is_ordinal() {
            // Two bytes before the name are a hint where the library's table has it.
            let name = name_at(file, thunk.address().saturating_add(2), ledger)?;
            facts.undefined.push(name);
        }
    }
    Ok(())
}

fn fault(error: object::Error) -> Fault {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn facts_of_real_libraries() {
        for (name, arch, bits, stripped) in [
            ("windows-x86_64.pyd", "x86_64", 64, false),
            ("windows-x86_64-stripped.pyd", "x86_64", 64, true),
            ("windows-arm64.pyd", "arm64", 64, true),
            ("windows-i686.pyd", "i686", 32, true),
        ] {
            let facts = read(&sample(name)).unwrap();
            assert_eq!((facts.format, facts.kind), (Format::Pe, Kind::Library));
            assert_eq!((facts.arch.as_str(), facts.bits), (arch, bits));
            assert_eq!(facts.needed, ["KERNEL32.dll"]);
            assert_eq!(facts.undefined, ["GetTickCount"]);
            assert_eq!(facts.exported, ["PyInit_sample"]);
            assert_eq!(facts.stripped, stripped, "{name}");
            assert!(!facts.executable_stack && !facts.textrel);
        }
    }

    #[test]
    fn a_library_name_may_lie_in_another_section_than_the_table() {
        let mut data = sample("windows-x86_64.pyd");
        let file = PeFile::<pe::ImageNtHeaders64>::parse(&*data).unwrap();
        let table = file.import_table().unwrap().unwrap();
        let descriptor = table.descriptors().unwrap().next().unwrap().unwrap();
        let old = descriptor.name.get(LE);
        let text = file.section_table().iter().next().unwrap();
        assert!(
            !text.contains_rva(old),
            "the table is not in the first section"
        );
        let (offset, _) = text.pe_file_range();
        let new = text.virtual_address.get(LE);
        let wanted = object::pod::bytes_of(descriptor).to_vec();
        let place = data.windows(wanted.len()).position(|it| it == wanted);
        // The name is the fourth field of the descriptor.
        let place = place.unwrap() + 12;
        data[place..place + 4].copy_from_slice(&new.to_le_bytes());
        data[offset as usize..][..6].copy_from_slice(b"b.dll\0");
        assert_eq!(read(&data).unwrap().needed, ["b.dll"]);
    }

    #[test]
    fn a_dos_program_is_damaged() {
        let error = read(b"MZ\x90\0").unwrap_err().to_string();
        assert!(error.starts_with("damaged PE file: "), "{error}");
    }

    #[test]
    fn every_truncation_is_an_error_or_facts() {
        let data = sample("windows-x86_64.pyd");
        let whole = read(&data).unwrap();
        let sound = (0..data.len()).filter(|end| read(&data[..*end]).is_ok_and(|it| it == whole));
        // Only the padding at the end may be cut without loss.
        assert!(sound.count() < 1024);
    }
}
