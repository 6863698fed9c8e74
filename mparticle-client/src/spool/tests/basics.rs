//! Tests that batches and seals are found again.

use super::disk::TestDisk;
use super::model::{SharedModel, Workload, close, read};
use super::unnumbered;
use crate::spool::{Durability, Opened, Spool};
use proptest::prelude::*;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn batches_and_seals_survive_and_deletes_hold() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { spool, batches, .. } = Spool::open(folder.path()).unwrap();
    assert!(batches.is_empty());
    let (sender, results) = mpsc::channel();
    let done = || {
        let sender = sender.clone();
        Box::new(move |result| sender.send(result).unwrap())
    };
    let first = spool.accept(b"first".to_vec(), Durability::Awaited, unnumbered(done()));
    let second = spool.accept(b"second".to_vec(), Durability::Promised, unnumbered(done()));
    let third = spool.accept(b"third".to_vec(), Durability::Awaited, unnumbered(done()));
    let seal = spool.seal("id".to_owned(), vec![first, third], 77, done());
    spool.delete(vec![second], Some(done()));
    for _ in 0..5 {
        let result: Result<(), crate::Error> =
            results.recv_timeout(Duration::from_secs(20)).unwrap();
        result.unwrap();
    }
    close(&spool);
    let Opened { spool, batches, seals, damage } = Spool::open(folder.path()).unwrap();
    assert_eq!(damage.description, None);
    let found: Vec<_> = batches.iter().map(|batch| (batch.number, batch.record.as_ref())).collect();
    assert_eq!(found, [(first, &b"first"[..]), (third, &b"third"[..])]);
    assert!(batches.iter().all(|batch| !batch.is_uncertain));
    let [found] = &seals[..] else { panic!("{} seals", seals.len()) };
    assert_eq!((found.number, found.id.as_str(), found.document_crc), (seal, "id", 77));
    assert_eq!(found.members, [first, third]);
    spool.delete(vec![first, third, seal], None);
    assert!(spool.accept(Vec::new(), Durability::Awaited, |_, _| ()) > seal);
    close(&spool);
    let opened = Spool::open(folder.path()).unwrap();
    assert_eq!((opened.batches.len(), opened.seals.len()), (1, 0));
}

#[test]
fn jobs_after_the_end_receive_a_reply() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { spool, .. } = Spool::open(folder.path()).unwrap();
    close(&spool);
    let (sender, results) = mpsc::channel();
    let done = Box::new(move |result| sender.send(result).unwrap());
    spool.accept(Vec::new(), Durability::Awaited, unnumbered(done));
    let result: Result<(), crate::Error> = results.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(result.unwrap_err().kind(), crate::ErrorKind::Closed);
}

#[test]
fn a_dropped_spool_completes_its_jobs() {
    let disk = TestDisk::default();
    let model = SharedModel::default();
    let mut workload = Workload::start(disk.clone(), model.clone(), 1);
    (0..500).for_each(|_| workload.step());
    let Workload { spool, .. } = workload;
    drop(spool);
    let begun = std::time::Instant::now();
    while disk.is_locked() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the thread does not end");
        std::thread::yield_now();
    }
    assert!(model.lock().unwrap().refused.is_empty());
    let (batches, seals, _) = read(disk);
    model.lock().unwrap().check(&batches, &seals);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_sequence_survives_restarts(
        seed: u64,
        lives in prop::collection::vec((0_u32..120, any::<bool>()), 1..6),
    ) {
        let disk = TestDisk::default();
        let model = SharedModel::default();
        let mut last_number = 0;
        for (life, (steps, is_killed)) in lives.into_iter().enumerate() {
            let mut workload =
                Workload::start(disk.clone(), model.clone(), seed.wrapping_add(life as u64));
            workload.last_number = last_number;
            (0..steps).for_each(|_| workload.step());
            last_number = workload.last_number;
            if is_killed {
                workload.wait();
                drop(workload);
                while disk.is_locked() {
                    std::thread::yield_now();
                }
            } else {
                workload.close();
            }
        }
        prop_assert!(model.lock().unwrap().refused.is_empty());
        let (batches, seals, damage) = read(disk);
        prop_assert_eq!(damage.description, None);
        model.lock().unwrap().check(&batches, &seals);
    }
}
