//! Facts of ELF files.
//!
//! Takes an ELF file's bytes, gives [`Facts`]. Reads what the dynamic loader reads (program headers,
//! `PT_DYNAMIC` and the tables it points to), because section headers may be missing or lie; these
//! are asked only whether symbols and debug information are left, and for the number of dynamic
//! symbols where no hash table tells. Does not know what a policy allows.

use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use super::{Facts, Format, Kind, Ledger, Libc};
use crate::error::Error;

pub(super) type Fault = String;

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

/// An ELF file whose headers have been found.
pub(super) struct Reader<'data, Elf: FileHeader> {
    data: &'data [u8],
    pub(super) endian: Elf::Endian,
    segments: &'data [Elf::ProgramHeader],
    pub(super) sections: &'data [Elf::SectionHeader],
    pub(super) has_wide_hash: bool,
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
        let index = header.shstrndx(self.endian, self.data).map_err(fault)?;
        let names = match self.sections.get(index as usize) {
            Some(section) => section.data(self.endian, self.data).map_err(fault)?,
            None => return Err("its section names are missing".into()),
        };
        // Only beginnings are compared: looking for the end of each name would take long where
        // many sections share one that does not end.
        Ok(!self.sections.iter().any(|section| {
            let name = names
                .get(section.sh_name(self.endian) as usize..)
                .unwrap_or_default();
            section.sh_type(self.endian) == elf::SHT_SYMTAB
                || name.starts_with(b".debug_")
                || name.starts_with(b".zdebug_")
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

    /// The entries of `PT_DYNAMIC`; none where the file is static.
    pub(super) fn dynamic_entries(&self) -> Result<&'data [Elf::Dyn], Fault> {
        for segment in self.segments {
            if let Some(entries) = segment.dynamic(self.endian, self.data).map_err(fault)? {
                return Ok(entries);
            }
        }
        Ok(&[])
    }

    /// What the loader finds at an address, up to the end of the segment's bytes in the file.
    pub(super) fn at(&self, address: u64) -> Result<&'data [u8], Fault> {
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
}

pub(super) fn fault(error: object::Error) -> Fault {
    error.to_string()
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
        // GCC's runtime has symbols of the version GLIBC_2.0 on musl too.
        || versioned().any(|symbol| {
            symbol.version.starts_with("GLIBC_") && !symbol.library.starts_with("libgcc_s")
        })
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

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::tests::sample;
    use super::*;

    const ARCHES: [(&str, u8, bool); 7] = [
        ("x86_64", 64, true),
        ("aarch64", 64, true),
        ("i686", 32, true),
        ("armv7l", 32, true),
        ("ppc64le", 64, true),
        ("s390x", 64, false),
        ("riscv64", 64, true),
    ];

    #[test]
    fn facts_of_real_libraries() {
        for (arch, bits, little_endian) in ARCHES {
            for (libc, soname) in [(Libc::Glibc, "libc.so.6"), (Libc::Musl, "libc.so")] {
                let name = format!("{}-{arch}", libc.name());
                let facts = read(&sample(&format!("{name}.so"))).unwrap();
                assert_eq!((facts.format, facts.kind), (Format::Elf, Kind::Library));
                assert_eq!(facts.arch, arch);
                assert_eq!((facts.bits, facts.little_endian), (bits, little_endian));
                assert_eq!(
                    (facts.libc, &facts.needed[..]),
                    (Some(libc), &[soname.into()][..])
                );
                assert_eq!(facts.undefined, ["PyModule_Create2", "memcpy", "strlen"]);
                assert_eq!(facts.exported, ["PyInit_sample"]);
                assert_eq!(facts.soname.as_deref(), Some("sample.so"));
                assert!(!facts.stripped && !facts.executable_stack && !facts.textrel);
                let stripped = read(&sample(&format!("{name}-stripped.so"))).unwrap();
                assert!(stripped.stripped);
                assert_eq!(stripped.versioned_symbols, facts.versioned_symbols);
            }
        }
    }

    #[test]
    fn without_section_headers_only_the_symbols_are_missed_that_no_table_counts() {
        for (arch, bits, _) in ARCHES {
            let mut data = sample(&format!("glibc-{arch}.so"));
            let with = read(&data).unwrap();
            // e_shoff, and e_shnum with e_shstrndx.
            let (offset, count) = if bits == 64 {
                (40..48, 60..64)
            } else {
                (32..36, 48..52)
            };
            data[offset].fill(0);
            data[count].fill(0);
            let facts = read(&data).unwrap();
            assert_eq!(facts.undefined, with.undefined, "{arch}");
            assert_eq!(facts.exported, with.exported, "{arch}");
            assert!(facts.stripped);
        }
    }

    #[test]
    fn programs_objects_and_static_files() {
        let program = read(&sample("glibc-x86_64-program")).unwrap();
        assert_eq!(program.kind, Kind::Executable);
        let interpreter = program.interpreter.as_deref();
        assert_eq!(interpreter, Some("/lib64/ld-linux-x86-64.so.2"));
        let fixed = read(&sample("musl-x86_64-static")).unwrap();
        assert_eq!((fixed.kind, fixed.libc), (Kind::Executable, None));
        let object = read(&sample("glibc-x86_64-object.o")).unwrap();
        assert_eq!(
            (object.kind, object.executable_stack),
            (Kind::Object, false)
        );
    }

    #[test]
    fn unusual_properties_are_seen() {
        let rpath = read(&sample("glibc-x86_64-rpath.so")).unwrap();
        assert_eq!(rpath.rpaths, ["$ORIGIN/../sample.libs"]);
        assert!(read(&sample("glibc-i686-textrel.so")).unwrap().textrel);
        let float = |name| read(&sample(name)).unwrap().armv7_hard_float;
        assert_eq!(float("glibc-armv7l.so"), Some(true));
        assert_eq!(float("glibc-armel.so"), Some(false));
        assert_eq!(float("glibc-x86_64.so"), None);
    }

    #[test]
    fn a_stack_is_executable_when_marked_so_or_not_marked() {
        let original = sample("glibc-x86_64.so");
        let headers = (64..).step_by(56);
        let mark = elf::PT_GNU_STACK.0.to_le_bytes();
        let header = headers.into_iter().find(|at| original[*at..at + 4] == mark);
        let header = header.unwrap();
        for (offset, value) in [(header + 4, 7), (header, 0)] {
            let mut data = original.clone();
            data[offset..offset + 4].copy_from_slice(&u32::to_le_bytes(value));
            assert!(read(&data).unwrap().executable_stack);
        }
    }

    #[test]
    fn a_class_that_is_none_is_damage() {
        let error = read(b"\x7fELF\x03").unwrap_err().to_string();
        assert_eq!(
            error,
            "damaged ELF file: its class is neither 32 nor 64 bits"
        );
    }
}
