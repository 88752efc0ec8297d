//! Exports an init function of another name than the module's, so that Python can't import it.

use pyo3_ffi::PyObject;

#[no_mangle]
pub extern "C" fn PyInit_another_name() -> *mut PyObject {
    std::ptr::null_mut()
}
