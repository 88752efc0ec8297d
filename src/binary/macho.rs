//! Facts of Mach-O files with one architecture, which are the slices of fat ones too.
//!
//! Takes the bytes of a thin Mach-O file, gives [`Facts`] with one slice. Exports come from the trie
//! that dyld reads, and from the symbol table only where there is no trie. Does not know whether a
//! signature is valid, only whether there is one.

use object::macho;
use object::read::macho::{CodeSignature, LoadCommandData, LoadCommandVariant, MachHeader, Nlist};
use object::{BigEndian, Endian, Endianness};

use super::{Facts, Format, Kind, Ledger, Slice, trie};
use crate::error::Error;

pub(super) type Fault = String;

/// `strip` leaves this one local symbol behind.
const STRIP_MARK: &[u8] = b"radr://5614542";

/// Facts of a file with one architecture.
pub(super) fn read(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    thin(data, ledger).map_err(damaged)
}

/// Facts of a thin file, which may be a slice.
pub(super) fn thin(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Fault> {
    match data.first_chunk::<4>() {
        Some([0xfe, 0xed, 0xfa, 0xce] | [0xce, 0xfa, 0xed, 0xfe]) => {
            thin_as::<macho::MachHeader32<Endianness>>(data, ledger)
        }
        Some([0xfe, 0xed, 0xfa, 0xcf] | [0xcf, 0xfa, 0xed, 0xfe]) => {
            thin_as::<macho::MachHeader64<Endianness>>(data, ledger)
        }
        _ => Err("a slice is no thin Mach-O file".into()),
    }
}

fn thin_as<Mach: MachHeader<Endian = Endianness>>(
    data: &[u8],
    ledger: &mut Ledger,
) -> Result<Facts, Fault> {
    let header = Mach::parse(data, 0).map_err(fault)?;
    let endian = header.endian().map_err(fault)?;
    let mut found = Found::new(arch(header.cputype(endian), header.cpusubtype(endian)));
    let mut commands = header.load_commands(endian, data, 0).map_err(fault)?;
    while let Some(command) = commands.next().map_err(fault)? {
        found.take(command, endian, ledger)?;
    }
    let mut facts = found.facts;
    facts.bits = if header.is_type_64() { 64 } else { 32 };
    facts.little_endian = endian.is_little_endian();
    facts.kind = match header.filetype(endian) {
        macho::MH_EXECUTE => Kind::Executable,
        macho::MH_DYLIB | macho::MH_BUNDLE => Kind::Library,
        macho::MH_OBJECT => Kind::Object,
        _ => Kind::Other,
    };
    if let Some(symtab) = found.symbols {
        fill_symbols::<Mach>(symtab, endian, data, &mut facts, ledger)?;
    }
    if let Some(range) = found.exports {
        let names = trie::names(table(data, range)?, ledger)?;
        facts.exported = names.into_iter().map(plain).collect();
    }
    if let Some(range) = found.signature {
        found.slice.signed = true;
        found.slice.adhoc_signed = is_adhoc(table(data, range)?)?;
    }
    facts.slices.push(found.slice);
    Ok(facts)
}

/// What the load commands say, and where in the file the tables are that they name.
struct Found<'data> {
    facts: Facts,
    slice: Slice,
    symbols: Option<&'data macho::SymtabCommand<Endianness>>,
    exports: Option<(u32, u32)>,
    signature: Option<(u32, u32)>,
}

impl<'data> Found<'data> {
    fn new(arch: String) -> Self {
        let mut facts = Facts::new(Format::MachO);
        facts.arch = if arch.starts_with("0x") {
            format!("unknown-{arch}")
        } else {
            arch.clone()
        };
        let slice = Slice {
            arch,
            minimum_macos: None,
            sdk: None,
            signed: false,
            adhoc_signed: false,
        };
        Self {
            facts,
            slice,
            symbols: None,
            exports: None,
            signature: None,
        }
    }

