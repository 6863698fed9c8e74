//! Tests of the disk space that the files take, and of a full disk.

use super::disk::{Operation, TestDisk};
use super::model::{FOLDER, OPTIONS, SharedModel, Workload, close, read};
use crate::spool::files::Disk;
use crate::spool::{Durability, Options, Spool};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// The size of two segments, the spare, the watermark and the lock.
const FIXED: usize = 3 * 4096 + 100;

#[test]
fn files_stay_small_under_steady_traffic() {
    for (pending, length, is_ordered) in [(3, 100, true), (3, 100, false), (60, 700, false)] {
        let disk = TestDisk::default();
        let model = SharedModel::default();
        let mut workload = Workload::start(disk.clone(), model.clone(), 9);
        let mut largest = 0;
        for round in 0..3_000 {
            workload.accept(length, Durability::Awaited);
            if workload.living.len() > pending {
                let last = workload.living.len() - 1;
                // The first batch stays pending, and keeps the oldest segment from being removed unless it is copied.
                let at = if is_ordered { 0 } else { workload.rng.usize(1..last) };
                let deleted = workload.living.remove(at);
                workload.delete(vec![deleted]);
            }
            if round % 3 == 0 {
                workload.wait();
                largest = largest.max(disk.image().total_length());
            }
        }
        workload.close();
        let bound = 2 * (pending + 1) * (length + 44) + FIXED;
        assert!(largest <= bound, "{largest} bytes, {bound} expected");
        let (batches, seals, damage) = read(disk);
        assert_eq!((batches.len(), damage.description), (pending, None));
        model.lock().unwrap().check(&batches, &seals);
    }
}

#[test]
fn an_idle_spool_shrinks_without_traffic() {
    let disk = TestDisk::default();
    let mut workload = Workload::start(disk.clone(), SharedModel::default(), 9);
    for _ in 0..300 {
        workload.accept(200, Durability::Awaited);
    }
    workload.wait();
    assert!(disk.image().total_length() > 60_000);
    // Every tenth batch is kept. Each segment therefore contains live batches.
    let living = workload.living.clone().into_iter().enumerate();
    workload.delete(living.filter(|(at, _)| at % 10 > 0).map(|(_, living)| living).collect());
    workload.wait();
    let begun = Instant::now();
    while disk.image().total_length() > 2 * 30 * 244 + FIXED {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", disk.image().total_length());
        std::thread::yield_now();
    }
    workload.close();
}

#[test]
fn an_idle_spool_makes_no_calls() {
    let disk = TestDisk::default();
    let mut workload = Workload::start(disk.clone(), SharedModel::default(), 9);
    (0..100).for_each(|_| workload.step());
    workload.wait();
    // The watermark is written within a second.
    std::thread::sleep(Duration::from_millis(1_200));
    let calls = disk.calls();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(disk.calls(), calls);
    workload.close();
}

#[test]
fn on_a_full_disk_only_new_batches_are_refused() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 9);
    disk.set_capacity(Some(40_000));
    for round in 0..10 {
        let refused = model.lock().unwrap().refused.len();
        while model.lock().unwrap().refused.len() == refused {
            workload.accept(200, Durability::Awaited);
            workload.wait();
        }
        let error = workload.spool.check().unwrap_err().to_string();
        assert!(error.contains("free space on its disk"), "{error}");
        let is_acknowledged =
            |(tag, _): &(u64, u64)| model.lock().unwrap().acknowledged.contains(tag);
        workload.living.retain(is_acknowledged);
        assert!(workload.living.len() > 50, "{}", workload.living.len());
        let tag = workload.accept(100, Durability::Promised);
        let members: Vec<u64> = workload.living.iter().take(3).map(|(_, number)| *number).collect();
        let seal = workload.seal(members);
        workload.wait();
        assert!([tag, seal].iter().all(|tag| model.lock().unwrap().acknowledged.contains(tag)));
        // This is more than the spare can contain, unless segments are removed in the meantime.
        let count = if round % 2 == 0 { workload.living.len() } else { workload.living.len() - 2 };
        let deleted = workload.living.drain(..count).collect::<Vec<_>>();
        for one in deleted {
            workload.delete(vec![one]);
        }
        workload.wait();
        workload.wait_until_healed();
    }
    workload.close();
    let (batches, seals, damage) = read(disk);
    assert_eq!(damage.description, None);
    model.lock().unwrap().check(&batches, &seals);
}

