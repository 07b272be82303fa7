//! The real `iocast` binary: `serve` as a process that can be killed, and `load`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use local::engines::clients;
use local::engines::s3::Access;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::binaries;
use crate::client::Client;
use crate::patience::until;

/// What `--ready-file` said.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The address, without a final slash.
    pub base_url: String,
    /// The operator's key.
    pub admin_key: String,
    /// A key that may write to the demonstration collection.
    pub writer_key: String,
    /// A key with all read scopes.
    pub reader_key: String,
    /// The id of the demonstration collection; none with `--no-demo`.
    pub demo_collection: Option<String>,
    /// The bucket whose `inbox/` takes files.
    pub bucket: String,
    /// How S3 is used.
    pub s3: Access,
}

impl Ready {
    /// Reads the file's JSON.
    pub fn of(json: &Value) -> Self {
        let text = |name: &str| json[name].as_str().map(ToOwned::to_owned);
        let must = |name: &str| text(name).unwrap_or_else(|| panic!("no {name} in {json}"));
        Self {
            base_url: must("base_url"),
            admin_key: must("admin_key"),
            writer_key: must("writer_key"),
            reader_key: must("reader_key"),
            demo_collection: text("demo_collection"),
            bucket: must("bucket"),
            s3: Access {
                address: must("s3_endpoint").trim_start_matches("http://").parse().unwrap(),
                secret: must("aws_secret_access_key"),
            },
        }
    }
}

/// A running `iocast serve`. It is killed when dropped.
pub struct Service {
    process: Child,
    /// What the ready file said.
    pub ready: Ready,
    _folder: TempDir,
}

impl Service {
    /// Starts `iocast serve --listen 127.0.0.1:0 …` and waits until every surface answers.
    pub async fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        Self::start_with(arguments, |_| {}).await
    }

    /// The same, with everything it has to say in its log, which goes to a file.
    pub async fn start_logging_to<A: AsRef<OsStr>>(arguments: &[A], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        Self::start_with(arguments, |command| {
            command.env("RUST_LOG", "trace").stderr(log);
        })
        .await
    }

    /// The same, with a variable of its environment.
    pub async fn start_set<A: AsRef<OsStr>>(arguments: &[A], name: &str, value: &str) -> Self {
        Self::start_with(arguments, |command| {
            command.env(name, value);
        })
        .await
    }

    async fn start_with<A: AsRef<OsStr>>(
        arguments: &[A],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let mut command = Command::new(binaries::path("iocast"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&file)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        change(&mut command);
        let mut process = command.spawn().unwrap();
        let ready = until("iocast serve writes its ready file", async || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "iocast serve ended: {ended:?}");
            let text = std::fs::read_to_string(&file).ok()?;
            Some(Ready::of(&serde_json::from_str(&text).expect("the ready file is JSON, whole")))
        })
        .await;
        Self { process, ready, _folder: folder }
    }

    /// A client with one of its keys.
    pub fn client(&self, key: &str) -> Client {
        Client::http(&self.ready.base_url).with_key(key)
    }

    /// The way into its bucket.
    pub fn inbox(&self) -> Inbox {
        Inbox { s3: self.ready.s3.clone(), bucket: self.ready.bucket.clone() }
    }

    /// Memory the process holds, in KiB.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id().expect("it runs"));
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The TCP ports at which the process listens, in order.
    pub fn ports(&self) -> Vec<u16> {
        let process = PathBuf::from(format!("/proc/{}", self.process.id().expect("it runs")));
        let open = std::fs::read_dir(process.join("fd")).unwrap();
        let open: Vec<String> = open
            .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
            .map(|target| target.to_string_lossy().into_owned())
            .collect();
        let sockets = std::fs::read_to_string(process.join("net/tcp")).unwrap();
        let mut ports: Vec<u16> = sockets
            .lines()
            .skip(1)
            .filter_map(|line| {
                let parts: Vec<&str> = line.split_whitespace().collect();
                let (_, port) = parts[1].rsplit_once(':')?;
                // State 0A: listening.
                let own = parts[3] == "0A" && open.contains(&format!("socket:[{}]", parts[9]));
                own.then(|| u16::from_str_radix(port, 16).unwrap())
            })
            .collect();
        ports.sort_unstable();
        ports
    }

    /// Asks the process to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        let id = self.process.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -INT {id}");
    }

    /// Kills the process (SIGKILL) and waits until it is gone.
    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Kills the process and returns all that it printed.
    pub async fn kill_and_read_output(mut self) -> String {
        self.process.kill().await.unwrap();
        let mut printed = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut printed).await.unwrap();
        printed
    }
}

/// The bucket of a running service.
pub struct Inbox {
    s3: Access,
    bucket: String,
}

impl Inbox {
    /// The bucket of this name.
    pub fn of(s3: Access, bucket: &str) -> Self {
        Self { s3, bucket: bucket.to_owned() }
    }

    /// Puts a file.
    ///
    /// # Errors
    /// Why it is not known to be there.
    pub async fn put(&self, key: &str, content: impl Into<Vec<u8>>) -> Result<(), String> {
        let client = clients::s3(&self.s3, &clients::http());
        let put = client.put_object().bucket(&self.bucket).key(key);
        let sent = put.body(content.into().into()).send().await;
        sent.map(drop).map_err(|error| format!("{key}: {error:?}"))
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed as messages and progress.
    pub stderr: String,
}

impl Ended {
    /// What `load --json` printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("load --json printed no JSON ({error}): {self:?}"))
    }
}

/// Runs `iocast` with arguments until it ends.
pub async fn iocast<A: AsRef<OsStr>>(arguments: &[A]) -> Ended {
    iocast_with(arguments, &[]).await
}

/// Runs `iocast` with arguments and variables of its environment until it ends.
pub async fn iocast_with<A: AsRef<OsStr>>(
    arguments: &[A],
    environment: &[(String, String)],
) -> Ended {
    let output = Command::new(binaries::path("iocast"))
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `iocast load FILE… --url U --key K --json`.
pub async fn load(files: &[PathBuf], base_url: &str, key: &str) -> Ended {
    let mut arguments: Vec<&OsStr> = vec!["load".as_ref()];
    arguments.extend(files.iter().map(|file| file.as_os_str()));
    arguments.extend(["--url", base_url, "--key", key, "--json"].map(OsStr::new));
    iocast(&arguments).await
}

/// Writes a file into a folder and returns its path.
pub fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
