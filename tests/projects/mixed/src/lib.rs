//! Sample crate for the tests of wheelworks.

#[pyo3::pymodule]
mod _native {
    use pyo3::prelude::*;

    /// The sum of two numbers.
    #[pyfunction]
    fn add(left: i64, right: i64) -> i64 {
        left + right
    }
}
