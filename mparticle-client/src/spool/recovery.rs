//! Reads the folder when the spool is opened. Intact and damaged logs are read in the same way.

use super::damage::{Coverage, Damage, describe};
use super::errors;
use super::files::Files;
use super::frame::{Frame, Frames, HEAD, Head, Kind, VERSION, decode_ranges, decode_seal};
use super::log::{
    Active, Compaction, LOCK, Log, Place, Segment, WATERMARK, segment_number, segment_path,
};
use super::ranges::Range;
use super::spare::Spare;
use super::watermark::Watermark;
use super::{Seal, StoredBatch};
use crate::Error;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::Path;

/// The database of an earlier format.
const OLD_DATABASE: &str = "spool.db";

/// A log and its content.
pub(super) struct Recovered<F: Files> {
    pub(super) log: Log<F>,
    pub(super) batches: Vec<StoredBatch>,
    pub(super) seals: Vec<Seal>,
    pub(super) damage: Damage,
    /// The positions that are missing because of damage.
    pub(super) missing: Vec<Range>,
    /// The positions that are missing because their group was never synced.
    pub(super) unsynced: Vec<Range>,
}

/// Opens the log in a folder, or creates one.
pub(super) fn open<F: Files>(
    files: F,
    folder: &Path,
    segment_size: u64,
) -> Result<Recovered<F>, Error> {
    let failed = |error: io::Error| errors::unusable(folder, error);
    files.create_folder(folder).map_err(failed)?;
    let names = files.list(folder).map_err(failed)?;
    if names.iter().any(|name| name == OLD_DATABASE) {
        return Err(errors::old(folder));
    }
    let lock = files.open(&folder.join(LOCK)).map_err(failed)?;
    if !files.try_lock(&lock).map_err(failed)? {
        return Err(errors::in_use(folder));
    }
    // The previous owner of the lock may have changed the folder before it released the lock.
    let names = files.list(folder).map_err(failed)?;
    let mut segments: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    segments.sort_unstable();
    for number in &segments {
        let version = version(&files, folder, *number).map_err(failed)?;
        if version > VERSION {
            return Err(errors::newer(folder, version));
        }
    }
    let watermark = Watermark::open(&files, &folder.join(WATERMARK)).map_err(failed)?;
    let log = Log {
        folder: folder.to_owned(),
        lock,
        position: watermark.position(),
        next_number: watermark.next_number().max(1),
        watermark,
        segment_size,
        segments: VecDeque::new(),
        active: None,
        spare: Spare::new(segment_size),
        places: HashMap::new(),
        next_segment: segments.last().map_or(1, |last| last.saturating_add(1)),
        compaction: Compaction::Idle,
        has_unsynced_removal: true,
        holds_evidence: false,
        files,
    };
    Reader { log, coverage: Coverage::default(), heads: Vec::new(), buffer: Vec::new() }
        .recover(&segments)
        .map_err(failed)
}

/// Returns the version of a segment, or zero if its head is not readable.
fn version<F: Files>(files: &F, folder: &Path, number: u32) -> io::Result<u32> {
    let file = files.open(&segment_path(folder, number))?;
    let mut bytes = [0; HEAD];
    if files.len(&file)? >= HEAD as u64 {
        files.read_at(&file, 0, &mut bytes)?;
    }
    Ok(Head::decode(&bytes).map_or(0, |head| head.version))
}

struct Reader<F: Files> {
    log: Log<F>,
    coverage: Coverage,
    /// The readable heads, the oldest first.
    heads: Vec<Head>,
    buffer: Vec<u8>,
}

impl<F: Files> Reader<F> {
    fn recover(mut self, segments: &[u32]) -> io::Result<Recovered<F>> {
        for number in segments {
            self.scan(*number)?;
        }
        self.coverage.synced = self.coverage.synced.max(self.log.watermark.position());
        self.log.position = self.coverage.end.max(self.coverage.synced);
        let (batches, seals) = self.load()?;
        let (missing, unsynced) = (self.coverage.missing(), self.coverage.unsynced_gaps());
        self.log.holds_evidence = !missing.is_empty();
        let damage = Damage::default();
        let mut recovered = Recovered { log: self.log, batches, seals, damage, missing, unsynced };
        if let Some((_, last)) = recovered.missing.last() {
            let below = self.heads.iter().find(|head| head.first_position > *last);
            let below = below.map_or(u64::MAX, |head| head.next_number);
            recovered.mark_uncertain(below);
            recovered.damage = Damage {
                unreadable: self.coverage.count(&recovered.missing),
                description: Some(describe(&recovered.missing)),
            };
        }
        Ok(recovered)
    }

