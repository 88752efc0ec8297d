//! Facts of PE files (Windows programs and DLLs).
//!
//! Takes a PE file's bytes, gives [`Facts`]. Imports include the delay-loaded ones, since these too
//! must be there when they are called. Imports by ordinal have no name and are left out. Does not
//! read COFF object files, which have no magic number to tell them from other bytes.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageThunkData, Import, ImportThunkList, PeFile};

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
    facts.stripped = is_stripped(&file, data);
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

fn is_stripped<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, data: &[u8]) -> bool {
    let header = file.nt_headers().file_header();
    // MinGW's linkers keep the table's place, with no symbols, for the long names of sections.
    if header.pointer_to_symbol_table.get(LE) != 0 && header.number_of_symbols.get(LE) != 0 {
        return false;
    }
    let Ok(symbols) = file.nt_headers().symbols(data) else {
        return true;
    };
    let sections = file.section_table();
    !sections.iter().any(|section| {
        section
            .name(symbols.strings())
            .is_ok_and(|name| name.starts_with(b".debug_"))
    })
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
        let library = table.name(descriptor.name.get(LE)).map_err(fault)?;
        facts.needed.push(ledger.copy(library)?);
        // Without a lookup table the address table holds the names until the file is loaded.
        let lookup = match descriptor.original_first_thunk.get(LE) {
            0 => descriptor.first_thunk.get(LE),
            lookup => lookup,
        };
        let thunks = table.thunks(lookup).map_err(fault)?;
        fill_names::<Pe>(thunks, |thunk| table.import::<Pe>(thunk), facts, ledger)?;
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
        // Linkers of the last century wrote addresses that include the image base.
        if descriptor.attributes.get(LE) & 1 == 0 {
            return Err("its delayed imports are of an unknown kind".into());
        }
        let library = table.name(descriptor.dll_name_rva.get(LE)).map_err(fault)?;
        facts.needed.push(ledger.copy(library)?);
        let thunks = table
            .thunks(descriptor.import_name_table_rva.get(LE))
            .map_err(fault)?;
        fill_names::<Pe>(thunks, |thunk| table.import::<Pe>(thunk), facts, ledger)?;
    }
    Ok(())
}

fn fill_names<'data, Pe: ImageNtHeaders>(
    mut thunks: ImportThunkList<'data>,
    import: impl Fn(Pe::ImageThunkData) -> object::Result<Import<'data>>,
    facts: &mut Facts,
    ledger: &mut Ledger,
) -> Result<(), Fault> {
    while let Some(thunk) = thunks.next::<Pe>().map_err(fault)? {
        ledger.spend(size_of_val(&thunk))?;
        // An ordinal of zero looks like the end of the list to `next`, and is one to the loader.
        debug_assert!(thunk.raw() != 0);
        if let Import::Name(_, name) = import(thunk).map_err(fault)? {
            facts.undefined.push(ledger.copy(name)?);
        }
    }
    Ok(())
}

fn fault(error: object::Error) -> Fault {
    error.to_string()
}
