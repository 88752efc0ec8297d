//! The one error of the core.
//!
//! Takes the facts of a failure (format, path, pattern), gives a lower-case message without a full
//! stop that says what is wrong and where. Does not know of Python: `py` picks the exception class
//! by [`Error::area`].

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, with the place where it did.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The first bytes belong to no format that is read here.
    #[error("no ELF, Mach-O or PE file: it {0}")]
    UnknownFormat(String),
    /// The format is known, a part of the file is not as the format demands.
    #[error("damaged {format} file: {what}")]
    Damaged {
        /// `ELF`, `Mach-O` or `PE`.
        format: &'static str,
        /// The part and its fault.
        what: String,
    },
    /// A file or folder can't be read.
    #[error("can't read {}: {cause}", path.display())]
    Read {
        /// The file or folder, as the caller would write it.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// A path that is neither a folder nor a regular file where one is needed.
    #[error("{} is not a {wanted}", path.display())]
    WrongType {
        /// The path as given.
        path: PathBuf,
        /// `folder` or `regular file`.
        wanted: &'static str,
    },
    /// A file had another size when it was read than a moment before.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A name that can't be written as text.
    #[error("name is not valid UTF-8: {}", path.display())]
    Name {
        /// The path, shown with replacement characters.
        path: PathBuf,
    },
    /// A text that can't be shown to be a file's link target.
    #[error("target of the symbolic link {} is not valid UTF-8", path.display())]
    LinkTarget {
        /// The link.
        path: PathBuf,
    },
    /// An exclude pattern that is no gitignore pattern.
    #[error("invalid exclude pattern {pattern:?}: {cause}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        cause: ignore::Error,
    },
    /// The threads for the work could not be started.
    #[error("can't start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Two Mach-O files that can't be merged.
    #[error("can't merge into a universal2 file: {0}")]
    Universal(String),
}

/// The part of the core that an error belongs to: one exception class each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Reading a native file's facts.
    Binary,
    /// Reading a tree or files.
    Fingerprint,
    /// Merging two slices.
    Universal,
}

impl Error {
    /// An error of reading `path`.
    pub(crate) fn read(path: &Path, cause: io::Error) -> Self {
        Self::Read {
            path: path.to_path_buf(),
            cause,
        }
    }

    /// The part of the core that the error belongs to.
    #[must_use]
    pub fn area(&self) -> Area {
        match self {
            Self::UnknownFormat(_) | Self::Damaged { .. } => Area::Binary,
            Self::Universal(_) => Area::Universal,
            Self::Read { .. }
            | Self::WrongType { .. }
            | Self::Changed { .. }
            | Self::Name { .. }
            | Self::LinkTarget { .. }
            | Self::Pattern { .. }
            | Self::Threads(_) => Area::Fingerprint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_error_names_path_and_cause() {
        let error = Error::read(
            Path::new("src/lib.rs"),
            io::Error::new(io::ErrorKind::NotFound, "gone"),
        );
        assert_eq!(error.to_string(), "can't read src/lib.rs: gone");
        assert_eq!(error.area(), Area::Fingerprint);
    }

    #[test]
    fn a_damaged_file_names_format_and_part() {
        let error = Error::Damaged {
            format: "ELF",
            what: "string table ends early".into(),
        };
        assert_eq!(
            error.to_string(),
            "damaged ELF file: string table ends early"
        );
        assert_eq!(error.area(), Area::Binary);
    }
}
