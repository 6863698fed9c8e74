//! Decompresses Zstandard, which may consist of several frames.

use ruzstd::decoding::StreamingDecoder;
use std::io::{self, BufRead, Read};

/// The decoder of one frame.
type Frame<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// Reads the frames one after the other.
pub(super) enum Zstd<R: BufRead> {
    Between(R),
    Inside(Box<Frame<R>>),
    /// A frame cannot be read.
    Broken,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(input: R) -> Self {
        Self::Between(input)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, Self::Broken) {
                Self::Between(mut input) => {
                    if input.fill_buf()?.is_empty() {
                        *self = Self::Between(input);
                        return Ok(0);
                    }
                    let frame = StreamingDecoder::new(input).map_err(io::Error::other)?;
                    *self = Self::Inside(Box::new(frame));
                }
                Self::Inside(mut frame) => {
                    let length = frame.read(buffer)?;
                    if length > 0 || buffer.is_empty() {
                        *self = Self::Inside(frame);
                        return Ok(length);
                    }
                    let (input, decoder) = frame.into_parts();
                    let expected = decoder.get_checksum_from_data();
                    if expected.is_some() && expected != decoder.get_calculated_checksum() {
                        return Err(damaged());
                    }
                    *self = Self::Between(input);
                }
                Self::Broken => return Err(damaged()),
            }
        }
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the Zstandard data is damaged")
}
