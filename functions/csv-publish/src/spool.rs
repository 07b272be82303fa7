//! Frames in a temporary file, compressed: too many for memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use shared::feed::Frame;
use zstd::stream::{read, write};

use crate::error::PublishError;

/// Objects are smaller, and so are what is made of them.
const MAX_FRAME: usize = 64 << 20;

/// How hard to compress: the state is written each time and kept, runs are read once.
#[derive(Clone, Copy, Debug)]
pub enum Effort {
    /// For a run of the sorter.
    Little,
    /// For the state of an edition.
    Some,
}

/// Frames being written to a file.
pub struct SpoolWriter {
    encoder: write::Encoder<'static, BufWriter<File>>,
}

/// Frames in a file without a name: it goes with the process, however that ends.
#[derive(Debug)]
pub struct Spool(File);

/// Reads the frames of a file in order.
pub struct SpoolReader {
    decoder: read::Decoder<'static, BufReader<File>>,
}

impl SpoolWriter {
    /// A new file.
    pub fn new(effort: Effort) -> io::Result<Self> {
        let level = match effort {
            Effort::Little => 1,
            Effort::Some => 3,
        };
        let mut encoder = write::Encoder::new(BufWriter::new(tempfile::tempfile()?), level)?;
        encoder.include_checksum(true)?;
        Ok(Self { encoder })
    }

    /// Appends a frame.
    pub fn push(&mut self, frame: &Frame) -> Result<(), PublishError> {
        let bytes = frame.bytes();
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_FRAME);
        let length = length.ok_or(PublishError::TooLong(bytes.len()))?;
        self.encoder.write_all(&length.to_le_bytes())?;
        self.encoder.write_all(bytes)?;
        Ok(())
    }

    /// The whole file.
    pub fn finish(self) -> io::Result<Spool> {
        let file = self.encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spool(file))
    }
}

impl Spool {
    /// A file that will hold what a bucket keeps.
    pub fn empty() -> io::Result<Self> {
        tempfile::tempfile().map(Self)
    }

    /// Appends bytes of what a bucket keeps.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Its frames, from the first one on. One reader at a time.
    pub fn frames(&self) -> io::Result<SpoolReader> {
        let decoder = read::Decoder::with_buffer(BufReader::new(self.raw()?))?;
        Ok(SpoolReader { decoder })
    }

    /// Its bytes, from the first one on.
    pub fn raw(&self) -> io::Result<File> {
        let mut file = self.0.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

impl SpoolReader {
    fn read(&mut self) -> Result<Option<Frame>, PublishError> {
        let mut length = [0; 4];
        // Between two frames the file may end, within one it may not.
        let first = self.decoder.read(&mut length[..1])?;
        if first == 0 {
            return Ok(None);
        }
        self.decoder.read_exact(&mut length[1..])?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            return Err(PublishError::TooLong(length));
        }
        let mut bytes = vec![0; length];
        self.decoder.read_exact(&mut bytes)?;
        Ok(Some(Frame::parse(bytes)?))
    }
}

impl Iterator for SpoolReader {
    type Item = Result<Frame, PublishError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