    fn take(
        &mut self,
        command: LoadCommandData<'data, Endianness>,
        endian: Endianness,
        ledger: &mut Ledger,
    ) -> Result<(), Fault> {
        let mut name = |text| -> Result<String, Fault> {
            let text = command.string(endian, text).map_err(fault)?;
            Ok(ledger.copy(text)?)
        };
        match command.variant().map_err(fault)? {
            LoadCommandVariant::Dylib(dylib) => self.facts.needed.push(name(dylib.dylib.name)?),
            LoadCommandVariant::IdDylib(dylib) => self.facts.soname = Some(name(dylib.dylib.name)?),
            LoadCommandVariant::Rpath(rpath) => self.facts.rpaths.push(name(rpath.path)?),
            LoadCommandVariant::Symtab(symtab) => {
                set_once(&mut self.symbols, symtab, "symbol tables")?;
            }
            LoadCommandVariant::DyldInfo(info) => {
                let range = (info.export_off.get(endian), info.export_size.get(endian));
                set_once(&mut self.exports, range, "export tables")?;
            }
            LoadCommandVariant::LinkeditData(linkedit) => {
                let range = (linkedit.dataoff.get(endian), linkedit.datasize.get(endian));
                match command.cmd() {
                    macho::LC_DYLD_EXPORTS_TRIE => {
                        set_once(&mut self.exports, range, "export tables")?;
                    }
                    macho::LC_CODE_SIGNATURE => {
                        set_once(&mut self.signature, range, "code signatures")?;
                    }
                    _ => {}
                }
            }
            LoadCommandVariant::BuildVersion(build, _)
                if build.platform.get(endian) == macho::PLATFORM_MACOS =>
            {
                self.slice.minimum_macos = version(build.minos.get(endian));
                self.slice.sdk = version(build.sdk.get(endian));
            }
            LoadCommandVariant::VersionMin(minimum) => {
                let is_macos = command.cmd() == macho::LC_VERSION_MIN_MACOSX;
                if is_macos && self.slice.minimum_macos.is_none() {
                    self.slice.minimum_macos = version(minimum.version.get(endian));
                    self.slice.sdk = version(minimum.sdk.get(endian));
                }
            }
            LoadCommandVariant::Segment32(segment, _) => self.see_segment(&segment.segname),
            LoadCommandVariant::Segment64(segment, _) => self.see_segment(&segment.segname),
            _ => {}
        }
        Ok(())
    }

    fn see_segment(&mut self, name: &[u8; 16]) {
        self.facts.stripped &= !name.starts_with(b"__DWARF\0");
    }
}

/// Reading a table as often as a file names it would take quadratic time, and dyld refuses it too.
fn set_once<T>(place: &mut Option<T>, value: T, what: &str) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("it has two {what}")),
    }
}

fn table(data: &[u8], (offset, size): (u32, u32)) -> Result<&[u8], Fault> {
    let start = offset as usize;
    start
        .checked_add(size as usize)
        .and_then(|end| data.get(start..end))
        .ok_or_else(|| format!("the table at {offset:#x} lies outside of the file"))
}

fn fill_symbols<Mach: MachHeader<Endian = Endianness>>(
    symtab: &macho::SymtabCommand<Endianness>,
    endian: Endianness,
    data: &[u8],
    facts: &mut Facts,
    ledger: &mut Ledger,
) -> Result<(), Fault> {
    let symbols = symtab.symbols::<Mach, _>(endian, data).map_err(fault)?;
    let strings = table(
        data,
        (symtab.stroff.get(endian), symtab.strsize.get(endian)),
    )?;
    for symbol in symbols.iter() {
        let flags = symbol.n_type();
        if flags.is_stab() {
            facts.stripped = false;
            continue;
        }
        let offset = symbol.n_strx(endian).into();
        let is_external = flags.contains(macho::N_EXT);
        if !is_external {
            let name = strings
                .get(symbol.n_strx(endian) as usize..)
                .unwrap_or_default();
            facts.stripped &= name.starts_with(STRIP_MARK);
        } else if symbol.is_undefined() {
            facts
                .undefined
                .push(plain(ledger.name_at(strings, offset)?));
        } else if !flags.contains(macho::N_PEXT) {
            facts.exported.push(plain(ledger.name_at(strings, offset)?));
        }
    }
    Ok(())
}

fn is_adhoc(data: &[u8]) -> Result<bool, Fault> {
    let mut blobs = CodeSignature::parse(data).map_err(fault)?.blobs();
    while let Some(blob) = blobs.next().map_err(fault)? {
        if let Some(directory) = blob.code_directory().map_err(fault)? {
            let flags = directory.header().flags.get(BigEndian);
            return Ok(flags.contains(macho::CS_ADHOC));
        }
    }
    Err("its code signature has no code directory".into())
}

fn arch(cpu: macho::CpuType, subtype: macho::CpuSubtype) -> String {
    // The upper byte holds capabilities, such as the version of pointer authentication.
    match (cpu, subtype.0 & 0x00ff_ffff) {
        (macho::CPU_TYPE_X86_64, 8) => "x86_64h",
        (macho::CPU_TYPE_X86_64, _) => "x86_64",
        (macho::CPU_TYPE_ARM64, 2) => "arm64e",
        (macho::CPU_TYPE_ARM64, _) => "arm64",
        _ => return format!("{:#x}", cpu.0),
    }
    .to_owned()
}

