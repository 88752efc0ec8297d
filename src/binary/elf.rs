//! Facts of ELF files.
//!
//! Takes an ELF file's bytes, gives [`Facts`]. Reads what the dynamic loader reads (program headers,
//! `PT_DYNAMIC` and the tables it points to), because section headers may be missing or lie; these
//! are asked only whether symbols and debug information are left, and for the number of dynamic
//! symbols where no hash table tells. Does not know what a policy allows.

use object::elf;
use object::read::elf::{
    Dyn, FileHeader, GnuHashTable, HashTable, ProgramHeader, SectionHeader, Sym,
};
use object::{Endianness, ReadRef, U32};

use super::{Facts, Format, Kind, Ledger, Libc, VersionedSymbol};
use crate::error::Error;

type Fault = String;

/// Facts of an ELF file of either class.
pub(super) fn read(data: &[u8], ledger: &mut Ledger) -> Result<Facts, Error> {
    let facts = match data.get(4) {
        Some(1) => Reader::<elf::FileHeader32<Endianness>>::read(data, ledger),
        Some(2) => Reader::<elf::FileHeader64<Endianness>>::read(data, ledger),
        _ => Err("its class is neither 32 nor 64 bits".into()),
    };
    facts.map_err(|what| Error::Damaged {
        format: "ELF",
        what,
    })
}

struct Reader<'data, Elf: FileHeader> {
    data: &'data [u8],
    endian: Elf::Endian,
    segments: &'data [Elf::ProgramHeader],
    sections: &'data [Elf::SectionHeader],
    has_wide_hash: bool,
}

/// The entries of `PT_DYNAMIC` that matter here; addresses are the loader's.
#[derive(Default)]
struct Dynamic {
    needed: Vec<u64>,
    rpaths: Vec<u64>,
    soname: Option<u64>,
    strings: Option<(u64, u64)>,
    symbols: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    versym: Option<u64>,
    verneed: Option<(u64, u64)>,
    textrel: bool,
    is_pie: bool,
}

/// A version that a needed library must provide.
struct Need {
    index: u16,
    version: String,
    library: String,
    is_weak: bool,
    is_used: bool,
}

impl<'data, Elf: FileHeader<Endian = Endianness>> Reader<'data, Elf> {
    fn read(data: &'data [u8], ledger: &mut Ledger) -> Result<Facts, Fault> {
        let header = Elf::parse(data).map_err(fault)?;
        let endian = header.endian().map_err(fault)?;
        let machine = header.e_machine(endian);
        let reader = Self {
            data,
            endian,
            // These two psABIs give DT_HASH entries of 64 bits.
            has_wide_hash: header.is_type_64() && matches!(machine, elf::EM_S390 | elf::EM_ALPHA),
            segments: header.program_headers(endian, data).map_err(fault)?,
            sections: header.section_headers(endian, data).map_err(fault)?,
        };
        let mut facts = Facts::new(Format::Elf);
        facts.bits = if header.is_type_64() { 64 } else { 32 };
        facts.little_endian = header.is_little_endian();
        facts.arch = arch(machine, facts.bits, facts.little_endian);
        if machine == elf::EM_ARM && facts.bits == 32 {
            let flags = header.e_flags(endian).0;
            facts.armv7_hard_float = Some(flags & elf::EF_ARM_ABI_FLOAT_HARD != 0);
        }
        let e_type = header.e_type(endian);
        // An object file has no program headers; what its stack will be is the linker's choice.
        facts.executable_stack = e_type != elf::ET_REL && reader.has_executable_stack();
        facts.stripped = reader.is_stripped(header)?;
        facts.interpreter = reader.interpreter(ledger)?;
        let dynamic = reader.dynamic()?;
        facts.textrel = dynamic.textrel;
        reader.fill_names(&dynamic, &mut facts, ledger)?;
        facts.libc = libc(&facts);
        facts.kind = match e_type {
            elf::ET_EXEC => Kind::Executable,
            elf::ET_REL => Kind::Object,
            // Old linkers do not mark position-independent programs.
            elf::ET_DYN if dynamic.is_pie => Kind::Executable,
            elf::ET_DYN if facts.interpreter.is_some() && facts.soname.is_none() => {
                Kind::Executable
            }
            elf::ET_DYN => Kind::Library,
            _ => Kind::Other,
        };
        Ok(facts)
    }

