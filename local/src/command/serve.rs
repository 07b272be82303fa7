//! `iocast serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use local::engines::clients::ACCESS_KEY;
use local::serve::{Options, Running, Storage, start};
use local::template::REGION;
use local::{DEFAULT_DATA, ready_file};

/// How to serve.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to answer; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder that keeps everything across restarts.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA, conflicts_with = "in_memory")]
    pub data: PathBuf,
    /// Keep nothing.
    #[arg(long)]
    pub in_memory: bool,
    /// Leave out the demonstration objects.
    #[arg(long)]
    pub no_demo: bool,
    /// Write address and keys as JSON to this file once every surface answers.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Serves until Ctrl-C or SIGTERM. Exit code 0, or 1 if it could not start.
pub async fn run(arguments: Arguments) -> ExitCode {
    match Box::pin(serve(arguments)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("iocast: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything starts, so that no signal is missed.
    let stopped = Signals::listen()?;
    let storage = if arguments.in_memory {
        Storage::InMemory
    } else {
        Storage::Folder(arguments.data.clone())
    };
    let options =
        Options { listen: arguments.listen, storage: storage.clone(), demo: !arguments.no_demo };
    let file = arguments.ready_file.as_deref();
    let failed = |error| format!("cannot write the ready file: {error}");
    file.map(ready_file::clear).transpose().map_err(failed)?;
    let running = start(options).await?;
    let ready = file.map(|file| ready_file::write(file, &running)).transpose().map_err(failed)?;
    say(&welcome(&running, &storage));
    stopped.wait().await;
    say("stopping\n");
    running.stop().await;
    if let Some(ready) = ready {
        ready.withdraw();
    }
    Ok(())
}

fn welcome(running: &Running, storage: &Storage) -> String {
    let Running { base_url, keys, demo_collection, demo_feed: feed, bucket, s3, .. } = running;
    let (kept_in, load) = match storage {
        Storage::InMemory => (
            "nowhere, it is forgotten at the end".to_owned(),
            format!("iocast load --url {base_url} --key {} FILE", keys.writer),
        ),
        Storage::Folder(folder) if folder == Path::new(DEFAULT_DATA) => {
            (DEFAULT_DATA.to_owned(), "iocast load FILE".to_owned())
        }
        Storage::Folder(folder) => {
            let folder = folder.display();
            (folder.to_string(), format!("iocast load --data {folder} FILE"))
        }
    };
    format!(
        "iocast answers at {base_url}

  data         {kept_in}
  admin key    {admin}
  writer key   {writer}
  reader key   {reader}
  collection   {demo_collection} (demo)
  inbox        s3://{bucket}/inbox/

Try it:
  curl -s -H 'X-API-Key: {reader}' '{base_url}/taxii2/intel/collections/{demo_collection}/objects/?limit=2'
{feed}Load a file:
  {load}
Or put it into the inbox, which writes as the operator:
  AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={region} \\
    aws s3 cp FILE s3://{bucket}/inbox/ --endpoint-url http://{s3}
Stop with Ctrl-C.
",
        feed = feed.map_or_else(String::new, |name| format!(
            "  curl -s -H 'X-API-Key: {}' {base_url}/feeds/{name}.csv\n",
            keys.reader
        )),
        id = ACCESS_KEY,
        secret = s3.secret,
        region = REGION,
        s3 = s3.address,
        admin = keys.admin,
        writer = keys.writer,
        reader = keys.reader,
    )
}

/// Who closed standard output does not want to know.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
