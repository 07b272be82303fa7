//! Files that are either the old or the new, never half of one.

use std::io::{self, Write};
use std::path::Path;

/// Puts `bytes` into `file` by way of a temporary file beside it, readable as new files are.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    put(file, bytes, 0o644)
}

/// The same, readable by nobody but the owner.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    put(file, bytes, 0o600)
}

fn put(file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut temporary = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    temporary.write_all(bytes)?;
    temporary.flush()?;
    set_mode(temporary.as_file(), mode)?;
    temporary.persist(file).map(drop).map_err(|error| error.error)
}

#[cfg(unix)]
fn set_mode(file: &std::fs::File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &std::fs::File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        write_private(&file, b"1").unwrap();
        write_private(&file, b"2").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"2");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
