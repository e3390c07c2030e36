//! What a message costs the queue while many others wait for a smarthost that is away: nothing, 1,000 and 300,000.
//!
//! `cargo bench --bench queue`; a number after `--` measures that many alone. One JSON object a line. `ratio` is the median to that
//! with nothing waiting in the same run: intake and the rounds of delivery are not to slow down.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use schoolgate::config::Config;
use schoolgate::inspect::{Report, inspect};
use schoolgate::smtp::{Address, Envelope};
use schoolgate::store::{Class, NewEntry, Outcome, QueueId, RecipientOutcome, State, Store, StoreKey};
use tokio::task::JoinSet;

/// Times that each step is measured.
const TIMES: usize = 200;
/// Messages laid down at once.
const AT_ONCE: usize = 500;
const LEASE: Duration = Duration::from_secs(60);
const CONTENT: &[u8] = b"From: Office <office@saltmere.example>\r\nTo: info@firm.example\r\nSubject: Boiler\r\n\r\n\
    The boiler is to be looked at on Thursday.\r\n";

struct Queue {
    store: Store,
    envelope: Envelope,
    report: Report,
    now: Timestamp,
}

impl Queue {
    async fn open(directory: &Path) -> Self {
        let school = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school/school.toml");
        let config = Config::load(&school).expect("the school of the fixtures");
        let ground = schoolgate::command::ground::load(&config).expect("its roster").ground;
        let address = |text: &str| Address::parse(text).expect("an address");
        let envelope = Envelope::new(Some(address("office@saltmere.example")), vec![address("info@firm.example")]);
        let now = Timestamp::now();
        let report = inspect(&ground, &envelope, CONTENT, now);
        let store = Store::open_exclusive(directory, StoreKey::from_bytes([7; 32])).await.expect("a store");
        Self { store, envelope, report, now }
    }

    fn entry(&self, id: String) -> NewEntry {
        NewEntry {
            id: QueueId(id),
            class: Class::Mail,
            about: None,
            state: State::Queued,
            envelope: self.envelope.clone(),
            content: Arc::from(CONTENT),
            sha256: ring::digest::digest(&ring::digest::SHA256, CONTENT).as_ref().try_into().expect("32 octets"),
            report: Some(self.report.clone()),
            at: self.now,
            client: None,
        }
    }

    async fn put_off(store: Store, id: QueueId, until: Timestamp) {
        let reply = "421 4.3.2 not now".to_owned();
        let outcomes = vec![RecipientOutcome { position: 0, outcome: Outcome::Deferred { reply } }];
        store.record_attempt(&id, outcomes, until, Vec::new()).await.expect("recorded");
    }

    /// So many messages that were tried once, and are to be tried again in an hour.
    async fn lay(&self, many: usize) {
        for from in (0..many).step_by(AT_ONCE) {
            let entries = (from..many.min(from + AT_ONCE)).map(|at| self.entry(format!("w{at:07}"))).collect();
            self.store.commit(entries).await.expect("kept");
            let due = self.store.lease_due(Timestamp::now(), AT_ONCE as u32, LEASE).await.expect("leased");
            let mut tasks = JoinSet::new();
            for message in due {
                let until = self.now + SignedDuration::from_hours(1);
                tasks.spawn(Self::put_off(self.store.clone(), message.id, until));
            }
            tasks.join_all().await;
        }
    }
}

/// Median and 95th percentile, in ms.
fn figures(mut took: Vec<f64>) -> (f64, f64) {
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 95 / 100])
}

/// Each step's median and 95th percentile while so many wait.
async fn measure(waiting: usize) -> BTreeMap<&'static str, (f64, f64)> {
    let directory = tempfile::tempdir().expect("a directory");
    let queue = Queue::open(directory.path()).await;
    queue.lay(waiting).await;
    let store = &queue.store;
    let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for at in 0..TIMES {
        let mut note = |step: &'static str, begun: Instant| {
            took.entry(step).or_default().push(begun.elapsed().as_secs_f64() * 1_000.0);
        };
        let begun = Instant::now();
        store.commit(vec![queue.entry(format!("n{at:07}"))]).await.expect("kept");
        note("a message is taken", begun);
        let begun = Instant::now();
        let due = store.lease_due(Timestamp::now(), 20, LEASE).await.expect("leased");
        note("what is due is leased", begun);
        assert_eq!(due.len(), 1, "what is not due waits");
        let begun = Instant::now();
        Queue::put_off(store.clone(), due[0].id.clone(), queue.now + SignedDuration::from_hours(1)).await;
        note("what became of it is recorded", begun);
        let begun = Instant::now();
        assert!(store.lease_due(Timestamp::now(), 20, LEASE).await.expect("leased").is_empty());
        note("nothing is due", begun);
        let begun = Instant::now();
        let long_ago = queue.now - SignedDuration::from_hours(24);
        assert!(store.lease_old(queue.now, long_ago, 20, LEASE).await.expect("leased").is_empty());
        note("nothing is to be given up", begun);
        let begun = Instant::now();
        assert!(store.delayed(long_ago, true, 20).await.expect("read").is_empty());
        note("nobody is to be told of a delay", begun);
    }
    took.into_iter().map(|(step, took)| (step, figures(took))).collect()
}

fn main() {
    let only = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let peer = runtime.block_on(measure(0));
    for waiting in only.map_or(vec![1_000, 300_000], |only| vec![only]) {
        for (step, (p50, p95)) in runtime.block_on(measure(waiting)) {
            let ratio = p50 / peer[step].0;
            println!(
                "{{\"waiting\":{waiting},\"step\":\"{step}\",\"p50_ms\":{p50:.3},\"p95_ms\":{p95:.3},\"ratio\":{ratio:.2}}}"
            );
        }
    }
}
