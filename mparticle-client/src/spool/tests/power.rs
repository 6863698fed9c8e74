//! Tests of a loss of power, and of failing calls, at every point.

use super::disk::{Image, Operation, TestDisk};
use super::model::{Model, SharedModel, Workload, read};
use crate::spool::{Damage, Durability};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

/// Runs a workload. Returns the disk and the model before each call that changes the disk.
fn history(disk: &TestDisk, model: &SharedModel, seed: u64) -> Vec<(Image, Model)> {
    let moments = Arc::new(Mutex::new(Vec::new()));
    let (recorded, observed) = (Arc::clone(&moments), model.clone());
    disk.observe(move |image| {
        recorded.lock().unwrap().push((image, observed.lock().unwrap().clone()));
    });
    let mut workload = Workload::start(disk.clone(), model.clone(), seed);
    (0..150).for_each(|_| workload.step());
    workload.close();
    disk.observe(|_| ());
    std::mem::take(&mut moments.lock().unwrap())
}

fn check(image: Image, model: &Model) {
    let (batches, seals, damage) = read(TestDisk::of(image));
    assert_eq!(damage, Damage::default());
    model.check(&batches, &seals);
}

#[test]
fn a_loss_of_power_at_any_point_loses_no_durable_write() {
    for seed in 0..6 {
        let disk = TestDisk::default();
        let moments = history(&disk, &SharedModel::default(), seed);
        assert!(moments.len() > 100);
        for (moment, (image, model)) in moments.into_iter().enumerate() {
            let mut rng = fastrand::Rng::with_seed(seed * 10_000 + moment as u64);
            check(image.lose_power(&mut rng), &model);
        }
    }
}

#[test]
fn writes_after_a_loss_of_power_are_found_again() {
    for seed in 0..3 {
        let moments = history(&TestDisk::default(), &SharedModel::default(), seed);
        for (moment, (image, model)) in moments.into_iter().enumerate().step_by(5) {
            let mut rng = fastrand::Rng::with_seed(seed * 10_000 + moment as u64);
            let disk = TestDisk::of(image.lose_power(&mut rng));
            let model = Arc::new(Mutex::new(model));
            let begun = model.lock().unwrap().clone();
            *model.lock().unwrap() = begun.after_restart();
            let mut workload = Workload::start(disk.clone(), model.clone(), seed);
            (0..20).for_each(|_| workload.step());
            workload.close();
            let mut workload = Workload::start(disk.clone(), model.clone(), seed);
            workload.accept(100, Durability::Awaited);
            workload.close();
            let image = disk.image().lose_power(&mut rng);
            check(image, &model.lock().unwrap());
        }
    }
}

#[test]
fn any_call_may_fail_for_a_while() {
    for failures in [1, 4] {
        let mut call = 0;
        loop {
            call += 1;
            let disk = TestDisk::default();
            let model = SharedModel::default();
            let mut workload = Workload::start(disk.clone(), model.clone(), 5);
            let begin = disk.calls() + call;
            disk.set_fault(move |calls, operation, _| {
                let is_hit = (begin..begin + failures).contains(&calls);
                (is_hit && operation != Operation::Read).then_some(ErrorKind::Other)
            });
            (0..60).for_each(|_| workload.step());
            workload.wait();
            let calls = disk.calls();
            check(disk.image(), &model.lock().unwrap());
            let mut rng = fastrand::Rng::with_seed(call);
            check(disk.image().lose_power(&mut rng), &model.lock().unwrap());
            workload.wait_until_healed();
            let tag = workload.accept(8, Durability::Awaited);
            workload.wait();
            assert!(model.lock().unwrap().acknowledged.contains(&tag));
            workload.close();
            check(disk.image().lose_power(&mut rng), &model.lock().unwrap());
            if calls < begin {
                break;
            }
        }
        assert!(call > 30, "{call} calls failed");
    }
}
