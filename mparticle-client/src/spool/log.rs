//! The segments, and the location of each live batch and seal.

use super::files::Files;
use super::frame::{self, HEAD, Head, VERSION};
use super::group::Group;
use super::ranges::Range;
use super::spare::Spare;
use super::watermark::Watermark;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

pub(super) const LOCK: &str = "lock";
pub(super) const SPARE: &str = "spare";
pub(super) const WATERMARK: &str = "watermark";
const SEGMENT: &str = "segment-";

/// The share of the spare that is written between two groups: an eighth.
const SPARE_PIECES: u64 = 8;

/// The open log.
pub(super) struct Log<F: Files> {
    pub(super) files: F,
    pub(super) folder: PathBuf,
    pub(super) lock: F::File,
    pub(super) watermark: Watermark<F::File>,
    pub(super) segment_size: u64,
    /// The oldest first.
    pub(super) segments: VecDeque<Segment>,
    /// The last segment, or `None` if a new one has to be begun.
    pub(super) active: Option<Active<F::File>>,
    pub(super) spare: Spare<F::File>,
    pub(super) places: HashMap<u64, Place>,
    /// The position of the next frame.
    pub(super) position: u64,
    /// A number that is higher than all numbers in the log.
    pub(super) next_number: u64,
    pub(super) next_segment: u32,
    pub(super) compaction: Compaction<F::File>,
    /// Whether the removal of a segment may not be durable.
    pub(super) has_unsynced_removal: bool,
    /// Whether damage was found and not reported. Until it is reported, nothing is removed, and another start finds it
    /// again.
    pub(super) holds_evidence: bool,
}

pub(super) struct Segment {
    pub(super) number: u32,
    /// The length of the file.
    pub(super) length: u64,
    /// The length of the live frames.
    pub(super) living: u64,
}

/// The segment that is written.
pub(super) struct Active<T> {
    pub(super) number: u32,
    pub(super) file: T,
    /// The offset of the next frame.
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The location of a live frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) length: u32,
}

/// The state of copying the live frames of the oldest segment.
pub(super) enum Compaction<T> {
    Idle,
    /// The numbers and locations that are left to copy, in descending order of the offset.
    Copying(T, Vec<(u64, Place)>),
    /// Copying stopped because a frame could not be read. The next start finds the damage and reports it.
    Stopped,
}

/// Returns the path of a segment.
pub(super) fn segment_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{SEGMENT}{number:08x}"))
}

/// Returns the number of a segment from the name of its file.
pub(super) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(SEGMENT).filter(|digits| digits.len() == 8)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    (name == format!("{SEGMENT}{number:08x}")).then_some(number)
}

impl<F: Files> Log<F> {
    /// Returns whether the path of the folder still names the open files.
    pub(super) fn is_in_place(&self) -> bool {
        let is_active_named = |active: &Active<F::File>| {
            self.files.is_named(&segment_path(&self.folder, active.number), &active.file)
        };
        self.files.is_named(&self.folder.join(LOCK), &self.lock)
            && self.active.as_ref().is_none_or(is_active_named)
    }

    /// Returns the maximum length of a group that is written now.
    pub(super) fn room(&self) -> u64 {
        let spare = self.spare.ready().map_or(0, |size| size - HEAD as u64);
        self.active_room().max(spare)
    }

    /// Returns whether a group is written to the last segment.
    fn fits_active(&self, group: &Group) -> bool {
        self.active.is_some() && group.len() <= self.active_room()
    }

    /// Returns whether the oldest segment is likely to become the spare soon.
    pub(super) fn expects_spare(&self) -> bool {
        self.spare.is_empty()
            && self.wants_compaction(false)
            && self.active_room() > self.segment_size / 2
    }

    fn active_room(&self) -> u64 {
        self.active.as_ref().map_or(0, |active| active.length.saturating_sub(active.offset))
    }

    /// Completes the spare for a group.
    pub(super) fn make_room(&mut self, group: u64) -> io::Result<()> {
        self.spare.grow(group + HEAD as u64);
        while self.spare.ready().is_none() {
            self.fill_spare()?;
        }
        Ok(())
    }

    /// Writes a piece of the spare.
    pub(super) fn fill_spare(&mut self) -> io::Result<()> {
        if self.spare.is_empty() {
            self.sync_removals()?;
        }
        let piece = self.segment_size.div_ceil(SPARE_PIECES);
        self.spare.fill(&self.files, &self.folder.join(SPARE), piece)
    }

