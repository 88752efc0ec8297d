//! Content fingerprints of source trees and files.
//!
//! Takes a folder, patterns and what is known from an earlier call; gives the files with their
//! digests, sorted by path, the same for any number of threads. Does not know of builds, of what a
//! change means, or where the knowledge is kept.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use blake3::{Hash, Hasher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{WalkBuilder, WalkState};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::error::Error;

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
/// Follows `.gitignore` files (with those of the folders above, up to the enclosing repository's
/// root) and `.git/info/exclude`; neither `.ignore` files nor the user's global excludes. A folder
/// with a `.git` of its own follows its own rules alone, as git does inside of it. Sockets, pipes
/// and devices are left out, as by git.
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
    let excluded = patterns(root, exclude)?;
    let pool = pool(threads)?;
    let mut paths = walk(root, excluded, pool.current_num_threads())?;
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

fn patterns(root: &Path, exclude: &[String]) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new(root);
    let mut add = |pattern: &String| -> Result<(), ignore::Error> {
        builder.add_line(None, pattern)?;
        Ok(())
    };
    for pattern in exclude {
        add(pattern).map_err(|cause| Error::Pattern {
            pattern: pattern.clone(),
            cause,
        })?;
    }
    builder.build().map_err(|cause| Error::Pattern {
        pattern: exclude.join(" "),
        cause,
    })
}

/// Paths of the files and links below the root, in no order.
fn walk(root: &Path, excluded: Gitignore, threads: usize) -> Result<Vec<PathBuf>, Error> {
    let found = Mutex::new((Vec::new(), Vec::new()));
    let excluded = Arc::new(excluded);
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .require_git(false)
        .parents(is_inside_repository(root))
        .follow_links(false)
        .threads(threads)
        .filter_entry(move |entry| {
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0
                || (entry.file_name() != ".git"
                    && !excluded.matched(entry.path(), is_dir).is_ignore())
        })
        .build_parallel();
    walker.run(|| {
        Box::new(|item| {
            let is_wanted = |entry: &ignore::DirEntry| {
                let kind = entry.file_type();
                kind.is_some_and(|kind| kind.is_file() || kind.is_symlink())
            };
            match item {
                Ok(entry) if entry.depth() > 0 && is_wanted(&entry) => {
                    lock(&found).0.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => lock(&found).1.push(walk_error(root, error)),
            }
            WalkState::Continue
        })
    });
    let (paths, errors) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    match errors.into_iter().min_by_key(ToString::to_string) {
        Some(error) => Err(error),
        None => Ok(paths),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a folder above the root is a git checkout that the root belongs to.
///
/// Only then may `.gitignore` files above the root count: one in the home folder, where some keep
/// their settings under git with `*` as only pattern, must not empty every project below it. (It
/// does for a project that lies in that checkout and is none itself, and so it is for git.)
fn is_inside_repository(root: &Path) -> bool {
    let Ok(root) = root.canonicalize() else {
        return false;
    };
    !root.join(".git").exists()
        && root
            .ancestors()
            .skip(1)
            .any(|above| above.join(".git").exists())
}

fn walk_error(root: &Path, error: ignore::Error) -> Error {
    let mut path = root.to_path_buf();
    let mut error = error;
    loop {
        error = match error {
            ignore::Error::WithPath { path: at, err } => {
                path = at;
                *err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                *err
            }
            ignore::Error::Io(cause) => return Error::read(&path, cause),
            other => return Error::read(&path, io::Error::other(other.to_string())),
        };
    }
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
