//! The dynamic section of ELF files: needed libraries, versions and symbols.
//!
//! Takes a [`Reader`] with its segments, fills [`Facts`]. Follows the loader: from `PT_DYNAMIC` by
//! addresses to the tables. Does not know of the rest of the file.

use object::elf;
use object::read::elf::{Dyn, FileHeader, GnuHashTable, HashTable, SectionHeader, Sym};
use object::{Endianness, ReadRef, U32};

use super::elf::{Fault, Reader, fault};
use super::{Facts, Ledger, VersionedSymbol};

/// The entries of `PT_DYNAMIC` that matter here; addresses are the loader's.
#[derive(Default)]
pub(super) struct Dynamic {
    needed: Vec<u64>,
    rpaths: Vec<u64>,
    soname: Option<u64>,
    strings: Option<(u64, u64)>,
    symbols: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    versym: Option<u64>,
    verneed: Option<(u64, u64)>,
    pub(super) textrel: bool,
    pub(super) is_pie: bool,
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
    pub(super) fn dynamic(&self) -> Result<Dynamic, Fault> {
        let mut found = Dynamic::default();
        let (mut strings, mut strings_size) = (None, 0);
        let (mut verneed, mut verneed_count) = (None, 0);
        for entry in self.dynamic_entries()? {
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
                elf::DT_FLAGS => found.textrel |= value & elf::DF_TEXTREL.0 != 0,
                elf::DT_FLAGS_1 => found.is_pie |= value & elf::DF_1_PIE.0 != 0,
                _ => {}
            }
        }
        found.strings = strings.map(|address| (address, strings_size));
        found.verneed = verneed.map(|address| (address, verneed_count));
        Ok(found)
    }

    pub(super) fn fill_names(
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
                if symbol.st_bind() == elf::STB_WEAK {
                    facts.weak.push(ledger.copy(name.as_bytes())?);
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

fn is_exported(bind: elf::SymbolBind, visibility: elf::SymbolVisibility) -> bool {
    matches!(bind, elf::STB_GLOBAL | elf::STB_WEAK | elf::STB_GNU_UNIQUE)
        && matches!(visibility, elf::STV_DEFAULT | elf::STV_PROTECTED)
}
