//! Facts of native files.
//!
//! Takes the bytes of one file and gives [`Facts`] or an [`Error`]; any bytes at all. Does not know
//! of paths, policies or wheels. The three formats live in the modules below and share the ledger
//! here, which keeps time and memory proportional to the file's size: a damaged or hostile file may
//! claim any count and let any number of entries point at the same long name.

mod elf;
mod elf_dynamic;
mod fat;
mod macho;
mod pe;
mod trie;

use std::collections::HashSet;

use crate::error::Error;

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Executable and Linkable Format.
    Elf,
    /// Apple's format, thin or fat.
    MachO,
    /// Windows' portable executable.
    Pe,
}

impl Format {
    /// The word used in facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::MachO => "macho",
            Self::Pe => "pe",
        }
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program.
    Executable,
    /// A shared library, bundle or extension module.
    Library,
    /// A relocatable object file.
    Object,
    /// Anything else, such as a core file.
    Other,
}

impl Kind {
    /// The word used in facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Library => "library",
            Self::Object => "object",
            Self::Other => "other",
        }
    }
}

/// The C library that an ELF file was linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
}

impl Libc {
    /// The word used in facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        }
    }
}

/// An undefined symbol that a versioned library must provide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedSymbol {
    /// Empty where the file needs the version without using a symbol of it (`GLIBC_ABI_DT_RELR`).
    pub name: String,
    /// Such as `GLIBC_2.14`.
    pub version: String,
    /// Such as `libc.so.6`.
    pub library: String,
}

/// One architecture of a Mach-O file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// `x86_64`, `arm64`, `x86_64h`, `arm64e`, else the CPU type as hexadecimal number.
    pub arch: String,
    /// Lowest macOS version that loads it.
    pub minimum_macos: Option<String>,
    /// SDK version that it was linked with.
    pub sdk: Option<String>,
    /// Whether there is a code signature.
    pub signed: bool,
    /// Whether the signature is an ad-hoc one.
    pub adhoc_signed: bool,
}

/// What a native file says of itself; `_native.pyi` describes each field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Facts {
    pub format: Format,
    pub kind: Kind,
    pub bits: u8,
    pub little_endian: bool,
    pub arch: String,
    pub needed: Vec<String>,
    pub versioned_symbols: Vec<VersionedSymbol>,
    pub undefined: Vec<String>,
    pub weak: Vec<String>,
    pub exported: Vec<String>,
    pub soname: Option<String>,
    pub interpreter: Option<String>,
    pub rpaths: Vec<String>,
    pub libc: Option<Libc>,
    pub stripped: bool,
    pub executable_stack: bool,
    pub textrel: bool,
    pub slices: Vec<Slice>,
    pub armv7_hard_float: Option<bool>,
}

impl Facts {
    /// Facts with nothing found yet.
    fn new(format: Format) -> Self {
        Self {
            format,
            kind: Kind::Other,
            bits: 64,
            little_endian: true,
            arch: String::new(),
            needed: Vec::new(),
            versioned_symbols: Vec::new(),
            undefined: Vec::new(),
            weak: Vec::new(),
            exported: Vec::new(),
            soname: None,
            interpreter: None,
            rpaths: Vec::new(),
            libc: None,
            stripped: true,
            executable_stack: false,
            textrel: false,
            slices: Vec::new(),
            armv7_hard_float: None,
        }
    }

    /// The exported functions by which Python loads an extension module.
    pub fn init_functions(&self) -> impl Iterator<Item = &String> {
        self.exported
            .iter()
            .filter(|name| name.starts_with("PyInit_") || name.starts_with("PyModExport_"))
    }

    /// Puts the lists into the promised order.
    fn tidy(mut self) -> Self {
        for names in [&mut self.undefined, &mut self.weak, &mut self.exported] {
            names.sort_unstable();
            names.dedup();
        }
        for names in [&mut self.needed, &mut self.rpaths] {
            let mut seen = HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
        }
        self
    }
}

