//! Coverage-guided: any bytes give facts or an error, and two readings of them agree.
//!
//! `cargo +nightly fuzz run binary fuzz/corpus/binary tests/binaries`

#![no_main]

use _native::{binary, universal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let facts = binary::read(data);
    assert_eq!(facts.is_ok(), binary::read(data).is_ok());
    // The halves as two slices reach the merge, which reads what it wrote.
    let (one, other) = data.split_at(data.len() / 2);
    let _ = universal::merge(one, other);
});