    /// Writes a group and syncs.
    ///
    /// # Errors
    /// After an error, it is not known whether the frames are durable. Call [`abandon`](Self::abandon), and append the
    /// group again.
    pub(super) fn append(&mut self, group: &mut Group) -> io::Result<()> {
        let fits = self.fits_active(group);
        match &mut self.active {
            Some(active) if fits => {
                frame::seal_checksums(&mut group.bytes, active.number);
                self.files.write_at(&active.file, active.offset, &group.bytes)?;
                self.files.sync(&active.file)?;
                active.offset += group.len();
            }
            _ => self.roll(group)?,
        }
        self.apply(group);
        Ok(())
    }

    /// Abandons the last segment after a failure. The next group begins a new one.
    pub(super) fn abandon(&mut self) {
        self.active = None;
    }

    /// Records that a group was abandoned.
    pub(super) fn discard(&mut self, group: &Group) {
        self.forget(&group.deleted);
        self.compaction = Compaction::Idle;
    }

    /// Writes a group to the spare, then makes the spare the last segment.
    fn roll(&mut self, group: &mut Group) -> io::Result<()> {
        self.sync_removals()?;
        let number = self.next_segment;
        frame::seal_checksums(&mut group.bytes, number);
        let head = Head {
            version: VERSION,
            segment: number,
            first_position: group.first_position,
            next_number: self.next_number,
        };
        let spare = self.folder.join(SPARE);
        let length = self.spare.ready().unwrap_or_default();
        let file = self.spare.take(self.segment_size).ok_or(io::ErrorKind::StorageFull)?;
        let begin = || {
            self.files.write_at(&file, 0, &head.encode())?;
            self.files.write_at(&file, HEAD as u64, &group.bytes)?;
            self.files.sync(&file)?;
            self.files.rename(&spare, &segment_path(&self.folder, number))
        };
        if let Err(error) = begin() {
            // The next attempt uses a new file, in another area of the disk.
            self.files.remove(&spare)?;
            return Err(error);
        }
        self.next_segment += 1;
        self.segments.push_back(Segment { number, length, living: 0 });
        let offset = HEAD as u64 + group.len();
        self.active = Some(Active { number, file, offset, length });
        self.files.sync_folder(&self.folder)
    }

    /// Records that a group is durable.
    fn apply(&mut self, group: &mut Group) {
        let Some(active) = &self.active else { return };
        let number = active.number;
        let begin = active.offset - group.len();
        for placed in group.placed.drain(..) {
            let offset = u32::try_from(begin + placed.offset as u64).unwrap_or(u32::MAX);
            let length = u32::try_from(placed.length).unwrap_or(u32::MAX);
            self.place(placed.number, Place { segment: number, offset, length });
        }
        self.forget(&group.deleted);
        self.position = group.first_position + u64::from(group.frames);
        self.next_number = self.next_number.max(group.last_number.saturating_add(1));
        self.watermark.advance(self.position, self.next_number);
    }

    /// Records the location of a batch or a seal.
    pub(super) fn place(&mut self, number: u64, place: Place) {
        self.forget(&[number]);
        if let Some(segment) = self.segment(place.segment) {
            segment.living += u64::from(place.length);
        }
        self.places.insert(number, place);
    }

    /// Records that a range of batches and seals is deleted.
    pub(super) fn forget_range(&mut self, (first, last): Range) {
        if usize::try_from(last.saturating_sub(first)).is_ok_and(|count| count < self.places.len())
        {
            (first..=last).for_each(|number| self.forget(&[number]));
        } else {
            let is_named = |number: &u64| (first..=last).contains(number);
            let numbers: Vec<u64> = self.places.keys().copied().filter(is_named).collect();
            self.forget(&numbers);
        }
    }

    /// Records that batches and seals are deleted.
    pub(super) fn forget(&mut self, numbers: &[u64]) {
        for number in numbers {
            let Some(place) = self.places.remove(number) else { continue };
            if let Some(segment) = self.segment(place.segment) {
                segment.living -= u64::from(place.length);
            }
        }
    }

    fn segment(&mut self, number: u32) -> Option<&mut Segment> {
        let at = self.segments.partition_point(|segment| segment.number < number);
        self.segments.get_mut(at).filter(|segment| segment.number == number)
    }

    /// Returns whether the oldest segment can be removed.
    pub(super) fn has_dead_segment(&self) -> bool {
        // The last segment is kept, because its head contains the next number.
        !self.holds_evidence
            && self.segments.len() > 1
            && self.segments.front().is_some_and(|oldest| oldest.living == 0)
    }