    fn has_executable_stack(&self) -> bool {
        self.segments
            .iter()
            .find(|segment| segment.p_type(self.endian) == elf::PT_GNU_STACK)
            .is_none_or(|segment| segment.p_flags(self.endian).contains(elf::PF_X))
    }

    fn is_stripped(&self, header: &Elf) -> Result<bool, Fault> {
        if self.sections.is_empty() {
            return Ok(true);
        }
        let names = header
            .section_strings(self.endian, self.data, self.sections)
            .map_err(fault)?;
        Ok(!self.sections.iter().any(|section| {
            section.sh_type(self.endian) == elf::SHT_SYMTAB
                // Only the beginning matters, but `get` looks for the end: the table is short
                // where it is sound, and a long name is no debug section's.
                || names
                    .get(section.sh_name(self.endian))
                    .is_ok_and(|name| name.starts_with(b".debug_") || name.starts_with(b".zdebug_"))
        }))
    }

    fn interpreter(&self, ledger: &mut Ledger) -> Result<Option<String>, Fault> {
        for segment in self.segments {
            if let Some(name) = segment.interpreter(self.endian, self.data).map_err(fault)? {
                return Ok(Some(ledger.copy(name)?));
            }
        }
        Ok(None)
    }

    fn dynamic(&self) -> Result<Dynamic, Fault> {
        let mut found = Dynamic::default();
        let mut entries = None;
        for segment in self.segments {
            entries = entries.or(segment.dynamic(self.endian, self.data).map_err(fault)?);
        }
        let (mut strings, mut strings_size) = (None, 0);
        let (mut verneed, mut verneed_count) = (None, 0);
        for entry in entries.unwrap_or_default() {
            let value = entry.val(self.endian);
            match entry.tag(self.endian) {
                elf::DT_NULL => break,
                elf::DT_NEEDED => found.needed.push(value),
                elf::DT_RPATH | elf::DT_RUNPATH => found.rpaths.push(value),
                elf::DT_SONAME => found.soname = Some(value),
                elf::DT_STRTAB => strings = Some(value),
                elf::DT_STRSZ => strings_size = value,
                elf::DT_SYMTAB => found.symbols = Some(value),
                elf::DT_HASH => found.hash = Some(value),
                elf::DT_GNU_HASH => found.gnu_hash = Some(value),
                elf::DT_VERSYM => found.versym = Some(value),
                elf::DT_VERNEED => verneed = Some(value),
                elf::DT_VERNEEDNUM => verneed_count = value,
                elf::DT_TEXTREL => found.textrel = true,
                elf::DT_FLAGS => found.textrel |= value & u64::from(elf::DF_TEXTREL.0) != 0,
                elf::DT_FLAGS_1 => found.is_pie |= value & u64::from(elf::DF_1_PIE.0) != 0,
                _ => {}
            }
        }
        found.strings = strings.map(|address| (address, strings_size));
        found.verneed = verneed.map(|address| (address, verneed_count));
        Ok(found)
    }

