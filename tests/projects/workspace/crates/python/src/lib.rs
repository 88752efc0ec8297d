//! Sample bindings in a workspace; pyo3 goes by another name and is a feature.

#[cfg(feature = "python")]
#[py::pymodule]
#[pyo3(crate = "py")]
mod _native {
    use py::prelude::*;

    /// The sum of two numbers.
    #[pyfunction]
    #[pyo3(crate = "py")]
    fn add(left: i64, right: i64) -> i64 {
        workspace_core::add(left, right)
    }
}
