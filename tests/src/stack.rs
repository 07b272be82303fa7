//! The template as a stack in an emulator of AWS, with the real binaries behind it. The emulator
//! enforces roles: what a role does not allow is refused.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use local::engines::clients;
use local::engines::s3::Access;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::client::{Client, Request};
use crate::patience::until;
use crate::{binaries, python};

/// What the emulator is asked to be.
const SERVICES: &str = "apigateway,cloudformation,cloudwatch,dynamodb,dynamodbstreams,events,iam,\
    kms,lambda,logs,s3,secretsmanager,sqs,sts";
/// Any will do.
const SECRET: &str = "secret";
/// The name of the stack.
pub const NAME: &str = "iocast";

/// An account of AWS, as far as `ministack` goes. It is killed when dropped.
pub struct Emulator {
    port: u16,
    folder: TempDir,
    process: Child,
}

impl Emulator {
    /// Everything a stack of ours needs. It refuses what no policy allows.
    pub async fn of_stacks() -> Self {
        Self::start(SERVICES, true).await
    }

    /// Tables and their streams, and nothing else.
    pub async fn of_tables() -> Self {
        Self::start("dynamodb,dynamodbstreams", false).await
    }

    async fn start(services: &str, roles: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(python::stack());
        command
            .args(["-m", "ministack"])
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", services)
            .env("AUTH", roles.to_string())
            .env("S3_DATA_DIR", folder.path().join("s3"))
            .env("TMPDIR", folder.path())
            .envs(environment(port))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // With it end the functions that it started.
            .process_group(0)
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        until("ministack listens", async || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "ministack ended: {ended:?}");
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self { port, folder, process }
    }

    /// Where every service is.
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// The same as an address.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// How its S3 is used.
    pub fn s3(&self) -> Access {
        Access { address: self.address(), secret: SECRET.to_owned() }
    }

    /// What a program's environment has to say to reach it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(self.port).into()
    }

    /// What it printed, the functions' logs included.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn environment(port: u16) -> [(String, String); 5] {
    [
        ("AWS_ENDPOINT_URL", &*endpoint(port)),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        // Who the emulator takes for the account itself.
        ("AWS_ACCESS_KEY_ID", clients::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(id) = self.process.id() {
            let group = format!("-{id}");
            let _ = std::process::Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    }
}

/// The deployed template.
pub struct Stack {
    /// Where it is deployed.
    pub emulator: Emulator,
    outputs: Value,
    resources: Value,
}

impl Stack {
    /// Deploys the template with this build's binaries.
    pub async fn create() -> Self {
        let emulator = Emulator::of_stacks().await;
        let folder = binaries::path("iocast").parent().unwrap().to_owned();
        let template = binaries::workspace().join("infra/template.yaml");
        let mut command = Command::new(python::stack());
        let command = command
            .arg(python::script("deploy.py"))
            .arg(emulator.endpoint())
            .args([&template, &folder])
            .arg(NAME)
            .envs(emulator.environment())
            .kill_on_drop(true);
        let output = command.output().await.unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "not deployed: {messages}\n{}", emulator.log());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        Self { emulator, outputs: told["outputs"].clone(), resources: told["resources"].clone() }
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("no output {name}: {}", self.outputs))
    }

    /// What a resource of the template is called there.
    pub fn resource(&self, logical_id: &str) -> &str {
        self.resources[logical_id].as_str().unwrap_or_else(|| panic!("no resource {logical_id}"))
    }

    /// A request to the API.
    pub fn request(&self, key: &str, method: &str, path: &str) -> Request {
        self.request_to("BaseUrl", key, method, path)
    }

    /// A request to the function URL of live streams.
    pub fn stream(&self, key: &str, path: &str) -> Request {
        self.request_to("StreamUrl", key, "GET", path)
    }

    /// All hosts are names of the emulator, which nobody but it knows.
    fn request_to(&self, output: &str, key: &str, method: &str, path: &str) -> Request {
        let url = self.output(output);
        let host = url.split('/').nth(2).unwrap().split(':').next().unwrap().to_owned();
        let client = Client::http(&self.emulator.endpoint()).with_key(key);
        client.request(method, path).header("host", &host)
    }
}
