//! The files of an edition, written side by side from its records.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use shared::feed::{Banner, Feed, File, PublishedFile, Record, Renderer};
use shared::store::{Store, Upload};

use crate::error::PublishError;
use crate::progress::Progress;
use crate::publish::STATE;
use crate::spool::Spool;

/// Bytes of a file gathered before they are handed on.
const PIECE: usize = 256 << 10;

/// Writes the files of edition `id`, and its state. What was begun is taken back if that fails.
pub async fn write(
    store: &Store,
    feed: &Feed,
    id: &str,
    records: &Spool,
    banner: &Banner,
    progress: &Progress,
) -> Result<Vec<PublishedFile>, PublishError> {
    let mut outputs: Vec<Output> =
        File::of(&feed.settings).map(|file| Output::new(store, feed, id, file)).collect();
    if let Err(error) = fill(&mut outputs, records, banner, progress).await {
        for output in outputs {
            output.upload.abandon().await;
        }
        return Err(error);
    }
    let mut files = Vec::with_capacity(outputs.len());
    for output in outputs {
        let file = output.finish().await?;
        progress.add_bytes(file.bytes);
        files.push(file);
    }
    write_state(store, feed, id, records).await?;
    Ok(files)
}

async fn fill(
    outputs: &mut [Output],
    records: &Spool,
    banner: &Banner,
    progress: &Progress,
) -> Result<(), PublishError> {
    for output in &mut *outputs {
        output.begin(banner)?;
    }
    for frame in records.frames()? {
        let record = frame?.record()?;
        for output in &mut *outputs {
            output.record(&record).await?;
        }
        progress.add_written();
    }
    for output in outputs {
        output.end().await?;
    }
    Ok(())
}

async fn write_state(
    store: &Store,
    feed: &Feed,
    id: &str,
    records: &Spool,
) -> Result<(), PublishError> {
    let mut upload = store.upload_feed_file(feed.id, id, STATE, "application/zstd");
    let mut file = records.raw()?;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        if Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece)? == 0 {
            break;
        }
        if let Err(error) = upload.push(&mut piece).await {
            upload.abandon().await;
            return Err(error.into());
        }
    }
    upload.finish().await?;
    Ok(())
}

struct Output {
    file: File,
    renderer: Renderer,
    /// What was rendered and not handed on.
    rendered: Vec<u8>,
    packer: Option<GzEncoder<Vec<u8>>>,
    digest: Sha256,
    upload: Upload,
}

impl Output {
    fn new(store: &Store, feed: &Feed, id: &str, file: File) -> Self {
        let content_type = file.content_type(&feed.settings);
        let packs = file == File::CsvGz;
        Self {
            file,
            renderer: Renderer::new(file, feed),
            rendered: Vec::new(),
            packer: packs.then(|| GzEncoder::new(Vec::new(), Compression::default())),
            digest: Sha256::new(),
            upload: store.upload_feed_file(feed.id, id, file.suffix(), content_type),
        }
    }

    fn begin(&mut self, banner: &Banner) -> Result<(), PublishError> {
        self.renderer.begin(banner, &mut self.rendered);
        self.pack()
    }

    async fn record(&mut self, record: &Record) -> Result<(), PublishError> {
        self.renderer.record(record, &mut self.rendered);
        if self.rendered.len() >= PIECE { self.hand_on().await } else { Ok(()) }
    }

    async fn end(&mut self) -> Result<(), PublishError> {
        self.renderer.end(&mut self.rendered);
        self.pack()?;
        if let Some(packer) = &mut self.packer {
            packer.try_finish()?;
        }
        self.hand_on().await
    }

    fn pack(&mut self) -> Result<(), PublishError> {
        if let Some(packer) = &mut self.packer {
            packer.write_all(&self.rendered)?;
            self.rendered.clear();
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<(), PublishError> {
        self.pack()?;
        let piece = match &mut self.packer {
            Some(packer) => packer.get_mut(),
            None => &mut self.rendered,
        };
        self.digest.update(&piece);
        self.upload.push(piece).await?;
        Ok(())
    }

    async fn finish(self) -> Result<PublishedFile, PublishError> {
        let sha256 = format!("{:x}", self.digest.finalize());
        let rows = self.renderer.rows();
        let bytes = self.upload.finish().await?;
        Ok(PublishedFile { file: self.file, bytes, rows, sha256 })
    }
}
