//! The encoding of frames and heads.

use super::Seal;
use super::ranges::Range;

/// The first bytes of a frame. `FF` is not valid in UTF-8 and therefore not in JSON.
pub(super) const MAGIC: [u8; 4] = [0xFF, b'm', b'P', 0xFE];
/// The length of a frame without its body.
pub(super) const HEADER: usize = 36;
const HEAD_MAGIC: [u8; 8] = *b"\xFFmPspool";
/// The length of the head of a segment.
pub(super) const HEAD: usize = 36;
/// The format that this version writes and reads.
pub(super) const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Batch = 1,
    Seal = 2,
    Delete = 3,
    Gaps = 4,
}

/// A frame with a valid checksum.
pub(super) struct Frame<'a> {
    /// `None` if this version does not know the kind.
    pub(super) kind: Option<Kind>,
    pub(super) position: u64,
    pub(super) number: u64,
    /// The position of the first frame of its group.
    pub(super) group: u64,
    /// The offset of the frame in the segment.
    pub(super) offset: usize,
    pub(super) body: &'a [u8],
}

impl Frame<'_> {
    /// Returns the length with the header.
    pub(super) fn len(&self) -> usize {
        HEADER + self.body.len()
    }
}

/// Iterates over the valid frames of a segment. Skips everything else.
pub(super) struct Frames<'a> {
    bytes: &'a [u8],
    offset: usize,
    segment: u32,
}

impl<'a> Frames<'a> {
    pub(super) fn new(segment: u32, bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, segment }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            let rest = self.bytes.get(self.offset..)?;
            self.offset += rest.iter().position(|byte| *byte == MAGIC[0])?;
            if let Some(frame) = decode(self.bytes, self.offset, self.segment) {
                self.offset += frame.len();
                return Some(frame);
            }
            self.offset += 1;
        }
    }
}

/// Returns the frame at an offset, if there is a valid one.
pub(super) fn decode(bytes: &[u8], offset: usize, segment: u32) -> Option<Frame<'_>> {
    let rest = bytes.get(offset..)?;
    if !rest.starts_with(&MAGIC) {
        return None;
    }
    let length = usize::try_from(u32_at(rest, 8)?).ok()?;
    let rest = rest.get(..HEADER.checked_add(length)?)?;
    if u32_at(rest, 4)? != checksum(segment, rest.get(8..)?) {
        return None;
    }
    let kinds = [Kind::Batch, Kind::Seal, Kind::Delete, Kind::Gaps];
    let kind = u32_at(rest, 12)?;
    let position = u64_at(rest, 16)?;
    Some(Frame {
        kind: kinds.into_iter().find(|known| *known as u32 == kind),
        position,
        number: u64_at(rest, 24)?,
        group: position.saturating_sub(u32_at(rest, 32)?.into()),
        offset,
        body: rest.get(HEADER..)?,
    })
}

/// Appends a frame without its checksum.
pub(super) fn encode(
    into: &mut Vec<u8>,
    kind: Kind,
    number: u64,
    group: u64,
    index: u32,
    body: &[u8],
) {
    // The writer has refused longer bodies.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    into.extend(MAGIC);
    into.extend([0; 4]);
    into.extend(length.to_le_bytes());
    into.extend((kind as u32).to_le_bytes());
    into.extend((group + u64::from(index)).to_le_bytes());
    into.extend(number.to_le_bytes());
    into.extend(index.to_le_bytes());
    into.extend(body);
}

/// Writes the checksums of frames, for the segment that they go into.
pub(super) fn seal_checksums(mut frames: &mut [u8], segment: u32) {
    while let Some(length) = u32_at(frames, 8) {
        let length = HEADER + usize::try_from(length).unwrap_or(usize::MAX - HEADER);
        let Some((frame, rest)) = frames.split_at_mut_checked(length) else { return };
        let checksum = checksum(segment, frame.get(8..).unwrap_or_default());
        if let Some(bytes) = frame.get_mut(4..8) {
            bytes.copy_from_slice(&checksum.to_le_bytes());
        }
        frames = rest;
    }
}

fn checksum(segment: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&segment.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) segment: u32,
    /// The position of the first frame.
    pub(super) first_position: u64,
    /// A bound: all numbers in earlier segments are lower.
    pub(super) next_number: u64,
}

impl Head {
    pub(super) fn encode(&self) -> [u8; HEAD] {
        let mut bytes = HEAD_MAGIC.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.segment.to_le_bytes());
        bytes.extend(self.first_position.to_le_bytes());
        bytes.extend(self.next_number.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.try_into().unwrap_or([0; HEAD])
    }

    /// Returns the head at the beginning of a segment, if it is valid.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEAD)?;
        let is_valid = bytes.starts_with(&HEAD_MAGIC)
            && u32_at(bytes, 32)? == crc32fast::hash(bytes.get(..32)?);
        let head = || {
            Some(Self {
                version: u32_at(bytes, 8)?,
                segment: u32_at(bytes, 12)?,
                first_position: u64_at(bytes, 16)?,
                next_number: u64_at(bytes, 24)?,
            })
        };
        if is_valid { head() } else { None }
    }
}

/// Returns the length of the body of a seal.
pub(super) fn seal_length(seal: &Seal) -> usize {
    8 + seal.members.len() * 8 + seal.id.len()
}

/// Returns the body of a seal.
pub(super) fn encode_seal(seal: &Seal) -> Vec<u8> {
    let count = u32::try_from(seal.members.len()).unwrap_or(u32::MAX);
    let mut body = seal.document_crc.to_le_bytes().to_vec();
    body.extend(count.to_le_bytes());
    body.extend(seal.members.iter().flat_map(|number| number.to_le_bytes()));
    body.extend(seal.id.as_bytes());
    body
}

/// Returns the seal with a number and a body.
pub(super) fn decode_seal(number: u64, body: &[u8]) -> Option<Seal> {
    let document_crc = u32_at(body, 0)?;
    let count = usize::try_from(u32_at(body, 4)?).ok()?;
    let (members, id) = body.get(8..)?.split_at_checked(count.checked_mul(8)?)?;
    let members = members.chunks_exact(8).filter_map(|bytes| u64_at(bytes, 0)).collect();
    let id = String::from_utf8(id.to_vec()).ok()?;
    Some(Seal { number, id, members, document_crc })
}

/// Returns the body of a delete, or of a list of gaps.
pub(super) fn encode_ranges(ranges: &[Range]) -> Vec<u8> {
    let bounds = ranges.iter().flat_map(|(first, last)| [first, last]);
    bounds.flat_map(|bound| bound.to_le_bytes()).collect()
}

pub(super) fn decode_ranges(body: &[u8]) -> impl Iterator<Item = Range> + '_ {
    body.chunks_exact(16).filter_map(|bytes| Some((u64_at(bytes, 0)?, u64_at(bytes, 8)?)))
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
