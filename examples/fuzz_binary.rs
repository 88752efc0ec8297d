//! Fuzzing without nightly and cargo-fuzz: mutations of the sample files, for a bounded time.
//!
//! `cargo run --profile fuzz --example fuzz_binary`, with `WHEELWORKS_FUZZ_SECONDS` (default 20) and
//! `WHEELWORKS_FUZZ_SEED` (default 1; the same seed tries the same inputs in the same order). Ends
//! with an error when reading panics or takes longer than its size allows, and leaves the input in
//! `fuzz/artifacts/binary/`. Blind to coverage, unlike `fuzz/`: damages fields, sizes and ends.

use std::error::Error;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use _native::{binary, universal};

/// Far above what a file of this size needs on a busy machine, far below quadratic time.
const SLOW: Duration = Duration::from_secs(2);

/// Values at which sizes, counts and offsets break.
const EDGES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    u64::MAX / 2,
    u64::MAX,
];

/// xorshift64*: enough for mutations, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize, longest: usize) -> Range<usize> {
        let start = self.below(length);
        start..(start + 1 + self.below(longest)).min(length)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = samples(&root.join("tests/binaries"))?;
    let seconds = number("WHEELWORKS_FUZZ_SECONDS", 20)?;
    let mut random = Random(number("WHEELWORKS_FUZZ_SEED", 1)?.max(1));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut inputs, mut sound, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while Instant::now() < end {
        let mut data = samples[random.below(samples.len())].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut data, &mut random);
        }
        let start = Instant::now();
        let outcome = catch_unwind(|| attempt(&data));
        let took = start.elapsed();
        slowest = slowest.max(took);
        inputs += 1;
        sound += u64::from(matches!(outcome, Ok(true)));
        if outcome.is_err() || took > SLOW {
            let folder = root.join("fuzz/artifacts/binary");
            fs::create_dir_all(&folder)?;
            let name = format!("input-{}", blake3::hash(&data).to_hex());
            fs::write(folder.join(&name), &data)?;
            return Err(format!("fuzz/artifacts/binary/{name}: took {took:?}").into());
        }
    }
    println!("{inputs} inputs, {sound} of them sound, the slowest took {slowest:?}");
    Ok(())
}

/// Whether the bytes have facts.
fn attempt(data: &[u8]) -> bool {
    let (one, other) = data.split_at(data.len() / 2);
    let _ = universal::merge(one, other);
    binary::read(data).is_ok()
}

/// The sample files, a fat one and two slices in a row, which the merge takes apart again.
fn samples(folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    let mut samples = paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let x86_64 = fs::read(folder.join("macos-10.12-x86_64.dylib"))?;
    let arm64 = fs::read(folder.join("macos-11.0-arm64.dylib"))?;
    let fat = universal::merge(&x86_64, &arm64)?;
    let mut pair = x86_64;
    pair.resize(arm64.len(), 0);
    pair.extend(arm64);
    samples.extend([fat, pair]);
    Ok(samples)
}

fn mutate(data: &mut Vec<u8>, random: &mut Random) {
    if data.is_empty() {
        return;
    }
    // Headers are short and decide most: half of the damage falls there.
    let reach = if random.below(2) == 0 {
        data.len()
    } else {
        data.len().min(1024)
    };
    let at = random.below(reach);
    match random.below(8) {
        0 => data[at] ^= 1 << random.below(8),
        1 => data[at] = random.next() as u8,
        2 | 3 => {
            let value = EDGES[random.below(EDGES.len())];
            // Also values close to the file's size, at which a bound is off by one.
            let near = (data.len() as u64).saturating_sub(random.below(16) as u64);
            let value = if random.below(3) == 0 { near } else { value };
            let width = 1 << random.below(4);
            let at = at & !(width - 1);
            let bytes = if random.below(4) == 0 {
                value.to_be_bytes()[8 - width..].to_vec()
            } else {
                value.to_le_bytes()[..width].to_vec()
            };
            for (place, byte) in data[at..].iter_mut().zip(bytes) {
                *place = byte;
            }
        }
        4 => data.truncate(at),
        5 => {
            let from = random.range(data.len(), 64);
            let to = at.min(data.len() - from.len());
            data.copy_within(from, to);
        }
        6 => {
            let range = random.range(data.len(), 256);
            data[range].fill(b'A');
        }
        _ => {
            let range = random.range(data.len(), 16);
            for place in &mut data[range] {
                *place = random.next() as u8;
            }
        }
    }
}

fn number(variable: &str, default: u64) -> Result<u64, Box<dyn Error>> {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("{variable} is no whole number: {text}").into()),
        Err(_) => Ok(default),
    }
}
