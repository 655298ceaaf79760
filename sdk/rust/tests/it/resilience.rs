//! A tracker that dies, hangs or refuses: nothing counts twice, and what is lost is said.

use std::{
    collections::BTreeSet,
    io::Write as _,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use ai_cost_tracker_client::{Attribution, Builder, Clock, QueueOptions, QueueStats, Tracker, UsageRecord};
use serde_json::Value;
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    proxy::{self, Answer, Way},
    servers::{Server, text},
};

const RECORDS: usize = 1_000;

/// The pauses are not what is tested here.
#[derive(Debug)]
struct Impatient(Instant);

impl Clock for Impatient {
    #[expect(clippy::disallowed_methods, reason = "the server has the time of day, too")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn random_below(&self, _: u64) -> u64 {
        0
    }

    fn unique_key(&self) -> String {
        format!("{:032x}", rand::random::<u128>())
    }
}

fn impatient(server: &Server, proxy: &str) -> Builder {
    let queue =
        QueueOptions { batch_max: 50, close_timeout: Duration::from_mins(1), ..QueueOptions::default() };
    let clock = Arc::new(Impatient(Instant::now()));
    server.client().base_url(format!("{proxy}/api")).queue(queue).clock(clock)
}

fn call(index: usize) -> UsageRecord {
    let attribution = Attribution { session_id: Some(index.to_string()), ..Attribution::default() };
    UsageRecord {
        service: Some("openai".to_owned()),
        prompt_tokens: Some(1),
        completion_tokens: Some(1),
        attribution,
        ..UsageRecord::new("gpt-4o-mini")
    }
}

/// Tracks them all.
async fn send_all(tracker: &Tracker) {
    (0..RECORDS).for_each(|index| tracker.track(call(index)));
    tracker.flush().await;
}

/// Each is there once.
fn assert_each_once(records: &[Value]) {
    let sessions: BTreeSet<String> = records.iter().map(|record| text(&record["sessionId"])).collect();
    assert_eq!((records.len(), sessions.len()), (RECORDS, RECORDS));
}

/// Sends everything through a proxy to which `happens` something; the client, and what the server has in the end.
async fn sent_through(
    timeout: Duration,
    mut happens: impl FnMut(usize, &Way, &mut Server) -> Answer + Send + 'static,
) -> (QueueStats, Vec<String>) {
    let server = Arc::new(Mutex::new(Server::start().await));
    let its = Arc::clone(&server);
    let proxy = proxy::start(move |index, way| happens(index, way, &mut its.lock().unwrap()));
    let problems = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&problems);
    let builder = impatient(&server.lock().unwrap(), &proxy).timeout(timeout);
    let tracker =
        builder.on_problem(move |problem| told.lock().unwrap().push(problem.to_owned())).build().unwrap();
    send_all(&tracker).await;
    let stats = tracker.stats();
    tracker.close().await;
    let records = block_in_place(|| Handle::current().block_on(server.lock().unwrap().records()));
    assert_each_once(&records);
    let problems = problems.lock().unwrap().clone();
    (stats, problems)
}

