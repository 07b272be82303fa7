//! The folder a service keeps everything in, and the lock that lets one service use it at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::TempDir;
use thiserror::Error;
use uuid::Uuid;

use crate::atomic_file;
use crate::engines::EngineError;
use crate::engines::dynamodb::{Requests, Socket};
use crate::engines::s3::Access;

/// Where a service keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In a temporary folder that goes when the service stops.
    InMemory,
    /// In this folder, made if it is not there.
    Folder(PathBuf),
}

/// A folder in use by this process.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    // Held for as long as the folder is in use.
    _lock: File,
    temporary: Option<TempDir>,
}

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum DataFolderError {
    /// Somebody else uses it.
    #[error(
        "{0} is in use by another iocast: stop that one, or give this one another folder with \
         --data, or --in-memory"
    )]
    InUse(PathBuf),
    /// Another version of this program wrote it.
    #[error(
        "{0} was written by another version of iocast, which kept its data in another form: give \
         another folder with --data, or remove this one"
    )]
    OtherLayout(PathBuf),
    /// It cannot be made or written to.
    #[error("cannot use the data folder {folder}: {source}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DataFolder {
    /// Takes a folder into use.
    ///
    /// # Errors
    /// When another process has it, or it cannot be written to.
    pub fn open(storage: &Storage) -> Result<Self, DataFolderError> {
        match storage {
            Storage::Folder(root) => Self::lock(root.clone(), None),
            Storage::InMemory => {
                let temporary = tempfile::Builder::new().prefix("iocast-").tempdir();
                let temporary = temporary.map_err(|source| DataFolderError::Io {
                    folder: std::env::temp_dir(),
                    source,
                })?;
                Self::lock(temporary.path().to_owned(), Some(temporary))
            }
        }
    }

    fn lock(root: PathBuf, temporary: Option<TempDir>) -> Result<Self, DataFolderError> {
        let failed = |source| DataFolderError::Io { folder: root.clone(), source };
        make_private(&root).map_err(failed)?;
        let lock = File::create(root.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataFolderError::InUse(root)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if !has_own_layout(&root).map_err(failed)? {
            return Err(DataFolderError::OtherLayout(root));
        }
        Ok(Self { root, _lock: lock, temporary })
    }

    /// Whether it goes when the service stops.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The `DynamoDB` engine's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join(DATABASE)
    }

    /// The S3 engine's folder, one sub-folder a bucket.
    #[must_use]
    pub fn buckets(&self) -> PathBuf {
        self.root.join("s3")
    }

    /// Events that could not be worked off.
    #[must_use]
    pub fn parked(&self) -> PathBuf {
        self.root.join("parked")
    }

    /// How far a function has worked off a table's stream.
    #[must_use]
    pub fn checkpoint(&self, table: &str, function: &str) -> PathBuf {
        self.root.join(format!("stream-{table}-{function}"))
    }

    /// The keys, readable by the owner only.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join(KEYS)
    }

    /// The secret of the S3 engine, made at the first start and readable by the owner only.
    ///
    /// # Errors
    /// When it can be neither read nor kept.
    pub fn bucket_secret(&self) -> Result<String, EngineError> {
        let file = self.root.join(BUCKET_SECRET);
        let failed = |source| EngineError::io("S3 engine", &file.display(), source);
        match std::fs::read_to_string(&file) {
            Ok(secret) => return Ok(secret),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Err(_) => {}
        }
        let secret =
            [Uuid::new_v4(), Uuid::new_v4()].map(|half| half.simple().to_string()).concat();
        atomic_file::write_private(&file, secret.as_bytes()).map_err(failed)?;
        Ok(secret)
    }

    /// Opens the socket through which `publish` reaches the `DynamoDB` engine. Without one, which is
    /// logged, everything but `publish` works.
    #[must_use]
    pub fn open_socket(&self, engine: Requests) -> Option<Socket> {
        let opened = Socket::open(&self.root.join(SOCKET), engine);
        opened.inspect_err(|error| tracing::warn!(%error, "iocast publish cannot be used")).ok()
    }

    /// Notes where the service answers, for `load`, and where its bucket is, for `publish`.
    pub fn announce(&self, base_url: &str, s3: SocketAddr) {
        let announcement = serde_json::json!({ "base_url": base_url, "s3": s3 });
        let announcement = announcement.to_string();
        let file = self.root.join(SERVICE);
        if let Err(error) = atomic_file::write(&file, announcement.as_bytes()) {
            tracing::warn!(%error, file = %file.display(), "cannot note the service's address");
        }
    }

    /// Takes the note back.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(self.root.join(SERVICE));
    }
}