    /// Removes the oldest segments that contain no live frames.
    ///
    /// Each removal is durable before the next one. A delete therefore never disappears before its target.
    pub(super) fn remove_dead_segments(&mut self) -> io::Result<()> {
        while self.has_dead_segment() {
            self.sync_removals()?;
            let Some(oldest) = self.segments.front() else { break };
            let path = segment_path(&self.folder, oldest.number);
            if self.spare.is_empty() && oldest.length == self.segment_size {
                let spare = self.folder.join(SPARE);
                self.files.rename(&path, &spare)?;
                self.spare.recycle(self.files.open(&spare)?);
            } else {
                self.files.remove(&path)?;
            }
            self.has_unsynced_removal = true;
            self.segments.pop_front();
            self.compaction = Compaction::Idle;
        }
        Ok(())
    }

    /// Makes removals durable. A file that is reused must not appear under its old name after a crash.
    fn sync_removals(&mut self) -> io::Result<()> {
        if self.has_unsynced_removal {
            self.files.sync_folder(&self.folder)?;
            self.has_unsynced_removal = false;
        }
        Ok(())
    }

    /// Returns whether live frames should be copied out of the oldest segment: if the files before the last one are
    /// more than one and a half times as long as the live frames.
    ///
    /// While the disk is full, frames are copied only if the last segment has space for twice as much.
    pub(super) fn wants_compaction(&self, is_full: bool) -> bool {
        let is_last = |segment: &Segment| {
            self.active.as_ref().is_some_and(|active| active.number == segment.number)
        };
        let Some(oldest) = self.segments.front().filter(|oldest| !is_last(oldest)) else {
            return false;
        };
        let living: u64 = self.segments.iter().map(|segment| segment.living).sum();
        let closed = self.segments.iter().filter(|segment| !is_last(segment));
        let length: u64 = closed.map(|segment| segment.length).sum();
        !self.holds_evidence
            && !matches!(self.compaction, Compaction::Stopped)
            && length > living + living / 2
            && (!is_full || oldest.living <= self.active_room() / 2)
    }

    /// Copies live frames of the oldest segment into a group, which must be empty. Returns the length of the first
    /// frame if there is no space for it.
    pub(super) fn copy_survivors(&mut self, group: &mut Group, budget: u64) -> Option<u64> {
        let oldest = self.segments.front()?.number;
        if matches!(self.compaction, Compaction::Idle) {
            let Ok(file) = self.files.open(&segment_path(&self.folder, oldest)) else {
                self.stop_compaction();
                return None;
            };
            let places = self.places.iter().map(|(number, place)| (*number, *place));
            let mut left: Vec<_> = places.filter(|(_, place)| place.segment == oldest).collect();
            left.sort_unstable_by_key(|(_, place)| std::cmp::Reverse(place.offset));
            self.compaction = Compaction::Copying(file, left);
        }
        let room = self.room();
        let Compaction::Copying(file, left) = &mut self.compaction else { return None };
        while let Some((number, place)) = left.pop() {
            if self.places.get(&number) != Some(&place) {
                continue;
            }
            let length = u64::from(place.length);
            if group.len() + length > room.min(budget) && !(group.frames == 0 && length <= room) {
                left.push((number, place));
                return (group.frames == 0).then_some(length);
            }
            if !copy(&self.files, file, oldest, number, place, group) {
                self.stop_compaction();
                break;
            }
        }
        None
    }

    fn stop_compaction(&mut self) {
        tracing::error!("a frame of the spool cannot be read: the next start reports the damage");
        self.compaction = Compaction::Stopped;
    }

    /// Releases the lock.
    pub(super) fn close(mut self) {
        self.watermark.write(&self.files);
        // If this fails, the lock is released when the file is closed.
        _ = self.files.unlock(&self.lock);
    }
}

/// Copies a frame into a group. Returns whether it could be read.
fn copy<F: Files>(
    files: &F,
    file: &F::File,
    segment: u32,
    number: u64,
    place: Place,
    group: &mut Group,
) -> bool {
    let mut bytes = vec![0; usize::try_from(place.length).unwrap_or_default()];
    if files.read_at(file, place.offset.into(), &mut bytes).is_err() {
        return false;
    }
    let frame = frame::decode(&bytes, 0, segment).filter(|frame| frame.number == number);
    let Some((frame, kind)) = frame.and_then(|frame| frame.kind.map(|kind| (frame, kind))) else {
        return false;
    };
    group.put(kind, number, frame.body);
    true
}
