//! Facts of Mach-O files, thin and fat.
//!
//! Takes the bytes of a Mach-O file, gives [`Facts`]; of a fat file those of its slices together.
//! Exports come from the trie that dyld reads, and from the symbol table only where there is no
//! trie. Does not know whether a signature is valid, only whether there is one.

use object::macho;
use object::read::macho::{
    CodeSignature, FatArch, LoadCommandVariant, MachHeader, MachOFatFile, Nlist,
};
use object::{BigEndian, Endian, Endianness};

use super::{Facts, Format, Kind, Ledger, Slice};
use crate::error::Error;

type Fault = String;

/// More slices than any real file has; a Java class file, which shares the magic number, claims at
/// least 45 at the same place.
const MAX_SLICES: usize = 16;

/// `strip` leaves this one local symbol behind.
const STRIP_MARK: &[u8] = b"radr://5614542";

/// Facts of a file with one architecture.
pub(super) fn read_thin(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    thin(data, ledger).map_err(damaged)
}

/// Facts of a file with one slice per architecture.
pub(super) fn read_fat(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    let slices = fat_slices(data).map_err(damaged)?;
    let mut merged: Option<Facts> = None;
    for slice in slices {
        let facts = thin(slice, ledger).map_err(damaged)?;
        merged = Some(match merged {
            None => facts,
            Some(first) => merge(first, facts).map_err(damaged)?,
        });
    }
    let mut facts = merged.ok_or_else(|| damaged("it has no slices".into()))?;
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

/// The byte ranges of a fat file's slices, checked: inside the file, apart, aligned as stated.
fn fat_slices(data: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    if data.get(3) == Some(&0xbf) {
        slices_of::<macho::FatArch64>(data)
    } else {
        slices_of::<macho::FatArch32>(data)
    }
}

fn slices_of<Fat: FatArch>(data: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let file = MachOFatFile::<Fat>::parse(data).map_err(fault)?;
    let arches = file.arches();
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
        let inner = slice.get(4..8);
        let expected = arch.cputype().0;
        if inner != Some(&expected.to_le_bytes()) && inner != Some(&expected.to_be_bytes()) {
            return Err(format!(
                "the slice at {offset:#x} is of another CPU than stated"
            ));
        }
        if offset.trailing_zeros() < arch.align() {
            return Err(format!("the slice at {offset:#x} is not aligned as stated"));
        }
        taken.push((offset, size));
        slices.push(slice);
    }
    taken.sort_unstable();
    for pair in taken.windows(2) {
        // `arch.data` has checked that offset and size lie in the file, so the sum can't overflow.
        if pair[0].0 + pair[0].1 > pair[1].0 {
            return Err(format!(
                "the slice at {:#x} overlaps another one",
                pair[1].0
            ));
        }
    }
    Ok(slices)
}

/// Facts of a fat file so far, and of one more slice.
fn merge(mut all: Facts, next: Facts) -> Result<Facts, Fault> {
    let arch = &next.slices[0].arch;
    if all.slices.iter().any(|slice| slice.arch == *arch) {
        return Err(format!("it has two slices for {arch}"));
    }
    if all.kind != next.kind {
        let (one, other) = (all.kind.name(), next.kind.name());
        return Err(format!(
            "its slices differ: one is of kind {one}, one {other}"
        ));
    }
    for name in next.rpaths {
        if !all.rpaths.contains(&name) {
            all.rpaths.push(name);
        }
    }
    all.needed.extend(next.needed);
    all.undefined.extend(next.undefined);
    // What only some processors can import is not exported by the file.
    let exported = next
        .exported
        .into_iter()
        .collect::<std::collections::HashSet<_>>();
    all.exported.retain(|name| exported.contains(name));
    all.soname = all.soname.or(next.soname);
    all.stripped &= next.stripped;
    all.slices.extend(next.slices);
    Ok(all)
}