#[test]
fn accepted_batches_wait_for_space() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 9);
    disk.set_capacity(Some(20_000));
    (0..200).for_each(|_| _ = workload.accept(200, Durability::Promised));
    std::thread::sleep(Duration::from_millis(50));
    assert!(model.lock().unwrap().acknowledged.len() < 100);
    let refused = workload.accept(200, Durability::Awaited);
    let begun = Instant::now();
    while !model.lock().unwrap().refused.contains(&refused) {
        assert!(begun.elapsed() < Duration::from_secs(20), "closing waits for a full disk");
    }
    disk.set_capacity(None);
    workload.wait();
    assert_eq!(model.lock().unwrap().refused.len(), 1);
    workload.close();
    let (batches, seals, _) = read(disk);
    model.lock().unwrap().check(&batches, &seals);
}

#[test]
fn a_full_disk_does_not_keep_a_spool_from_closing_or_opening() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 9);
    disk.set_capacity(Some(20_000));
    (0..200).for_each(|_| _ = workload.accept(200, Durability::Promised));
    workload.close();
    let refused = model.lock().unwrap().refused.len();
    assert!(refused > 50);
    let workload = Workload::start(disk.clone(), model.clone(), 9);
    assert!(workload.living.len() > 30);
    workload.close();
    assert_eq!(disk.image().paths().iter().filter(|path| !path.starts_with(FOLDER)).count(), 0);
}

/// If syncing a seal fails, it is not known whether the seal is on disk. It is then written again.
#[test]
fn a_seal_in_doubt_is_written_again() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 9);
    (0..5).for_each(|_| _ = workload.accept(100, Durability::Awaited));
    workload.wait();
    disk.set_fault(|_, operation, _| (operation == Operation::Sync).then_some(ErrorKind::Other));
    let members = workload.living.iter().map(|(_, number)| *number).collect();
    let seal = workload.seal(members);
    let begun = Instant::now();
    // The spare may fail first.
    let is_in_doubt = |error: crate::Error| error.to_string().contains("may still be delivered");
    while !workload.spool.check().is_err_and(is_in_doubt) {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    let waiting = workload.accept(100, Durability::Awaited);
    std::thread::sleep(Duration::from_millis(20));
    let model_now = model.lock().unwrap().clone();
    assert!(![seal, waiting].iter().any(|tag| model_now.acknowledged.contains(tag)));
    assert!(model_now.refused.is_empty());
    // The process may be killed now. The acknowledged seal is found exactly once.
    let (batches, seals, _) = read(TestDisk::of(disk.image()));
    model_now.check(&batches, &seals);
    disk.remove_fault();
    workload.wait();
    assert!(model.lock().unwrap().refused.is_empty());
    workload.spool.check().unwrap();
    let (batches, seals, _) = read(TestDisk::of(disk.image()));
    assert_eq!((batches.len(), seals.len()), (6, 1));
    workload.close();
}

#[test]
fn a_spool_closes_while_a_write_is_in_doubt() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 9);
    disk.set_fault(|_, operation, _| (operation == Operation::Sync).then_some(ErrorKind::Other));
    workload.accept(100, Durability::Awaited);
    close(&workload.spool);
    assert_eq!(model.lock().unwrap().refused.len(), 1);
}

/// Requires a folder on a disk of about 30 MB, which the test fills: `mount -t tmpfs -o size=30m tmpfs FOLDER`.
#[test]
fn a_small_disk_that_is_full_can_be_used_again_after_deletes() {
    let Some(disk) = std::env::var_os("MPARTICLE_SMALL_DISK") else {
        println!("skipped: MPARTICLE_SMALL_DISK does not name a folder on a small disk");
        return;
    };
    let folder = tempfile::tempdir_in(Path::new(&disk)).unwrap();
    let options = Options { segment_size: 1024 * 1024, ..OPTIONS };
    let model = SharedModel::default();
    let mut workload = Workload::start_in(Disk, folder.path(), options, model.clone(), 1);
    for _ in 0..3 {
        let refused = model.lock().unwrap().refused.len();
        while model.lock().unwrap().refused.len() == refused {
            (0..100).for_each(|_| _ = workload.accept(1_500, Durability::Awaited));
            workload.wait();
        }
        let is_acknowledged =
            |(tag, _): &(u64, u64)| model.lock().unwrap().acknowledged.contains(tag);
        workload.living.retain(is_acknowledged);
        println!("{} batches fit", workload.living.len());
        workload.close();
        // Opened and read on the full disk.
        workload = Workload::start_in(Disk, folder.path(), options, model.clone(), 1);
        let filling = folder.path().join("filling");
        _ = fs::write(&filling, vec![1; 64 * 1024 * 1024]);
        let deleted = std::mem::take(&mut workload.living);
        for one in deleted {
            workload.delete(vec![one]);
        }
        workload.wait();
        fs::remove_file(filling).unwrap();
        workload.wait_until_healed();
    }
    workload.close();
    let Ok(opened) = Spool::open_on(Disk, folder.path(), options) else { panic!("not opened") };
    model.lock().unwrap().check(&opened.batches, &opened.seals);
    close(&opened.spool);
}
