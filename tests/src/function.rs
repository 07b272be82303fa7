//! A function's real binary, running against our Runtime API.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::binaries;
use crate::client::{Answer, Request};
use crate::gateway_event;
use crate::runtime_api::{Outcome, RuntimeApi, Streamed};

/// A running function. It is killed when dropped.
pub struct Function {
    runtime: RuntimeApi,
    printed: Arc<Mutex<String>>,
    started: Instant,
    process: Child,
}

impl Function {
    /// Starts the binary `name` as Lambda does, with `environment` beside Lambda's own variables.
    pub async fn start(name: &str, environment: &[(String, String)]) -> Self {
        Self::start_program(&binaries::path(name), name, environment).await
    }

    /// The same, of the binary at `program`.
    pub async fn start_program(
        program: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Self {
        Self::run(Command::new(program), name, environment).await
    }

    /// The same, but as a member of the control group whose list of members is at `members`: a
    /// shell joins it and becomes the function. The shell's millisecond counts as the function's.
    pub async fn start_within(
        members: &Path,
        program: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "echo $$ > \"$0\" && exec \"$1\""]).args([members, program]);
        Self::run(shell, name, environment).await
    }

    async fn run(mut command: Command, name: &str, environment: &[(String, String)]) -> Self {
        let runtime = RuntimeApi::start().await;
        let started = Instant::now();
        let mut process = command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start the function {name}: {error}"));
        let printed = Arc::new(Mutex::new(String::new()));
        let (output, kept) = (process.stdout.take().unwrap(), printed.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { runtime, printed, started, process }
    }

    /// The time from its start until it asked for its first event.
    pub async fn cold_start(&self) -> Duration {
        self.runtime.first_poll().await.duration_since(self.started)
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.id().expect("the function runs")
    }

    /// What the function printed so far: its log, and its metrics.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Invokes the function with any event: a stream's records, a bucket's notification.
    ///
    /// # Errors
    /// The error the function reported, as it spelt it.
    pub async fn invoke(&self, event: &serde_json::Value) -> Outcome {
        self.runtime.invoke(event.to_string()).await
    }

    /// Asks a function that streams, until it begins to answer.
    ///
    /// # Errors
    /// The error the function reported, or that it does not stream.
    pub async fn stream(&self, request: &Request) -> Result<Streamed, String> {
        self.runtime.invoke_streaming(gateway_event::event(request).to_string()).await
    }

    /// Asks the function what an HTTP request is to be answered.
    pub async fn answer(&self, request: Request, what: String) -> Answer {
        let event = gateway_event::event(&request);
        match self.invoke(&event).await {
            Ok(returned) => gateway_event::answer(what, &returned),
            Err(error) => panic!("{what}: the function reported an error: {error}"),
        }
    }
}
