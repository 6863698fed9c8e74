//! Tests of the delivery at a rate limit: goodput, share of 429s and failures under lasting load, with paused time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod load;

use futures_util::{StreamExt, stream};
use load::{
    DEFAULT_LIMIT, HEADER, Run, SECOND, batch, builder, client, client_with_deadline, emulator,
    emulator_away, limit, offer, row, workers,
};
use mparticle_client::Client;
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// mParticle's default limit.
const L: f64 = 270.0;
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn many_workers_use_the_limit_and_do_not_exceed_it() {
    for header in HEADER {
        for (number, per_second) in [(1_000, 270), (60, 50)] {
            let emulator = emulator(limit(per_second, header));
            let figures = workers(&emulator, &[client(&emulator)], number, MINUTE).await;
            let name = format!("{number} workers, {per_second}/s");
            row(&name, header, &figures, 0.96 * f64::from(per_second), 0.01);
            assert_eq!(figures.failed, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn below_the_limit_nothing_is_delayed() {
    for header in HEADER {
        let limited = emulator(limit(DEFAULT_LIMIT, header));
        let figures = workers(&limited, &[client(&limited)], 1, MINUTE).await;
        row("1 worker", header, &figures, 1.0 / 0.02 - 1.0, 0.0);
        assert_eq!(figures.failed, 0);

        let limited = emulator(limit(DEFAULT_LIMIT, header));
        let figures = offer(&limited, &client(&limited), 250, MINUTE, None).await;
        row("250/s offered", header, &figures, 249.0, 0.0);
        assert_eq!((figures.failed, limited.counts().accepted_batches), (0, 250 * 60));
    }
}

#[tokio::test(start_paused = true)]
async fn under_lasting_overload_the_limit_is_used_and_the_other_uploads_fail_in_time() {
    let give_up = Some(2 * SECOND);
    // The last row takes long, and shows the same with and without the header.
    for (name, seconds, deadline, abandon_after, headers) in [
        ("400/s offered, deadline of 2 s", 60_u32, 2_u32, None, &HEADER[..]),
        ("400/s offered, callers give up after 2 s", 60, 2, give_up, &HEADER),
        ("400/s offered for 160 s", 160, 60, None, &[false]),
    ] {
        for &header in headers {
            let emulator = emulator(limit(DEFAULT_LIMIT, header));
            let overall = if abandon_after.is_some() { MINUTE } else { deadline * SECOND };
            let client = client_with_deadline(&emulator, overall);
            let figures = offer(&emulator, &client, 400, seconds * SECOND, abandon_after).await;
            row(name, header, &figures, 0.95 * L, 0.01);
            let most = f64::from(400 * seconds) - 0.95 * L * f64::from(seconds + deadline);
            assert!(f64::from(u32::try_from(figures.failed).unwrap()) <= most, "{name}: {most}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn upload_all_uses_the_limit_until_everything_is_sent() {
    for header in HEADER {
        for (number, per_second, concurrency, goodput, refused) in
            [(50_000, 270, 16, 0.90, 0.04), (20_000, 100, 4, 0.75, 0.10)]
        {
            let emulator = emulator(limit(per_second, header));
            let client = client(&emulator);
            let upload = tokio::spawn(async move {
                client.upload_all((0..number).map(|_| batch())).concurrency(concurrency).await
            });
            let run = Run::begin(&emulator).await;
            let report = upload.await.unwrap();
            assert_eq!((report.delivered(), report.failed().len()), (number, 0));
            let name = format!("upload_all of {number} by {concurrency}, {per_second}/s");
            let goodput = goodput * f64::from(per_second);
            row(&name, header, &run.figures(), goodput, refused);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_falls_or_rises_is_followed() {
    for header in HEADER {
        let falling = emulator(limit(270, header));
        let change = falling.clone();
        tokio::spawn(async move {
            sleep(20 * SECOND).await;
            change.set_rate_limit(limit(100, header));
        });
        let figures = workers(&falling, &[client(&falling)], 100, MINUTE).await;
        let available = (20.0 * 270.0 + 40.0 * 100.0) / 60.0;
        row("270/s falls to 100/s after 20 s", header, &figures, 0.95 * available, 0.01);
        assert_eq!(figures.failed, 0);

        let rising = emulator(limit(100, header));
        let watched = rising.clone();
        let rates = tokio::spawn(async move {
            sleep(20 * SECOND).await;
            watched.set_rate_limit(limit(270, header));
            let mut rates = Vec::new();
            // These are measured in a second around 30 and 50 seconds after the rise.
            for wait in [29_500, 19_000] {
                sleep(Duration::from_millis(wait)).await;
                let before = watched.counts().accepted_batches;
                sleep(SECOND).await;
                rates.push(watched.counts().accepted_batches - before);
            }
            rates
        });
        let figures = workers(&rising, &[client(&rising)], 100, 90 * SECOND).await;
        row("100/s rises to 270/s after 20 s", header, &figures, 0.0, 0.01);
        let rates = rates.await.unwrap();
        println!("    {rates:?}/s after 30 and 50 s");
        assert!(rates[0] >= 160 && rates[1] >= 200, "{rates:?}");
        assert_eq!(figures.failed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_far_away_or_with_a_small_bucket_is_used() {
    for header in HEADER {
        let far = emulator_away(Duration::from_millis(200), limit(DEFAULT_LIMIT, header));
        let figures = workers(&far, &[client(&far)], 300, MINUTE).await;
        row("300 workers, 200 ms away", header, &figures, 0.93 * L, 0.02);
        assert_eq!(figures.failed, 0);

        let small = emulator(limit(DEFAULT_LIMIT, header).burst(DEFAULT_LIMIT / 2));
        let figures = workers(&small, &[client(&small)], 100, MINUTE).await;
        row("100 workers, burst of half a second", header, &figures, 0.70 * L, 0.01);
        assert_eq!(figures.failed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn independent_processes_share_a_limit() {
    for header in HEADER {
        for (processes, refused) in [(20, 0.01), (100, 0.05)] {
            let emulator = emulator(limit(DEFAULT_LIMIT, header));
            let clients: Vec<Client> = (0..processes).map(|_| client(&emulator)).collect();
            let figures = workers(&emulator, &clients, 20, MINUTE).await;
            let name = format!("{processes} processes of 20 workers");
            row(&name, header, &figures, 0.96 * L, refused);
            assert_eq!(figures.failed, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn uploads_in_the_body_of_a_loop_over_uploads_do_not_deadlock() {
    for header in HEADER {
        let emulator = emulator(limit(50, header));
        let client = builder(&emulator).max_in_flight(8).build().unwrap();
        let task = tokio::spawn(async move {
            let batch = batch();
            let uploads = (0..).map(|_| client.upload_events(&batch));
            let mut uploads = stream::iter(uploads).buffer_unordered(8);
            while let Some(result) = uploads.next().await {
                result.unwrap();
                client.upload_events(&batch).await.unwrap();
            }
        });
        let run = Run::begin(&emulator).await;
        sleep(59 * SECOND).await;
        assert!(!task.is_finished(), "an upload failed");
        row("a loop of uploads with one in its body, 50/s", header, &run.figures(), 45.0, 0.01);
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_429_to_everything_the_rate_doubles_and_no_burst_follows() {
    for (uploads, seconds) in [(300, 8), (10_000, 15)] {
        let server = Emulator::builder().latency(Duration::from_millis(20)).in_memory();
        server.always(Answer::status(429).retry_after(1));
        let client = builder(&server).build().unwrap();
        let start = Instant::now();
        let tasks: Vec<_> = (0..uploads)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.upload_events(&batch()).await })
            })
            .collect();
        sleep(SECOND).await;
        server.always(Answer::normal());
        let (limiter, watched) = (client.rate_limiter(), server.clone());
        let watch = tokio::spawn(async move {
            let mut before = watched.counts().requests;
            loop {
                sleep(SECOND / 10).await;
                let rate = limiter.snapshot().batches_per_second.unwrap();
                let sent = watched.counts().requests - before;
                before += sent;
                let sent = u32::try_from(sent).unwrap();
                assert!(f64::from(sent) <= 0.5 * rate + 2.0, "{sent} in 100 ms at {rate:.0}/s");
            }
        });
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let elapsed = start.elapsed();
        println!("{uploads} uploads after a second of 429s took {:.1} s", elapsed.as_secs_f64());
        assert!(elapsed <= seconds * SECOND, "{uploads}: {elapsed:?}");
        assert!(!watch.is_finished(), "{:?}", watch.await);
        watch.abort();
    }
}

/// Returns the time that a load takes without the header, and with a header that reports a nearly used limit.
async fn with_and_without_header(
    percentage: &str,
    load: impl AsyncFn(Client),
) -> (Duration, Duration) {
    let time = async |answer: Answer| {
        let emulator = Emulator::builder().latency(Duration::from_millis(20)).in_memory();
        emulator.always(answer);
        let start = Instant::now();
        load(builder(&emulator).build().unwrap()).await;
        assert_eq!(emulator.counts().rate_limited_requests, 0);
        start.elapsed()
    };
    let without = time(Answer::normal()).await;
    let header = Answer::normal().header("x-mp-rate-limit-percentage-used", percentage);
    (without, time(header).await)
}

#[tokio::test(start_paused = true)]
async fn the_percentage_header_alone_slows_nothing_down() {
    let (without, with) = with_and_without_header("95", async |client: Client| {
        let batch = batch();
        let uploads = (0..600).map(|_| client.upload_events(&batch));
        let mut uploads = stream::iter(uploads).buffer_unordered(8);
        while let Some(result) = uploads.next().await {
            result.unwrap();
            client.upload_events(&batch).await.unwrap();
        }
    })
    .await;
    println!("a loop of uploads: {without:?}, at 95 % {with:?}");
    assert!(with <= without.mul_f64(1.2), "{without:?}, {with:?}");
    let (without, with) = with_and_without_header("85", async |client: Client| {
        for (per_second, seconds) in [(1, 60), (20, 10)] {
            for _ in 0..per_second * seconds {
                let upload = client.clone();
                tokio::spawn(async move { upload.upload_events(&batch()).await.unwrap() });
                sleep(SECOND / per_second).await;
            }
        }
        assert!(client.upload_all((0..30_000).map(|_| batch())).await.is_complete());
    })
    .await;
    println!("few, then more, then upload_all: {without:?}, at 85 % {with:?}");
    assert!(with <= without.mul_f64(1.2), "{without:?}, {with:?}");
}
