//! Rust core of wheelworks: functions on bytes, paths and values. Nothing here prints or
//! starts a process; only `py` knows of Python.

pub mod binary;
pub mod error;
pub mod fingerprint;
#[cfg(feature = "python")]
mod py;
pub mod universal;
mod walk;