    /// Reads a segment and records its content.
    fn scan(&mut self, number: u32) -> io::Result<()> {
        let file = self.read(number)?;
        let bytes = std::mem::take(&mut self.buffer);
        let length = bytes.len() as u64;
        let head = Head::decode(&bytes);
        if self.log.segments.is_empty() {
            self.coverage.start = head.map(|head| head.first_position);
        }
        if let Some(head) = head {
            self.heads.push(head);
            self.log.next_number = self.log.next_number.max(head.next_number);
            self.coverage.end = self.coverage.end.max(head.first_position);
            self.coverage.synced = self.coverage.synced.max(head.first_position);
        }
        self.log.segments.push_back(Segment { number, length, living: 0 });
        let mut end = HEAD;
        for frame in Frames::new(number, &bytes) {
            end = frame.offset + frame.len();
            self.note(number, &frame);
        }
        let is_whole = head.is_some() && length >= self.log.segment_size;
        self.log.active = is_whole.then_some(Active { number, file, offset: end as u64, length });
        self.buffer = bytes;
        Ok(())
    }

    fn read(&mut self, number: u32) -> io::Result<F::File> {
        let files = &self.log.files;
        let file = files.open(&segment_path(&self.log.folder, number))?;
        let length = usize::try_from(files.len(&file)?).map_err(io::Error::other)?;
        self.buffer.resize(length, 0);
        files.read_at(&file, 0, &mut self.buffer)?;
        Ok(file)
    }

    fn note(&mut self, segment: u32, frame: &Frame<'_>) {
        let Frame { position, number, .. } = *frame;
        super::ranges::push(&mut self.coverage.ranges, position);
        self.coverage.end = self.coverage.end.max(position.saturating_add(1));
        self.coverage.synced = self.coverage.synced.max(frame.group);
        let mut last_number = number;
        match frame.kind {
            Some(Kind::Batch | Kind::Seal) => {
                let bound = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
                let (offset, length) = (bound(frame.offset), bound(frame.len()));
                self.log.place(number, Place { segment, offset, length });
            }
            Some(Kind::Delete) => {
                for range in decode_ranges(frame.body) {
                    last_number = last_number.max(range.1);
                    self.log.forget_range(range);
                }
            }
            Some(Kind::Gaps) => self.coverage.ranges.extend(decode_ranges(frame.body)),
            None => {}
        }
        self.log.next_number = self.log.next_number.max(last_number.saturating_add(1));
    }

    /// Reads the live batches and seals, by number.
    fn load(&mut self) -> io::Result<(Vec<StoredBatch>, Vec<Seal>)> {
        let mut batches = Vec::with_capacity(self.log.places.len());
        let mut seals = Vec::new();
        for index in 0..self.log.segments.len() {
            let segment = self.log.segments.get(index).filter(|segment| segment.living > 0);
            let Some(segment) = segment.map(|segment| segment.number) else { continue };
            self.read(segment)?;
            for frame in Frames::new(segment, &self.buffer) {
                let Frame { number, body, .. } = frame;
                let is_living = |place: &Place| {
                    place.segment == segment && place.offset as usize == frame.offset
                };
                if !self.log.places.get(&number).is_some_and(is_living) {
                    continue;
                }
                if frame.kind == Some(Kind::Batch) {
                    let record = Box::from(body);
                    batches.push(StoredBatch { number, record, is_uncertain: false });
                } else {
                    seals.extend(decode_seal(number, body));
                }
            }
        }
        // The previous process may have ended between a write and its sync.
        if let Some(active) = &self.log.active {
            self.log.files.sync(&active.file)?;
        }
        self.buffer = Vec::new();
        batches.sort_unstable_by_key(|batch| batch.number);
        seals.sort_unstable_by_key(|seal| seal.number);
        Ok((batches, seals))
    }
}

impl<F: Files> Recovered<F> {
    /// Marks the batches whose seal may be missing: batches without a seal whose number is lower than a bound.
    fn mark_uncertain(&mut self, below: u64) {
        let sealed: HashSet<u64> =
            self.seals.iter().flat_map(|seal| seal.members.iter().copied()).collect();
        for batch in &mut self.batches {
            batch.is_uncertain = batch.number < below && !sealed.contains(&batch.number);
        }
    }
}