    /// What the loader finds at an address, up to the end of the segment's bytes in the file.
    fn at(&self, address: u64) -> Result<&'data [u8], Fault> {
        for segment in self.segments {
            let start = segment.p_vaddr(self.endian).into();
            if segment.p_type(self.endian) != elf::PT_LOAD
                || address < start
                || address - start >= segment.p_filesz(self.endian).into()
            {
                continue;
            }
            let bytes = segment
                .data(self.endian, self.data)
                .map_err(|()| "a segment lies outside of the file")?;
            let offset = usize::try_from(address - start).map_err(|_| "an address is too large")?;
            return bytes
                .get(offset..)
                .ok_or_else(|| "a segment ends early".into());
        }
        Err(format!("no segment holds the address {address:#x}"))
    }

    fn fill_names(
        &self,
        dynamic: &Dynamic,
        facts: &mut Facts,
        ledger: &mut Ledger,
    ) -> Result<(), Fault> {
        let Some((address, size)) = dynamic.strings else {
            return Ok(());
        };
        let strings = usize::try_from(size)
            .ok()
            .and_then(|size| self.at(address).ok()?.get(..size))
            .ok_or("its dynamic string table lies outside of the file")?;
        for offset in &dynamic.needed {
            facts.needed.push(ledger.name_at(strings, *offset)?);
        }
        for offset in &dynamic.rpaths {
            facts.rpaths.push(ledger.name_at(strings, *offset)?);
        }
        if let Some(offset) = dynamic.soname {
            facts.soname = Some(ledger.name_at(strings, offset)?);
        }
        let mut needs = match dynamic.verneed {
            Some((address, count)) => self.needs(address, count, strings, ledger)?,
            None => Vec::new(),
        };
        needs.sort_by_key(|need| need.index);
        self.fill_symbols(dynamic, strings, &mut needs, facts, ledger)?;
        // The loader checks versions, not symbols: one that no symbol uses binds all the same.
        for need in needs.iter().filter(|need| !need.is_used && !need.is_weak) {
            facts.versioned_symbols.push(VersionedSymbol {
                name: String::new(),
                version: need.version.clone(),
                library: need.library.clone(),
            });
        }
        Ok(())
    }

    fn needs(
        &self,
        address: u64,
        count: u64,
        strings: &[u8],
        ledger: &mut Ledger,
    ) -> Result<Vec<Need>, Fault> {
        const ENDS: &str = "its version needs end early";
        let table = self.at(address)?;
        let mut needs = Vec::new();
        let mut offset = 0_u64;
        for _ in 0..count {
            let need: &elf::Verneed<Endianness> = table.read_at(offset).map_err(|()| ENDS)?;
            ledger.spend(size_of_val(need))?;
            let file = u64::from(need.vn_file.get(self.endian));
            let mut aux_offset = offset + u64::from(need.vn_aux.get(self.endian));
            for _ in 0..need.vn_cnt.get(self.endian) {
                let aux: &elf::Vernaux<Endianness> =
                    table.read_at(aux_offset).map_err(|()| ENDS)?;
                ledger.spend(size_of_val(aux))?;
                needs.push(Need {
                    index: aux.vna_other(self.endian).index().0,
                    version: ledger.name_at(strings, aux.vna_name.get(self.endian).into())?,
                    library: ledger.name_at(strings, file)?,
                    is_weak: aux.vna_flags.get(self.endian).contains(elf::VER_FLG_WEAK),
                    is_used: false,
                });
                match aux.vna_next.get(self.endian) {
                    0 => break,
                    next => aux_offset += u64::from(next),
                }
            }
            match need.vn_next.get(self.endian) {
                0 => break,
                next => offset += u64::from(next),
            }
        }
        Ok(needs)
    }

    fn fill_symbols(
        &self,
        dynamic: &Dynamic,
        strings: &[u8],
        needs: &mut [Need],
        facts: &mut Facts,
        ledger: &mut Ledger,
    ) -> Result<(), Fault> {
        let Some(address) = dynamic.symbols else {
            return Ok(());
        };
        let count = self.symbol_count(dynamic, address)?;
        if count == 0 {
            return Ok(());
        }
        let symbols = self
            .at(address)?
            .read_slice_at::<Elf::Sym>(0, count)
            .map_err(|()| format!("its {count} dynamic symbols lie outside of the file"))?;
        let versions: &[elf::Versym<Endianness>] = match dynamic.versym {
            Some(address) => self
                .at(address)?
                .read_slice_at(0, count)
                .map_err(|()| "its symbol versions end early")?,
            None => &[],
        };
        for (index, symbol) in symbols.iter().enumerate().skip(1) {
            if symbol.st_name(self.endian) == 0 {
                continue;
            }
            let name = ledger.name_at(strings, symbol.st_name(self.endian).into())?;
            if symbol.is_undefined(self.endian) {
                let version = versions
                    .get(index)
                    .map(|version| version.0.get(self.endian));
                if let Some(version) = version
                    && let Ok(found) =
                        needs.binary_search_by_key(&version.index().0, |need| need.index)
                {
                    let need = &mut needs[found];
                    need.is_used = true;
                    ledger.spend(name.len() + need.version.len() + need.library.len())?;
                    facts.versioned_symbols.push(VersionedSymbol {
                        name: name.clone(),
                        version: need.version.clone(),
                        library: need.library.clone(),
                    });
                }
                facts.undefined.push(name);
            } else if is_exported(symbol.st_bind(), symbol.st_visibility()) {
                facts.exported.push(name);
            }
        }
        Ok(())
    }

    /// The number of dynamic symbols, which no entry of `PT_DYNAMIC` states.
    fn symbol_count(&self, dynamic: &Dynamic, symbols: u64) -> Result<usize, Fault> {
        if let Some(address) = dynamic.hash.filter(|_| !self.has_wide_hash) {
            let table = HashTable::<Elf>::parse(self.endian, self.at(address)?).map_err(fault)?;
            return Ok(table.symbol_table_length() as usize);
        }
        // A GNU hash table counts only up to the last exported symbol; undefined ones come first.
        let section = self.sections.iter().find(|section| {
            section.sh_type(self.endian) == elf::SHT_DYNSYM
                && section.sh_addr(self.endian).into() == symbols
        });
        if let Some(section) = section {
            let size: u64 = section.sh_size(self.endian).into();
            return usize::try_from(size / size_of::<Elf::Sym>() as u64)
                .map_err(|_| "its dynamic symbol table is too large".into());
        }
        let Some(address) = dynamic.gnu_hash else {
            return Ok(0);
        };
        let table = self.at(address)?;
        let hash = GnuHashTable::<Elf>::parse(self.endian, table).map_err(fault)?;
        let base: &U32<Endianness> = table.read_at(4).map_err(|()| "its hash table ends early")?;
        let count = hash.symbol_table_length(self.endian);
        Ok(count.unwrap_or_else(|| base.get(self.endian)) as usize)
    }
}

