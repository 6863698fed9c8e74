//! Tests that damage is detected.

use super::disk::{Image, TestDisk};
use super::model::{FOLDER, Model, OPTIONS, SharedModel, Workload, close, read};
use crate::spool::frame::{Frames, HEADER, Kind};
use crate::spool::log::{SPARE, WATERMARK, segment_number};
use crate::spool::{Damage, Durability, Opened, Seal, Spool, StoredBatch};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Returns a log of several segments, and its content.
fn log(seed: u64) -> (Image, Model) {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), seed);
    for _ in 0..100 {
        workload.accept(usize::try_from(workload.last_number % 300).unwrap(), Durability::Awaited);
        workload.step();
    }
    workload.wait();
    workload.close();
    let model = model.lock().unwrap().clone();
    assert!(model.refused.is_empty());
    (disk.image(), model)
}

fn segments(image: &Image) -> Vec<PathBuf> {
    let is_segment = |path: &PathBuf| path.to_string_lossy().contains("segment-");
    image.paths().into_iter().filter(is_segment).collect()
}

/// Returns the tags of the batches and seals that were found, and checks their content.
fn tags(model: &Model, batches: &[StoredBatch], seals: &[Seal]) -> BTreeSet<u64> {
    let mut tags = BTreeSet::new();
    for batch in batches {
        let tag = u64::from_le_bytes(batch.record[..8].try_into().unwrap());
        assert_eq!(model.records[&tag], &*batch.record);
        assert!(tags.insert(tag));
    }
    for seal in seals {
        let tag = seal.id.parse().unwrap();
        assert_eq!(model.seals[&tag], seal.members);
        assert!(tags.insert(tag));
    }
    tags
}

/// Checks a damaged log. Returns how many batches and seals are missing.
fn check(image: Image, model: &Model) -> (usize, Damage) {
    let (batches, seals, damage) = read(TestDisk::of(image));
    let found = tags(model, &batches, &seals);
    let missing = model.missing(&found).len();
    let returned = found.iter().filter(|tag| model.deleted.contains(tag)).count();
    if damage.unreadable == 0 {
        assert_eq!((missing, returned), (0, 0), "frames are missing, and no damage is reported");
        assert!(batches.iter().all(|batch| !batch.is_uncertain));
    } else {
        assert!(damage.description.is_some());
    }
    (missing, damage)
}

#[test]
fn a_truncation_at_any_byte_is_detected() {
    let (image, model) = log(1);
    let segments = segments(&image);
    assert!(segments.len() > 3);
    let mut rng = fastrand::Rng::with_seed(2);
    let mut losses = 0;
    for _ in 0..500 {
        let mut image = image.clone();
        let path = &segments[rng.usize(..segments.len())];
        let length = rng.usize(..image.content(path).len());
        image.edit(path, |file| file.truncate(length));
        losses += usize::from(check(image, &model).0 > 0);
    }
    assert!(losses > 200, "{losses} truncations lose frames");
}

#[test]
fn a_flipped_bit_is_detected() {
    let (image, model) = log(3);
    let paths = image.paths();
    let mut rng = fastrand::Rng::with_seed(4);
    let mut losses = 0;
    for _ in 0..5_000 {
        let mut image = image.clone();
        let path = &paths[rng.usize(..paths.len())];
        let content = image.content(path);
        if content.is_empty() {
            continue;
        }
        let at = rng.usize(..content.len());
        // The last frame of a segment may end with zeros: a number has up to seven.
        let behind_frames = content[at.saturating_sub(8)..].iter().all(|byte| *byte == 0);
        let is_filling = path.ends_with(SPARE) || behind_frames;
        let bit = 1 << rng.u32(..8);
        image.edit(path, |file| file[at] ^= bit);
        let (missing, damage) = check(image, &model);
        assert!(missing <= 1, "one frame is missing");
        assert!(damage.unreadable >= missing as u64);
        if is_filling || path.ends_with(WATERMARK) {
            assert_eq!(damage, Damage::default(), "a bit in zeros is no damage");
        }
        losses += missing;
    }
    assert!(losses > 500, "{losses} flipped bits lose frames");
}

#[test]
fn a_missing_segment_after_the_oldest_is_detected() {
    let (image, model) = log(5);
    for path in &segments(&image)[1..] {
        let mut image = image.clone();
        image.remove(path);
        let (missing, damage) = check(image, &model);
        assert!(missing > 0);
        assert!(damage.unreadable >= missing as u64);
    }
}

