//! Sample program that a wheel installs.

fn main() {
    println!("sample-bin {}", env!("CARGO_PKG_VERSION"));
}
