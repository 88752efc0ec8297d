//! The export trie of Mach-O files, in which dyld looks up names.
//!
//! Takes the trie's bytes, gives the names in it. Does not know what stands behind a name.
//!
//! Walked here and not with `object`, whose walk enters a node by as many ways as lead there: sixty
//! nodes that name their neighbour twice would take for ever. In a sound trie there is one way to
//! each node, so that a second one is damage.

use std::collections::HashSet;

use super::Ledger;

const ENDS: &str = "its export table ends early";

/// Names of the exported symbols, as written.
pub(super) fn names(trie: &[u8], ledger: &mut Ledger) -> Result<Vec<String>, &'static str> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    // Nodes that are still to be visited: where they are and the name up to there.
    let mut pending = Vec::new();
    if !trie.is_empty() {
        pending.push((0, Vec::new()));
    }
    while let Some((offset, prefix)) = pending.pop() {
        if !seen.insert(offset) {
            return Err("its export table leads twice to the same place");
        }
        let mut rest = trie.get(offset..).ok_or(ENDS)?;
        let terminal_size = number(&mut rest)?;
        if terminal_size > 0 {
            names.push(ledger.copy(&prefix)?);
        }
        let (count, mut rest) = rest
            .get(terminal_size..)
            .and_then(<[u8]>::split_first)
            .ok_or(ENDS)?;
        for _ in 0..*count {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(ENDS)?;
            let name = [&prefix, &rest[..end]].concat();
            // Also pays for the search of the end, since nodes may overlap.
            ledger.spend(name.len() + 1)?;
            rest = &rest[end + 1..];
            pending.push((number(&mut rest)?, name));
        }
    }
    Ok(names)
}

/// Takes a ULEB128 number off the bytes.
fn number(bytes: &mut &[u8]) -> Result<usize, &'static str> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(ENDS)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| ENDS);
        }
    }
    Err("its export table holds a number of more than 63 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(trie: &[u8]) -> Result<Vec<String>, &'static str> {
        names(trie, &mut Ledger::new(trie.len()))
    }

    #[test]
    fn names_are_joined_along_the_way() {
        let trie = b"\0\x01_a\0\x06\x02\0\0\x02b\0\x11cd\0\x15\x02\0\0\0\x02\0\0\0";
        let mut found = read(trie).unwrap();
        found.sort();
        assert_eq!(found, ["_a", "_ab", "_acd"]);
        assert_eq!(read(b"").unwrap(), [""; 0]);
    }

    #[test]
    fn a_node_that_is_reached_twice_is_damage() {
        assert!(read(b"\0\x01a\0\0").unwrap_err().contains("twice"));
        let shared = b"\0\x02a\0\x08b\0\x08\x02\0\0\0";
        assert!(read(shared).unwrap_err().contains("twice"));
    }

    #[test]
    fn truncated_tries_are_damage() {
        for trie in [
            &b"\0"[..],
            b"\0\x01",
            b"\0\x01a",
            b"\x05",
            b"\xff",
            b"\0\x01a\0\x7f",
        ] {
            assert_eq!(read(trie).unwrap_err(), ENDS);
        }
        assert!(read(&[0xff; 12]).unwrap_err().contains("63 bits"));
    }
}
