//! Sample crate that does not compile, on purpose.

pub fn add(left: i64) -> i64 {
    left + right
}
