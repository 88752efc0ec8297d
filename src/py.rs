//! Glue to Python: exported names, argument and error conversion.
//!
//! Takes Python values, gives Python values; the only file that names PyO3. `_native.pyi` is the
//! contract and carries the documentation. The GIL is released while the core works. Nothing here
//! decides anything.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::binary::{self, Facts, Libc, Slice, VersionedSymbol};
use crate::error::{Area, Error};
use crate::fingerprint::{self, Entry, Known};
use crate::universal;

create_exception!(
    wheelworks._native,
    NativeError,
    PyException,
    "Root of this module's errors."
);
create_exception!(
    wheelworks._native,
    BinaryError,
    NativeError,
    "The bytes are no readable ELF, Mach-O or PE file."
);
create_exception!(
    wheelworks._native,
    FingerprintError,
    NativeError,
    "A tree or file could not be read."
);
create_exception!(
    wheelworks._native,
    UniversalError,
    NativeError,
    "The slices can't be merged into one file."
);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error.area() {
            Area::Binary => BinaryError::new_err(message),
            Area::Fingerprint => FingerprintError::new_err(message),
            Area::Universal => UniversalError::new_err(message),
        }
    }
}

/// One fingerprinted file of a tree.
#[pyclass(module = "wheelworks._native", name = "FileEntry", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
struct FileEntry(Entry);

#[pymethods]
impl FileEntry {
    #[getter]
    fn path(&self) -> &str {
        &self.0.path
    }

    #[getter]
    fn digest(&self) -> String {
        self.0.digest.to_string()
    }

    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    #[getter]
    fn mtime_ns(&self) -> i64 {
        self.0.mtime_ns
    }

    #[getter]
    fn executable(&self) -> bool {
        self.0.executable
    }

    #[getter]
    fn link(&self) -> Option<&str> {
        self.0.link.as_deref()
    }

    fn __repr__(&self) -> String {
        format!("FileEntry({:?}, {} bytes)", self.0.path, self.0.size)
    }
}

/// Files of a source tree with their content digests, sorted by path.
#[pyfunction]
#[pyo3(signature = (root, *, exclude=None, threads=None, known=None))]
fn fingerprint_tree(
    py: Python<'_>,
    root: &str,
    exclude: Option<Vec<String>>,
    threads: Option<usize>,
    known: Option<HashMap<String, (u64, i64, String)>>,
) -> PyResult<Vec<FileEntry>> {
    let entries = py.detach(|| {
        let exclude = exclude.unwrap_or_default();
        let known = known.unwrap_or_default().into_iter();
        // A digest that is none can't have come from here: that file is read again.
        let known = known
            .filter_map(|(path, (size, mtime_ns, digest))| {
                let digest = blake3::Hash::from_hex(digest).ok()?;
                Some((
                    path,
                    Known {
                        size,
                        mtime_ns,
                        digest,
                    },
                ))
            })
            .collect();
        fingerprint::tree(Path::new(root), &exclude, threads, &known)
    })?;
    Ok(entries.into_iter().map(FileEntry).collect())
}

/// blake3 digests of the contents of the files, in the given order.
#[pyfunction]
#[pyo3(signature = (paths, *, threads=None))]
fn fingerprint_files(
    py: Python<'_>,
    paths: Vec<String>,
    threads: Option<usize>,
) -> PyResult<Vec<String>> {
    let digests = py.detach(|| {
        let paths = paths.into_iter().map(PathBuf::from).collect::<Vec<_>>();
        fingerprint::files(&paths, threads)
    })?;
    Ok(digests.iter().map(ToString::to_string).collect())
}

/// blake3 of the bytes, 64 hexadecimal digits.
#[pyfunction]
#[pyo3(signature = (data))]
fn digest_bytes(py: Python<'_>, data: &[u8]) -> String {
    py.detach(|| fingerprint::bytes(data)).to_string()
}

/// Facts of one native file.
#[pyfunction]
#[pyo3(signature = (data))]
fn binary_facts<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let facts = py.detach(|| binary::read(data))?;
    facts_to_dict(py, &facts)
}

/// One fat Mach-O file of two thin ones.
#[pyfunction]
#[pyo3(signature = (x86_64, arm64))]
fn merge_universal<'py>(
    py: Python<'py>,
    x86_64: &[u8],
    arm64: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let merged = py.detach(|| universal::merge(x86_64, arm64))?;
    Ok(PyBytes::new(py, &merged))
}

fn facts_to_dict<'py>(py: Python<'py>, facts: &Facts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("format", facts.format.name())?;
    dict.set_item("kind", facts.kind.name())?;
    dict.set_item("bits", facts.bits)?;
    dict.set_item("little_endian", facts.little_endian)?;
    dict.set_item("arch", &facts.arch)?;
    dict.set_item("needed", &facts.needed)?;
    let symbols = facts.versioned_symbols.iter();
    let symbols = symbols.map(|symbol| symbol_to_dict(py, symbol));
    dict.set_item("versioned_symbols", list(py, symbols)?)?;
    dict.set_item("undefined", &facts.undefined)?;
    dict.set_item("weak", &facts.weak)?;
    dict.set_item("exported", &facts.exported)?;
    let init_functions = facts.init_functions().collect::<Vec<_>>();
    dict.set_item("init_functions", init_functions)?;
    dict.set_item("soname", &facts.soname)?;
    dict.set_item("interpreter", &facts.interpreter)?;
    dict.set_item("rpaths", &facts.rpaths)?;
    dict.set_item("libc", facts.libc.map(Libc::name))?;
    dict.set_item("stripped", facts.stripped)?;
    dict.set_item("executable_stack", facts.executable_stack)?;
    dict.set_item("textrel", facts.textrel)?;
    let slices = facts.slices.iter().map(|slice| slice_to_dict(py, slice));
    dict.set_item("slices", list(py, slices)?)?;
    dict.set_item("armv7_hard_float", facts.armv7_hard_float)?;
    Ok(dict)
}

fn list<'py>(
    py: Python<'py>,
    dicts: impl Iterator<Item = PyResult<Bound<'py, PyDict>>>,
) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, dicts.collect::<PyResult<Vec<_>>>()?)
}

fn symbol_to_dict<'py>(py: Python<'py>, symbol: &VersionedSymbol) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", &symbol.name)?;
    dict.set_item("version", &symbol.version)?;
    dict.set_item("library", &symbol.library)?;
    Ok(dict)
}

fn slice_to_dict<'py>(py: Python<'py>, slice: &Slice) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("arch", &slice.arch)?;
    dict.set_item("minimum_macos", &slice.minimum_macos)?;
    dict.set_item("sdk", &slice.sdk)?;
    dict.set_item("signed", slice.signed)?;
    dict.set_item("adhoc_signed", slice.adhoc_signed)?;
    Ok(dict)
}

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::{
        BinaryError, FileEntry, FingerprintError, NativeError, UniversalError, binary_facts,
        digest_bytes, fingerprint_files, fingerprint_tree, merge_universal,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