const PATIENT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_batch_is_on_its_way_and_started_again() {
    let (stats, problems) = sent_through(PATIENT, |index, way, server| {
        let url = server.url();
        if index % 7 != 3 {
            return way.pass(&url);
        }
        // It is under way when the server dies: taken or not, nobody knows.
        thread::scope(|scope| {
            let under_way = scope.spawn(|| way.pass(&url));
            server.restart("-KILL");
            under_way.join().unwrap()
        })
    })
    .await;
    assert_eq!((stats.sent + stats.duplicates, stats.dropped, stats.waiting), (1_000, 0, 0));
    assert_eq!(problems, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_in_order_while_batches_come_and_started_again() {
    let (stats, problems) = sent_through(PATIENT, |index, way, server| {
        if index == 4 {
            server.restart("-TERM");
            return None;
        }
        way.pass(&server.url())
    })
    .await;
    assert_eq!((stats.sent, stats.dropped), (1_000, 0));
    assert_eq!(problems, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_on_their_way_back() {
    let (stats, _) = sent_through(PATIENT, |index, way, server| {
        let answer = way.pass(&server.url());
        answer.filter(|_| index % 2 == 0)
    })
    .await;
    assert_eq!(stats, QueueStats { duplicates: 1_000, ..QueueStats::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_429_and_503_in_turn() {
    let (stats, problems) = sent_through(PATIENT, |index, way, server| match index % 3 {
        1 => Some(proxy::refusal(429)),
        2 => Some(proxy::refusal(503)),
        _ => way.pass(&server.url()),
    })
    .await;
    assert_eq!(stats, QueueStats { sent: 1_000, ..QueueStats::default() });
    assert_eq!(problems, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn slower_than_the_client_waits_what_was_taken_all_the_same_counts_once() {
    let (stats, _) = sent_through(Duration::from_secs(2), |index, way, server| {
        let answer = way.pass(&server.url());
        if index > 1 {
            return answer;
        }
        // The server took it, but its answer comes too late.
        way.until_the_client_leaves();
        None
    })
    .await;
    assert!(stats.duplicates >= 50, "{stats:?}");
    assert_eq!((stats.sent + stats.duplicates, stats.dropped), (1_000, 0));
}

#[tokio::test]
async fn what_the_tracker_refuses_is_counted_and_said_and_the_rest_is_taken() {
    let server = Server::start().await;
    let problems = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&problems);
    let tracker = server
        .client()
        .on_problem(move |problem| told.lock().unwrap().push(problem.to_owned()))
        .build()
        .unwrap();
    tracker.track(call(1));
    tracker.track(UsageRecord { request_id: Some("bad".to_owned()), ..UsageRecord::new("") });
    tracker.flush().await;
    assert_eq!(tracker.stats(), QueueStats { sent: 1, dropped: 1, refused: 1, ..QueueStats::default() });
    let problems = problems.lock().unwrap().clone();
    assert!(problems[0].contains("a record was lost: the tracker refused it: "), "{problems:?}");
    assert_eq!(server.records().await.len(), 1);
}

#[tokio::test]
async fn away_for_good_what_does_not_fit_is_lost_counted_and_said_and_the_caller_never_noticed() {
    let problems = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&problems);
    let queue = QueueOptions {
        records_max: 100,
        batch_max: 10,
        close_timeout: Duration::from_millis(30),
        ..QueueOptions::default()
    };
    let tracker = Tracker::builder()
        .base_url("http://127.0.0.1:1/api")
        .queue(queue)
        .on_problem(move |problem| told.lock().unwrap().push(problem.to_owned()))
        .build()
        .unwrap();
    (0..RECORDS).for_each(|index| tracker.track(call(index)));
    tracker.close().await;
    assert_eq!(tracker.stats(), QueueStats { dropped: 1_000, ..QueueStats::default() });
    let said = problems.lock().unwrap().clone();
    let full = "AI Cost Tracker: a record was lost: the queue is full; further losses are only counted";
    assert_eq!(said, [full, "AI Cost Tracker: records lost in all: 1000"]);
}

/// A byte now and then, and never the last one.
fn drip(connection: std::io::Result<TcpStream>) {
    let mut connection = connection.unwrap();
    let mut piece: &[u8] = b"HTTP/1.1 200 OK\r\n";
    while connection.write_all(piece).is_ok() {
        thread::park_timeout(Duration::from_millis(5));
        piece = b"x";
    }
}

#[tokio::test]
async fn a_tracker_that_answers_a_byte_at_a_time_is_one_that_does_not_answer() {
    let dripping = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/api", dripping.local_addr().unwrap());
    thread::spawn(move || {
        dripping.incoming().for_each(|connection| drop(thread::spawn(|| drip(connection))));
    });
    let queue = QueueOptions { close_timeout: Duration::from_millis(300), ..QueueOptions::default() };
    let timeout = Duration::from_millis(100);
    let problems = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&problems);
    let builder = Tracker::builder().base_url(base_url).timeout(timeout).queue(queue);
    let builder = builder.on_problem(move |problem| told.lock().unwrap().push(problem.to_owned()));
    let tracker = builder.build().unwrap();
    tracker.track(call(1));
    assert!(tracker.track_now(call(2)).await.is_err());
    tracker.close().await;
    assert_eq!(tracker.stats(), QueueStats { dropped: 1, ..QueueStats::default() });
    assert_eq!(problems.lock().unwrap().last().unwrap(), "AI Cost Tracker: records lost in all: 1");
}

#[test]
fn whoever_drops_the_last_client_sends_what_waits() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    // No runtime here: the client has its own.
    let tracker = server.client().build().unwrap();
    let clone = tracker.clone();
    clone.track(call(1));
    drop(tracker);
    drop(clone);
    assert_eq!(runtime.block_on(server.records()).len(), 1);
}

#[tokio::test]
async fn a_client_that_is_closed_loses_what_comes_later_and_says_so() {
    let server = Server::start().await;
    let tracker = server.client().on_problem(|_| {}).build().unwrap();
    tracker.close().await;
    tracker.close().await;
    tracker.track(call(1));
    tracker.flush().await;
    assert_eq!(tracker.stats(), QueueStats { dropped: 1, ..QueueStats::default() });
    assert_eq!(tracker.track_now(call(2)).await.unwrap_err().to_string(), "the client is closed");
}
