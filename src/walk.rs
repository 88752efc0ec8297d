//! Which files a source tree consists of.
//!
//! Takes a folder and further patterns, gives paths. Does not read the files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{WalkBuilder, WalkState};

use crate::error::Error;

/// Paths of the files and links below the root, in no order.
///
/// Follows `.gitignore` files and `.git/info/exclude`; neither `.ignore` files nor the user's global
/// excludes. In a git checkout the rules of the folders above the root count too, up to the
/// checkout's own; and a nested repository follows its own rules alone, as git does inside of it.
/// Sockets, pipes and devices are left out, as by git.
///
/// # Errors
///
/// When a pattern is invalid or a folder can't be read; of several the first by its message.
pub(crate) fn files(
    root: &Path,
    exclude: &[String],
    threads: usize,
) -> Result<Vec<PathBuf>, Error> {
    let excluded = Arc::new(patterns(root, exclude)?);
    let found = Mutex::new((Vec::new(), Vec::new()));
    let in_repository = is_in_repository(root);
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .require_git(in_repository)
        .parents(in_repository)
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

/// Whether the root is, or lies in, a git checkout.
///
/// There, `ignore` keeps to the borders of repositories: rules count from the enclosing root on,
/// and not inside a nested one. Elsewhere it knows no borders, hence only the rules in the tree may
/// count: a `.gitignore` in the home folder, where some keep their settings under git with `*` as
/// only pattern, must not empty every project below it.
fn is_in_repository(root: &Path) -> bool {
    root.canonicalize()
        .is_ok_and(|root| root.ancestors().any(|folder| folder.join(".git").exists()))
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

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A folder that is removed in the end.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new(files: &[(&str, &str)]) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("wheelworks-{}-{count}", std::process::id());
            let folder = Self(std::env::temp_dir().join(name));
            for (path, content) in files {
                folder.write(path, content);
            }
            folder
        }

        pub(crate) fn write(&self, path: &str, content: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn names(folder: &Folder, exclude: &[&str]) -> Vec<String> {
        let exclude = exclude.iter().map(ToString::to_string).collect::<Vec<_>>();
        let paths = files(&folder.0, &exclude, 2).unwrap();
        let names = paths.iter().map(|path| {
            let name = path.strip_prefix(&folder.0).unwrap();
            name.to_str().unwrap().replace('\\', "/")
        });
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        names
    }

    #[test]
    fn ignored_files_and_git_itself_are_left_out() {
        let folder = Folder::new(&[
            (".gitignore", "*.so\n/target/\n!keep.so\n"),
            (".git/HEAD", "ref"),
            (".hidden/x", ""),
            (".ignore", "src"),
            ("target/out", ""),
            ("src/target/in", ""),
            ("src/a.so", ""),
            ("src/keep.so", ""),
            ("vendor/.git/HEAD", "ref"),
            ("vendor/b.so", ""),
        ]);
        let expected = [
            ".gitignore",
            ".hidden/x",
            ".ignore",
            "src/keep.so",
            "src/target/in",
            "vendor/b.so",
        ];
        assert_eq!(names(&folder, &[]), expected);
        fs::remove_dir_all(folder.0.join(".git")).unwrap();
        // Without a repository around them, nested ones are folders as others.
        assert_eq!(names(&folder, &[]), expected[..5]);
        folder.write(".git/HEAD", "ref");
        let some = names(&folder, &["*.so", "/src/target/", ".hidden", "!b.so"]);
        assert_eq!(some, [".gitignore", ".ignore", "vendor/b.so"]);
    }

    #[test]
    fn ignore_rules_above_the_root_count_only_inside_a_repository() {
        let folder = Folder::new(&[(".gitignore", "*\n"), ("project/a", "")]);
        let project = folder.0.join("project");
        let names = || files(&project, &[], 1).unwrap().len();
        assert_eq!(names(), 1);
        folder.write(".git/HEAD", "ref");
        assert_eq!(names(), 0);
        folder.write("project/.git/HEAD", "ref");
        assert_eq!(names(), 1);
    }
}