fn thin(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Fault> {
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

/// Offset and size of tables in the file, of which each file has one at most.
#[derive(Default)]
struct Tables {
    exports: Option<(u32, u32)>,
    signature: Option<(u32, u32)>,
}

fn thin_as<Mach: MachHeader<Endian = Endianness>>(
    data: &[u8],
    ledger: &mut Ledger,
) -> Result<Facts, Fault> {
    let header = Mach::parse(data, 0).map_err(fault)?;
    let endian = header.endian().map_err(fault)?;
    let mut facts = Facts::new(Format::MachO);
    facts.bits = if header.is_type_64() { 64 } else { 32 };
    facts.little_endian = endian.is_little_endian();
    facts.kind = match header.filetype(endian) {
        macho::MH_EXECUTE => Kind::Executable,
        macho::MH_DYLIB | macho::MH_BUNDLE => Kind::Library,
        macho::MH_OBJECT => Kind::Object,
        _ => Kind::Other,
    };
    let arch = arch(header.cputype(endian), header.cpusubtype(endian));
    facts.arch = match arch.strip_prefix("0x") {
        Some(_) => format!("unknown-{arch}"),
        None => arch.clone(),
    };
    let mut slice = Slice {
        arch,
        minimum_macos: None,
        sdk: None,
        signed: false,
        adhoc_signed: false,
    };
    let mut tables = Tables::default();
    let mut symbols = None;
    let mut commands = header.load_commands(endian, data, 0).map_err(fault)?;
    while let Some(command) = commands.next().map_err(fault)? {
        let mut name = |text| -> Result<String, Fault> {
            let text = command.string(endian, text).map_err(fault)?;
            Ok(ledger.copy(text)?)
        };
        match command.variant().map_err(fault)? {
            LoadCommandVariant::Dylib(dylib) => facts.needed.push(name(dylib.dylib.name)?),
            LoadCommandVariant::IdDylib(dylib) => facts.soname = Some(name(dylib.dylib.name)?),
            LoadCommandVariant::Rpath(rpath) => facts.rpaths.push(name(rpath.path)?),
            LoadCommandVariant::Symtab(symtab) => set_once(&mut symbols, symtab, "symbol tables")?,
            LoadCommandVariant::DyldInfo(info) => {
                let range = (info.export_off.get(endian), info.export_size.get(endian));
                set_once(&mut tables.exports, range, "export tables")?;
            }
            LoadCommandVariant::LinkeditData(linkedit) => {
                let range = (linkedit.dataoff.get(endian), linkedit.datasize.get(endian));
                match command.cmd() {
                    macho::LC_DYLD_EXPORTS_TRIE => {
                        set_once(&mut tables.exports, range, "export tables")?;
                    }
                    macho::LC_CODE_SIGNATURE => {
                        set_once(&mut tables.signature, range, "code signatures")?;
                    }
                    _ => {}
                }
            }
            LoadCommandVariant::BuildVersion(build, _)
                if build.platform.get(endian) == macho::PLATFORM_MACOS =>
            {
                slice.minimum_macos = version(build.minos.get(endian));
                slice.sdk = version(build.sdk.get(endian));
            }
            LoadCommandVariant::VersionMin(minimum)
                if command.cmd() == macho::LC_VERSION_MIN_MACOSX
                    && slice.minimum_macos.is_none() =>
            {
                slice.minimum_macos = version(minimum.version.get(endian));
                slice.sdk = version(minimum.sdk.get(endian));
            }
            LoadCommandVariant::Segment32(segment, _) => {
                facts.stripped &= !segment.segname.starts_with(b"__DWARF");
            }
            LoadCommandVariant::Segment64(segment, _) => {
                facts.stripped &= !segment.segname.starts_with(b"__DWARF");
            }
            _ => {}
        }
    }
    if let Some(symtab) = symbols {
        let has_trie = tables.exports.is_some();
        fill_symbols::<Mach>(symtab, endian, data, has_trie, &mut facts, ledger)?;
    }
    if let Some(range) = tables.exports {
        facts.exported = exports(table(data, range)?, ledger)?;
    }
    if let Some(range) = tables.signature {
        slice.signed = true;
        slice.adhoc_signed = is_adhoc(table(data, range)?)?;
    }
    facts.slices.push(slice);
    Ok(facts)
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
    has_trie: bool,
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
        } else if !has_trie && !flags.contains(macho::N_PEXT) {
            facts.exported.push(plain(ledger.name_at(strings, offset)?));
        }
    }
    Ok(())
}

/// Names in dyld's export trie.
///
/// Walked here and not with `object`, whose walk may enter a node by as many ways as lead there:
/// sixty nodes that name their neighbour twice would take for ever. In a sound trie there is one
/// way to each node, so that a second one is damage.
fn exports(trie: &[u8], ledger: &mut Ledger) -> Result<Vec<String>, Fault> {
    const ENDS: &str = "its export table ends early";
    let mut names = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut pending = Vec::new();
    if !trie.is_empty() {
        pending.push((0_usize, Vec::new()));
    }
    while let Some((offset, prefix)) = pending.pop() {
        if !seen.insert(offset) {
            return Err("its export table leads twice to the same place".into());
        }
        let mut rest = trie.get(offset..).ok_or(ENDS)?;
        let terminal_size = uleb128(&mut rest).ok_or(ENDS)?;
        if terminal_size > 0 {
            names.push(plain(ledger.copy(&prefix)?));
        }
        rest = usize::try_from(terminal_size)
            .ok()
            .and_then(|size| rest.get(size..))
            .ok_or(ENDS)?;
        let (children, mut rest) = rest.split_first().ok_or(ENDS)?;
        for _ in 0..*children {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(ENDS)?;
            let name = [&prefix, &rest[..end]].concat();
            ledger.spend(name.len() + 1)?;
            rest = &rest[end + 1..];
            let child = uleb128(&mut rest).ok_or(ENDS)?;
            pending.push((usize::try_from(child).map_err(|_| ENDS)?, name));
        }
    }
    Ok(names)
}

fn uleb128(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
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

fn fault(error: object::Error) -> Fault {
    error.to_string()
}

fn damaged(what: Fault) -> Error {
    Error::Damaged {
        format: "Mach-O",
        what,
    }
}