/// Returns a log without one frame, and the number of batches in it.
fn damaged() -> (Image, usize) {
    let (mut image, _) = log(7);
    let intact = read(TestDisk::of(image.clone())).0.len();
    let path = segments(&image)[1].clone();
    damage_a_batch(&mut image, &path);
    (image, intact)
}

/// Flips a bit in the first batch of a segment. A damaged delete would restore batches.
fn damage_a_batch(image: &mut Image, path: &Path) {
    let number = segment_number(path.file_name().unwrap().to_str().unwrap()).unwrap();
    let content = image.content(path);
    let batch = Frames::new(number, content).find(|frame| frame.kind == Some(Kind::Batch));
    let at = batch.map(|frame| frame.offset + HEADER).unwrap();
    image.edit(path, |file| file[at] ^= 1);
}

fn open(disk: &TestDisk) -> Opened {
    Spool::open_on(disk.clone(), Path::new(FOLDER), OPTIONS).unwrap()
}

fn uncertain(batches: &[StoredBatch]) -> usize {
    batches.iter().filter(|batch| batch.is_uncertain).count()
}

#[test]
fn each_start_returns_damage_until_it_was_reported() {
    let disk = TestDisk::of(damaged().0);
    let first = open(&disk);
    let told = first.damage;
    assert_eq!(told.unreadable, 1);
    let told_uncertain = uncertain(&first.batches);
    assert!(told_uncertain > 0);
    close(&first.spool);
    // The damage was not reported. Each start therefore returns it, even if the previous one was interrupted.
    for _ in 0..3 {
        let again = open(&disk);
        assert_eq!(again.damage, told);
        assert_eq!(uncertain(&again.batches), told_uncertain);
        close(&again.spool);
    }
    let last = open(&disk);
    assert_eq!(last.damage, told);
    last.spool.damage_was_reported();
    close(&last.spool);
    let clean = open(&disk);
    assert_eq!(clean.damage, Damage::default());
    assert!(clean.batches.iter().all(|batch| !batch.is_uncertain));
    close(&clean.spool);
    // New damage in an old segment is returned.
    let mut image = disk.image();
    let path = segments(&image)[2].clone();
    damage_a_batch(&mut image, &path);
    assert_eq!(open(&TestDisk::of(image)).damage.unreadable, 1);
}

#[test]
fn damage_is_returned_again_after_a_start_that_was_interrupted_at_any_point() {
    let (image, intact) = damaged();
    let disk = TestDisk::of(image);
    let moments = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let recorded = std::sync::Arc::clone(&moments);
    disk.observe(move |image| recorded.lock().unwrap().push(image));
    let mut workload = Workload {
        spool: open(&disk).spool,
        model: SharedModel::default(),
        rng: fastrand::Rng::with_seed(1),
        living: Vec::new(),
        last_number: 0,
    };
    // This is enough traffic to remove the damaged segment. It is not removed before the damage was reported.
    let numbers: Vec<u64> = (1..150).collect();
    workload.spool.delete(numbers, None);
    for _ in 0..200 {
        workload.accept(100, Durability::Awaited);
        let living = workload.living.clone();
        workload.delete(living);
        workload.wait();
    }
    workload.close();
    let moments = std::mem::take(&mut *moments.lock().unwrap());
    assert!(segments(&disk.image()).contains(&segments(&moments[0])[1]));
    let mut rng = fastrand::Rng::with_seed(1);
    for image in moments {
        for image in [image.clone(), image.lose_power(&mut rng)] {
            let (batches, _, damage) = read(TestDisk::of(image));
            assert_eq!(damage.unreadable, 1, "{damage:?}");
            assert!(batches.len() <= intact);
        }
    }
}

#[test]
fn a_damaged_segment_is_removed_once_the_damage_was_reported() {
    let disk = TestDisk::of(damaged().0);
    let damaged = segments(&disk.image())[1].clone();
    let opened = open(&disk);
    opened.spool.damage_was_reported();
    opened.spool.delete((1..150).collect(), None);
    close(&opened.spool);
    close(&open(&disk).spool);
    assert!(!segments(&disk.image()).contains(&damaged));
    assert_eq!(open(&disk).damage, Damage::default());
}