fn fault(error: object::Error) -> Fault {
    error.to_string()
}

fn is_exported(bind: elf::SymbolBind, visibility: elf::SymbolVisibility) -> bool {
    matches!(bind, elf::STB_GLOBAL | elf::STB_WEAK | elf::STB_GNU_UNIQUE)
        && matches!(visibility, elf::STV_DEFAULT | elf::STV_PROTECTED)
}

fn arch(machine: elf::Machine, bits: u8, little_endian: bool) -> String {
    match (machine, bits, little_endian) {
        (elf::EM_X86_64, 64, true) => "x86_64",
        (elf::EM_AARCH64, 64, true) => "aarch64",
        (elf::EM_386, 32, true) => "i686",
        (elf::EM_ARM, 32, true) => "armv7l",
        (elf::EM_PPC64, 64, true) => "ppc64le",
        (elf::EM_PPC64, 64, false) => "ppc64",
        (elf::EM_S390, 64, false) => "s390x",
        (elf::EM_RISCV, 64, true) => "riscv64",
        (elf::EM_LOONGARCH, 64, true) => "loongarch64",
        _ => return format!("unknown-{:#x}", machine.0),
    }
    .to_owned()
}

/// The C library, where the file shows it.
///
/// `libc.so` alone is musl's name, but bionic's too: there the symbols carry versions (`LIBC`).
fn libc(facts: &Facts) -> Option<Libc> {
    let needs = |wanted: fn(&str) -> bool| facts.needed.iter().any(|name| wanted(name));
    let versioned = || facts.versioned_symbols.iter();
    if needs(|name| name == "libc.so.6" || name == "libc.so.6.1")
        || versioned().any(|symbol| symbol.version.starts_with("GLIBC_"))
    {
        return Some(Libc::Glibc);
    }
    let is_musl = needs(|name| name.starts_with("libc.musl-"))
        || (needs(|name| name == "libc.so")
            && !versioned().any(|symbol| symbol.library == "libc.so"))
        || facts
            .interpreter
            .as_ref()
            .is_some_and(|name| name.contains("/ld-musl-"));
    is_musl.then_some(Libc::Musl)
}
