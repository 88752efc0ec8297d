//! Sample core, outside the Python package's folder.

/// The sum of two numbers.
pub fn add(left: i64, right: i64) -> i64 {
    left + right
}
