//! A group: the frames of one write and one sync.

use super::frame::{self, Kind};
use super::ranges::Range;

/// The maximum number of ranges in one frame, which take 64 KiB.
const RANGES_PER_FRAME: usize = 4096;

/// The frames of a group, and the changes that they make once they are durable.
pub(super) struct Group {
    pub(super) first_position: u64,
    pub(super) frames: u32,
    /// The frames. Their checksums are written last, because they depend on the segment.
    pub(super) bytes: Vec<u8>,
    /// The batches and seals in the group.
    pub(super) placed: Vec<Placed>,
    /// The numbers that the group deletes.
    pub(super) deleted: Vec<u64>,
    /// The highest number in the group.
    pub(super) last_number: u64,
}

/// The location of a batch or a seal in the bytes of a group.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) number: u64,
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl Group {
    pub(super) fn new(first_position: u64) -> Self {
        Self {
            first_position,
            frames: 0,
            bytes: Vec::new(),
            placed: Vec::new(),
            deleted: Vec::new(),
            last_number: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the length of a frame with a body.
    pub(super) fn length_of(body: usize) -> u64 {
        (frame::HEADER + body) as u64
    }

    /// Returns the maximum length of the frames for a number of ranges.
    pub(super) fn length_of_ranges(ranges: usize) -> u64 {
        (ranges.div_ceil(RANGES_PER_FRAME) * frame::HEADER + ranges * 16) as u64
    }

    /// Adds a batch or a seal.
    pub(super) fn put(&mut self, kind: Kind, number: u64, body: &[u8]) {
        let offset = self.bytes.len();
        self.push(kind, number, body);
        self.placed.push(Placed { number, offset, length: self.bytes.len() - offset });
        self.last_number = self.last_number.max(number);
    }

    pub(super) fn delete(&mut self, numbers: Vec<u64>) {
        self.deleted.extend(&numbers);
        self.last_number = numbers.iter().copied().fold(self.last_number, u64::max);
        self.push_ranges(Kind::Delete, &super::ranges::of_numbers(numbers));
    }

    /// Adds the positions that are known to be missing.
    pub(super) fn explain(&mut self, gaps: &[Range]) {
        self.push_ranges(Kind::Gaps, gaps);
    }

    fn push_ranges(&mut self, kind: Kind, ranges: &[Range]) {
        for ranges in ranges.chunks(RANGES_PER_FRAME) {
            self.push(kind, 0, &frame::encode_ranges(ranges));
        }
    }

    fn push(&mut self, kind: Kind, number: u64, body: &[u8]) {
        frame::encode(&mut self.bytes, kind, number, self.first_position, self.frames, body);
        self.frames += 1;
    }
}