/// The form of what a folder holds. It changes with the stored form of anything, so that data of
/// another version is refused and never misread.
const LAYOUT: &str = "2";
const LAYOUT_FILE: &str = "layout";
const DATABASE: &str = "dynamodb.sqlite";
const KEYS: &str = "keys.json";
const SERVICE: &str = "service.json";
const BUCKET_SECRET: &str = "bucket-secret";
const SOCKET: &str = "dynamodb.sock";

/// What a running service left in its folder for the command line of the same machine.
#[derive(Debug, Default)]
pub struct Announced {
    /// Where it answers.
    pub base_url: Option<String>,
    /// The key to write with.
    pub writer_key: Option<String>,
    /// The operator's key.
    pub admin_key: Option<String>,
    /// How its S3 engine is used.
    pub s3: Option<Access>,
    /// The socket of its `DynamoDB` engine.
    pub socket: Option<PathBuf>,
}

/// Looks into a folder that a service may be using.
#[must_use]
pub fn announced(folder: &Path) -> Announced {
    #[derive(Deserialize)]
    struct Note {
        base_url: Option<String>,
        writer_key: Option<String>,
        admin_key: Option<String>,
        s3: Option<SocketAddr>,
    }
    let read = |name: &str| {
        let text = std::fs::read(folder.join(name)).ok()?;
        serde_json::from_slice::<Note>(&text).ok()
    };
    let (keys, service) = (read(KEYS), read(SERVICE));
    let secret = std::fs::read_to_string(folder.join(BUCKET_SECRET)).ok();
    let address = service.as_ref().and_then(|note| note.s3);
    Announced {
        s3: address.zip(secret).map(|(address, secret)| Access { address, secret }),
        socket: Some(folder.join(SOCKET)).filter(|socket| socket.exists()),
        base_url: service.and_then(|note| note.base_url),
        writer_key: keys.as_ref().and_then(|note| note.writer_key.clone()),
        admin_key: keys.and_then(|note| note.admin_key),
    }
}

/// Whether this version can read the folder; a new folder is marked as its own.
fn has_own_layout(root: &Path) -> io::Result<bool> {
    let file = root.join(LAYOUT_FILE);
    match std::fs::read_to_string(&file) {
        Ok(layout) => Ok(layout == LAYOUT),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // The first version wrote no mark.
        Err(_) if root.join(DATABASE).exists() => Ok(false),
        Err(_) => atomic_file::write(&file, LAYOUT.as_bytes()).map(|()| true),
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_one_service() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::Folder(folder.path().join("data"));
        let first = DataFolder::open(&storage).unwrap();
        let second = DataFolder::open(&storage).unwrap_err();
        assert!(second.to_string().contains("in use by another iocast"));
        drop(first);
        assert!(DataFolder::open(&storage).is_ok());
    }

    #[test]
    fn a_temporary_folder_goes() {
        let data = DataFolder::open(&Storage::InMemory).unwrap();
        let root = data.root().to_owned();
        assert!(data.is_temporary() && root.exists());
        drop(data);
        assert!(!root.exists());
    }

    #[test]
    fn a_folder_of_another_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || DataFolder::open(&Storage::Folder(folder.path().to_owned()));
        drop(open().unwrap());
        drop(open().unwrap());
        std::fs::write(folder.path().join(LAYOUT_FILE), "1").unwrap();
        assert!(matches!(open(), Err(DataFolderError::OtherLayout(_))));
        std::fs::remove_file(folder.path().join(LAYOUT_FILE)).unwrap();
        std::fs::write(folder.path().join(DATABASE), "").unwrap();
        assert!(matches!(open(), Err(DataFolderError::OtherLayout(_))));
    }

    #[test]
    fn the_command_line_finds_the_service() {
        let folder = tempfile::tempdir().unwrap();
        let found = announced(folder.path());
        assert!(found.base_url.is_none() && found.s3.is_none() && found.socket.is_none());
        let data = DataFolder::open(&Storage::Folder(folder.path().to_owned())).unwrap();
        let secret = data.bucket_secret().unwrap();
        assert_eq!((secret.len(), data.bucket_secret().unwrap()), (64, secret.clone()));
        let address = SocketAddr::from(([127, 0, 0, 1], 3));
        data.announce("http://127.0.0.1:1", address);
        std::fs::write(data.keys(), r#"{"writer_key":"k","admin_key":"a"}"#).unwrap();
        let found = announced(folder.path());
        assert_eq!(found.base_url.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(found.writer_key.as_deref(), Some("k"));
        let s3 = found.s3.unwrap();
        assert_eq!((s3.address, s3.secret), (address, secret));
        assert_eq!(found.admin_key.as_deref(), Some("a"));
        data.withdraw();
        assert_eq!(announced(folder.path()).base_url, None);
    }
}
