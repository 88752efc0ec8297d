//! Content fingerprints of source trees and files.
//!
//! Takes a folder, patterns and what is known from an earlier call; gives the files with their
//! digests, sorted by path, the same for any number of threads. Does not know of builds, of what a
//! change means, or where the knowledge is kept.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::path::{Component, Path, PathBuf};

use blake3::{Hash, Hasher};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::error::Error;
use crate::walk;

/// One fingerprinted file of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Path relative to the root, with `/` as separator.
    pub path: String,
    /// blake3 of the content; for a symbolic link, of its target's text.
    pub digest: Hash,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Whether the owner may execute the file.
    pub executable: bool,
    /// Target of a symbolic link.
    pub link: Option<String>,
}

/// What an earlier call found out about a file.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Digest of the content at that time.
    pub digest: Hash,
}

/// More threads than this only cost memory; the number comes from a user.
const MAX_THREADS: usize = 64;

/// The files of a source tree with their digests, sorted by path.
///
/// [`walk::files`] says which files these are.
///
/// # Errors
///
/// When the root is no folder, a pattern is invalid, a name is no text, or a file can't be read
/// or vanishes meanwhile. Of several failures the first by path is given.
pub fn tree(
    root: &Path,
    exclude: &[String],
    threads: Option<usize>,
    known: &HashMap<String, Known>,
) -> Result<Vec<Entry>, Error> {
    let metadata = fs::metadata(root).map_err(|cause| Error::read(root, cause))?;
    if !metadata.is_dir() {
        return Err(Error::WrongType {
            path: root.to_path_buf(),
            wanted: "folder",
        });
    }
    let pool = pool(threads)?;
    let mut paths = walk::files(root, exclude, pool.current_num_threads())?;
    // Sorted before the work too, so that the first failure is the same one each time.
    paths.sort_unstable();
    let entries = pool.install(|| {
        paths
            .par_iter()
            .map(|path| entry(root, path, known))
            .collect::<Vec<_>>()
    });
    let mut entries = entries
        .into_iter()
        .filter_map(Result::transpose)
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

/// Digests of the contents of files, in the given order. Symbolic links are followed.
///
/// # Errors
///
/// When one is no regular file or can't be read; of several the first in the given order.
pub fn files(paths: &[PathBuf], threads: Option<usize>) -> Result<Vec<Hash>, Error> {
    let digests = pool(threads)?.install(|| {
        paths
            .par_iter()
            .map(|path| {
                let metadata = fs::metadata(path).map_err(|cause| Error::read(path, cause))?;
                if !metadata.is_file() {
                    // Reading a pipe would wait for a writer.
                    return Err(Error::WrongType {
                        path: path.clone(),
                        wanted: "regular file",
                    });
                }
                digest(path, metadata.len())
            })
            .collect::<Vec<_>>()
    });
    digests.into_iter().collect()
}

/// Digest of bytes.
#[must_use]
pub fn bytes(data: &[u8]) -> Hash {
    blake3::hash(data)
}

fn pool(threads: Option<usize>) -> Result<ThreadPool, Error> {
    let builder = rayon::ThreadPoolBuilder::new();
    // Zero asks rayon for one thread per processor.
    let threads = threads.map_or(0, |threads| threads.clamp(1, MAX_THREADS));
    Ok(builder.num_threads(threads).build()?)
}

/// The entry of one path; None where a pipe or the like took the file's place since the walk.
fn entry(root: &Path, path: &Path, known: &HashMap<String, Known>) -> Result<Option<Entry>, Error> {
    let name = relative(root, path)?;
    let metadata = fs::symlink_metadata(path).map_err(|cause| Error::read(path, cause))?;
    let mtime_ns = mtime_ns(&metadata);
    if metadata.is_symlink() {
        let target = fs::read_link(path).map_err(|cause| Error::read(path, cause))?;
        let target = target.to_str().ok_or_else(|| Error::LinkTarget {
            path: path.to_path_buf(),
        })?;
        return Ok(Some(Entry {
            path: name,
            digest: bytes(target.as_bytes()),
            size: target.len() as u64,
            mtime_ns,
            executable: false,
            link: Some(target.to_owned()),
        }));
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    let size = metadata.len();
    let digest = match known.get(&name) {
        Some(known) if known.size == size && known.mtime_ns == mtime_ns => known.digest,
        _ => digest(path, size)?,
    };
    Ok(Some(Entry {
        path: name,
        digest,
        size,
        mtime_ns,
        executable: is_executable(&metadata),
        link: None,
    }))
}

fn relative(root: &Path, path: &Path) -> Result<String, Error> {
    let fail = || Error::Name {
        path: path.to_path_buf(),
    };
    let mut name = String::new();
    for component in path.strip_prefix(root).map_err(|_| fail())?.components() {
        let Component::Normal(part) = component else {
            return Err(fail());
        };
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(part.to_str().ok_or_else(fail)?);
    }
    Ok(name)
}

fn digest(path: &Path, size: u64) -> Result<Hash, Error> {
    let mut hasher = Hasher::new();
    let file = File::open(path).map_err(|cause| Error::read(path, cause))?;
    hasher
        .update_reader(file)
        .map_err(|cause| Error::read(path, cause))?;
    // The digest of a file that grows is that of no state it was ever in.
    if hasher.count() != size {
        return Err(Error::Changed {
            path: path.to_path_buf(),
        });
    }
    Ok(hasher.finalize())
}

#[cfg(unix)]
fn mtime_ns(metadata: &Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    metadata
        .mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(metadata.mtime_nsec())
}

#[cfg(not(unix))]
fn mtime_ns(metadata: &Metadata) -> i64 {
    let elapsed = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    elapsed.map_or(0, |elapsed| {
        i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
    })
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::walk::tests::Folder;

    impl Folder {
        fn tree(&self, exclude: &[&str]) -> Result<Vec<Entry>, Error> {
            let exclude = exclude.iter().map(ToString::to_string).collect::<Vec<_>>();
            tree(&self.0, &exclude, Some(2), &HashMap::new())
        }
    }

    #[test]
    fn known_files_are_not_read_and_changed_ones_are() {
        let folder = Folder::new(&[("a", "one"), ("b", "two")]);
        let entries = folder.tree(&[]).unwrap();
        assert_eq!(entries[0].digest, bytes(b"one"));
        let known = |mtime_ns| {
            let known = Known {
                size: 3,
                mtime_ns,
                digest: bytes(b"remembered"),
            };
            let known = HashMap::from([("a".to_owned(), known)]);
            tree(&folder.0, &[], None, &known).unwrap()[0].digest
        };
        assert_eq!(known(entries[0].mtime_ns), bytes(b"remembered"));
        assert_eq!(known(entries[0].mtime_ns + 1), bytes(b"one"));
    }

    #[test]
    fn the_answer_does_not_depend_on_the_number_of_threads() {
        let files = (0..200).map(|number| format!("d{}/f{number}", number % 7));
        let files = files.collect::<Vec<_>>();
        let files = files.iter().map(|name| (name.as_str(), name.as_str()));
        let folder = Folder::new(&files.collect::<Vec<_>>());
        let read = |threads| tree(&folder.0, &[], threads, &HashMap::new()).unwrap();
        let expected = read(Some(1));
        assert!(expected.is_sorted_by(|one, other| one.path < other.path));
        for threads in [None, Some(0), Some(3), Some(usize::MAX)] {
            assert_eq!(read(threads), expected);
        }
    }

    #[test]
    fn links_are_not_followed_and_modes_are_seen() {
        let folder = Folder::new(&[("real/file", "text")]);
        symlink("real", folder.0.join("to-folder")).unwrap();
        symlink("nowhere", folder.0.join("broken")).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.0.join("real/file"), mode).unwrap();
        let entries = folder.tree(&[]).unwrap();
        let seen = |entry: &Entry| (entry.path.clone(), entry.link.clone(), entry.executable);
        let expected = [
            ("broken".into(), Some("nowhere".into()), false),
            ("real/file".into(), None, true),
            ("to-folder".into(), Some("real".into()), false),
        ];
        assert_eq!(entries.iter().map(seen).collect::<Vec<_>>(), expected);
        assert_eq!((entries[0].digest, entries[0].size), (bytes(b"nowhere"), 7));
    }

    #[test]
    fn failures_name_the_path() {
        let folder = Folder::new(&[("a", "")]);
        let message = |path: &Path| {
            tree(path, &[], None, &HashMap::new())
                .unwrap_err()
                .to_string()
        };
        assert!(message(&folder.0.join("a")).ends_with("a is not a folder"));
        assert!(message(&folder.0.join("b")).contains("b: No such file"));
        // Some file systems (APFS) refuse such a name themselves.
        if fs::write(folder.0.join(OsStr::from_bytes(b"\xff")), "").is_ok() {
            assert!(message(&folder.0).starts_with("name is not valid UTF-8: "));
        }
        let error = folder.tree(&["{a"]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("invalid exclude pattern \"{a\"")
        );
    }

    #[test]
    fn a_file_that_vanishes_or_grows_is_named() {
        let folder = Folder::new(&[("a", "one")]);
        let path = folder.0.join("a");
        // The digest of a file whose size was another one when the walk saw it.
        let error = digest(&path, 2).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("a changed while it was being read")
        );
        fs::remove_file(&path).unwrap();
        let error = entry(&folder.0, &path, &HashMap::new()).unwrap_err();
        assert!(error.to_string().contains("a: No such file"));
    }

    #[test]
    fn digests_of_files_keep_their_order() {
        let folder = Folder::new(&[("a", "one"), ("b", "two")]);
        let paths = ["b", "a"].map(|name| folder.0.join(name));
        assert_eq!(files(&paths, None).unwrap(), [bytes(b"two"), bytes(b"one")]);
        let error = files(std::slice::from_ref(&folder.0), None).unwrap_err();
        assert!(error.to_string().ends_with("is not a regular file"));
    }
}