/// Facts of one native file, from all of its bytes.
///
/// # Errors
///
/// When the bytes are no ELF, Mach-O or PE file, or one that contradicts itself.
pub fn read(data: &[u8]) -> Result<Facts, Error> {
    let mut ledger = Ledger::new(data.len());
    match data.first_chunk::<4>() {
        Some(b"\x7fELF") => elf::read(data, &mut ledger),
        Some([b'M', b'Z', ..]) => pe::read(data, &mut ledger),
        Some([0xca, 0xfe, 0xba, 0xbe | 0xbf]) => fat::read(data, &mut ledger),
        Some([0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe]) => {
            macho::read(data, &mut ledger)
        }
        Some(magic) => Err(Error::UnknownFormat(format!(
            "starts with the bytes {:02x} {:02x} {:02x} {:02x}",
            magic[0], magic[1], magic[2], magic[3]
        ))),
        None => Err(Error::UnknownFormat(format!("has {} bytes", data.len()))),
    }
    .map(Facts::tidy)
}

/// Allowance of bytes to look at and copy, in proportion to the file's size.
///
/// A sound file spends less than its own size, since every name and entry lies in it once; linkers
/// let the tails of names overlap, and the library and version of a symbol are copied for each
/// symbol, hence the factor.
struct Ledger {
    left: usize,
}

impl Ledger {
    const FACTOR: usize = 16;

    fn new(file_size: usize) -> Self {
        Self {
            left: file_size.saturating_mul(Self::FACTOR),
        }
    }

    /// Spends `amount` bytes, or says that the file claims more than it can hold.
    fn spend(&mut self, amount: usize) -> Result<(), &'static str> {
        self.left = self
            .left
            .checked_sub(amount)
            .ok_or("its entries overlap without end")?;
        Ok(())
    }

    /// A copy of a name. Bytes that are no UTF-8 become replacement characters.
    fn copy(&mut self, name: &[u8]) -> Result<String, &'static str> {
        self.spend(name.len() + 1)?;
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// A copy of the NUL-terminated name at `offset` of `table`.
    fn name_at(&mut self, table: &[u8], offset: u64) -> Result<String, &'static str> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| table.get(offset..))
            .ok_or("a name lies outside of its string table")?;
        let end = rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or("a name does not end inside its string table")?;
        self.copy(&rest[..end])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of a file that `scripts/make_binaries.py` made.
    pub(crate) fn sample(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/binaries");
        std::fs::read(folder.join(name)).unwrap()
    }

    #[test]
    fn bytes_of_no_known_format_are_named() {
        let error = read(b"#!/bin/sh\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no ELF, Mach-O or PE file: it starts with the bytes 23 21 2f 62"
        );
        assert!(read(b"").unwrap_err().to_string().ends_with("has 0 bytes"));
    }

    #[test]
    fn the_ledger_stops_overlapping_names() {
        let table = [b'a'; 999].into_iter().chain([0]).collect::<Vec<_>>();
        let mut ledger = Ledger::new(table.len());
        let copies = (0..1000)
            .map_while(|offset| ledger.name_at(&table, offset).ok())
            .count();
        assert_eq!(copies, 16);
    }

    #[test]
    fn names_outside_of_the_table_are_refused() {
        let mut ledger = Ledger::new(100);
        assert!(ledger.name_at(b"ab\0", 4).is_err());
        assert!(ledger.name_at(b"ab\0", u64::MAX).is_err());
        assert!(ledger.name_at(b"ab", 0).is_err());
        assert_eq!(ledger.name_at(b"ab\0", 1).unwrap(), "b");
    }

    #[test]
    fn tidy_sorts_symbols_and_keeps_the_order_of_libraries() {
        let mut facts = Facts::new(Format::Elf);
        facts.needed = vec!["b".into(), "a".into(), "b".into()];
        facts.exported = vec!["PyInit_x".into(), "A".into(), "A".into()];
        let facts = facts.tidy();
        assert_eq!(facts.needed, ["b", "a"]);
        assert_eq!(facts.exported, ["A", "PyInit_x"]);
        assert_eq!(facts.init_functions().collect::<Vec<_>>(), ["PyInit_x"]);
    }
}