/// `11.0` or `10.9.5`; None for the zero that stands for "not stated".
fn version(version: macho::Version) -> Option<String> {
    let (major, minor, patch) = (version.0 >> 16, version.0 >> 8 & 0xff, version.0 & 0xff);
    match (major, minor, patch) {
        (0, 0, 0) => None,
        (_, _, 0) => Some(format!("{major}.{minor}")),
        _ => Some(format!("{major}.{minor}.{patch}")),
    }
}

fn plain(mut name: String) -> String {
    if name.starts_with('_') {
        name.remove(0);
    }
    name
}

pub(super) fn fault(error: object::Error) -> Fault {
    error.to_string()
}

pub(super) fn damaged(what: Fault) -> Error {
    Error::Damaged {
        format: "Mach-O",
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::tests::sample;
    use super::*;

    /// The offset of the first load command of a kind.
    fn command(data: &[u8], wanted: u32) -> usize {
        let mut offset = 32;
        loop {
            let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
            if word(offset) == wanted {
                return offset;
            }
            offset += word(offset + 4) as usize;
        }
    }

    #[test]
    fn facts_of_real_libraries() {
        for (name, arch, minimum, signed) in [
            ("macos-10.12-x86_64", "x86_64", "10.12", false),
            ("macos-11.0-arm64", "arm64", "11.0", true),
        ] {
            let facts = read(&sample(&format!("{name}.dylib"))).unwrap();
            assert_eq!((facts.format, facts.kind), (Format::MachO, Kind::Library));
            assert_eq!(facts.arch, arch);
            assert_eq!(facts.needed, ["/usr/lib/libSystem.B.dylib"]);
            assert_eq!(facts.rpaths, ["@loader_path/lib"]);
            assert!(facts.undefined.contains(&"PyModule_Create2".to_owned()));
            assert_eq!(
                facts.init_functions().collect::<Vec<_>>(),
                ["PyInit_sample"]
            );
            let [slice] = &facts.slices[..] else {
                panic!("one slice");
            };
            assert_eq!(slice.minimum_macos.as_deref(), Some(minimum));
            assert_eq!((slice.signed, slice.adhoc_signed), (signed, signed));
            assert!(!facts.stripped);
            let stripped = read(&sample(&format!("{name}-stripped.dylib"))).unwrap();
            // Zig's linker leaves the names of its own call stubs in arm64 files.
            assert_eq!(stripped.stripped, arch == "x86_64");
            assert_eq!(stripped.exported, facts.exported);
        }
    }

    #[test]
    fn without_a_trie_exports_come_from_the_symbol_table() {
        let mut data = sample("macos-11.0-arm64.dylib");
        let expected = read(&data).unwrap().exported;
        let offset = command(&data, macho::LC_DYLD_INFO_ONLY.0);
        // LC_UUID is as good as no command here.
        data[offset..offset + 4].copy_from_slice(&macho::LC_UUID.0.to_le_bytes());
        assert_eq!(read(&data).unwrap().exported, expected);
    }

    #[test]
    fn two_symbol_tables_are_refused() {
        let mut data = sample("macos-11.0-arm64.dylib");
        let offset = command(&data, macho::LC_DYSYMTAB.0);
        data[offset..offset + 4].copy_from_slice(&macho::LC_SYMTAB.0.to_le_bytes());
        let error = read(&data).unwrap_err().to_string();
        assert_eq!(error, "damaged Mach-O file: it has two symbol tables");
    }

    #[test]
    fn a_claimed_table_outside_of_the_file_is_refused() {
        let original = sample("macos-11.0-arm64.dylib");
        for (kind, field) in [
            (macho::LC_SYMTAB, 12),
            (macho::LC_SYMTAB, 20),
            (macho::LC_CODE_SIGNATURE, 12),
            (macho::LC_DYLD_INFO_ONLY, 44),
        ] {
            let mut data = original.clone();
            let offset = command(&data, kind.0) + field;
            data[offset..offset + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(read(&data).is_err(), "{kind:?} {field}");
        }
    }

    #[test]
    fn versions_read_as_people_write_them() {
        let read = |value| version(macho::Version(value));
        assert_eq!(read(0x000a_0c00).as_deref(), Some("10.12"));
        assert_eq!(read(0x000b_0000).as_deref(), Some("11.0"));
        assert_eq!(read(0x000a_0905).as_deref(), Some("10.9.5"));
        assert_eq!(read(0), None);
    }

    #[test]
    fn other_processors_keep_their_number() {
        let name = |cpu, subtype| arch(macho::CpuType(cpu), macho::CpuSubtype(subtype));
        assert_eq!(name(0x0100_000c, 0x8000_0002), "arm64e");
        assert_eq!(name(0x0100_0007, 8), "x86_64h");
        assert_eq!(name(7, 3), "0x7");
    }
}
