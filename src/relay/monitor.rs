//! Metrics and health, on a port of their own: `/metrics` (Prometheus text 0.0.4, or OpenMetrics for who asks), `/healthz` (the process lives), `/readyz`
//! (it takes mail; otherwise 503 with a reason a line).
//!
//! The metrics are the closed list of [`Metric`], and the functions here are the only places that record them, so that
//! label values are closed lists too: never an address, a name or a text from a peer. The port has no password; it
//! belongs on loopback.

mod openmetrics;

use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use super::health::Health;
use crate::limits;
use crate::policy::Action;
use crate::smtp::NotSignedIn;

macro_rules! metric_list {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $word:literal, $help:literal;)*) => {
        /// Every metric that the gateway has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Metric { $($(#[$doc])* #[doc = $help] $name,)* }
        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
            /// What it tells, in one line.
            pub fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }
            fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Seconds,
    Octets,
}

metric_list! {
    Connections, Counter, "schoolgate_connections_total", "Connections to the SMTP port; outcome: accepted, refused";
    ConnectionsOpen, Gauge, "schoolgate_connections_open", "Connections to the SMTP port that are open";
    Disconnections, Counter, "schoolgate_disconnections_total", "Connections that ended; reason: quit, lost, timed-out and so on";
    MessagesRefused, Counter, "schoolgate_messages_refused_total", "Messages that were answered with 4xx or 5xx behind their content; class: 4, 5";
    MessagesTaken, Counter, "schoolgate_messages_taken_total", "Messages that were answered with 250";
    Messages, Counter, "schoolgate_messages_total", "Messages decided; action: deliver, warn, hold, reject";
    MessageOctets, Octets, "schoolgate_message_octets", "Size of messages received";
    AnswerSeconds, Seconds, "schoolgate_answer_seconds", "From a message's final dot to its answer";
    InspectionSeconds, Seconds, "schoolgate_inspection_seconds", "Inspection of one message";
    RulesFired, Counter, "schoolgate_rules_fired_total", "Rules that fired; rule: the rule's id";
    Queue, Gauge, "schoolgate_queue_messages", "Messages in the store; state: pending, queued, held";
    SetAside, Gauge, "schoolgate_set_aside_messages", "Messages that are set aside because row or content is damaged";
    StoreFree, Gauge, "schoolgate_store_free_octets", "Free room on the disk of the store";
    StoreWell, Gauge, "schoolgate_store_well", "1 while commits succeed, 0 while they fail";
    InspectionsWaiting, Gauge, "schoolgate_inspections_waiting", "Messages that wait for a thread to inspect them";
    QueueOldest, Gauge, "schoolgate_queue_oldest_seconds", "Age of the oldest message that waits for delivery";
    Deliveries, Counter, "schoolgate_deliveries_total", "Recipients by outcome at the smarthost; outcome: delivered, deferred, failed, unknown";
    DeliverySeconds, Seconds, "schoolgate_delivery_seconds", "One transaction with the smarthost";
    SignIns, Counter, "schoolgate_sign_ins_total", "Clients that tried to sign in to send; outcome: in, wrong, throttled, unavailable";
    TokenWell, Gauge, "schoolgate_token_well", "1 where the last token to sign in with was had, 0 where not; host: a smarthost of the configuration";
    TokenFetches, Counter, "schoolgate_token_fetches_total", "Tokens asked for; host: a smarthost of the configuration; outcome: fetched, failed";
    SmarthostWell, Gauge, "schoolgate_smarthost_well", "1 where the smarthost can be used, 0 while it is away; host: a smarthost of the configuration";
    Notices, Counter, "schoolgate_notices_total", "Notices queued; kind: returned, held, failed, delayed, released, digest";
}

/// Bounds of the histograms of seconds: from a cached answer to past the budget of an inspection.
const SECONDS_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0];
/// Bounds of the histograms of octets: from a line of text to past the largest message.
const OCTETS_BUCKETS: &[f64] = &[4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6];

/// How one try at the smarthost ended for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// 2xx.
    Delivered,
    /// 4xx, or no connection.
    Deferred,
    /// 5xx, or given up.
    Failed,
    /// The connection broke behind the final dot.
    Unknown,
}

/// A connection was let in, or answered with 421.
pub(super) fn connection(accepted: bool) {
    counter!(Metric::Connections.name(), "outcome" => if accepted { "accepted" } else { "refused" }).increment(1);
}

/// The number of messages that are set aside as damaged.
pub(super) fn set_aside(count: u64) {
    gauge!(Metric::SetAside.name()).set(count as f64);
}

/// A client has signed in to send, or why it has not.
pub(super) fn signed_in(not: Option<NotSignedIn>) {
    let outcome = match not {
        None => "in",
        Some(NotSignedIn::Wrong) => "wrong",
        Some(NotSignedIn::Throttled) => "throttled",
        Some(NotSignedIn::Unavailable) => "unavailable",
    };
    counter!(Metric::SignIns.name(), "outcome" => outcome).increment(1);
}

/// The number of open connections.
pub(super) fn connections_open(count: usize) {
    gauge!(Metric::ConnectionsOpen.name()).set(count as f64);
}

/// A connection ended.
pub(super) fn disconnected(reason: &'static str) {
    counter!(Metric::Disconnections.name(), "reason" => reason).increment(1);
}

/// A message got its answer this long after its final dot.
pub(super) fn answered(code: crate::smtp::Code, octets: usize, after: Duration) {
    match code.number() / 100 {
        2 => counter!(Metric::MessagesTaken.name()).increment(1),
        4 => counter!(Metric::MessagesRefused.name(), "class" => "4").increment(1),
        _ => counter!(Metric::MessagesRefused.name(), "class" => "5").increment(1),
    }
    histogram!(Metric::MessageOctets.name()).record(octets as f64);
    histogram!(Metric::AnswerSeconds.name()).record(after.as_secs_f64());
}

/// A message was inspected.
pub fn decided(action: Action, rules: &[impl AsRef<str>], took: Duration) {
    counter!(Metric::Messages.name(), "action" => action.as_str()).increment(1);
    histogram!(Metric::InspectionSeconds.name()).record(took.as_secs_f64());
    for rule in rules {
        counter!(Metric::RulesFired.name(), "rule" => rule.as_ref().to_owned()).increment(1);
    }
}

/// What the store holds, and the age of the oldest message that waits for delivery.
pub fn queue(pending: u64, queued: u64, held: u64, oldest: Duration) {
    for (state, count) in [("pending", pending), ("queued", queued), ("held", held)] {
        gauge!(Metric::Queue.name(), "state" => state).set(count as f64);
    }
    gauge!(Metric::QueueOldest.name()).set(oldest.as_secs_f64());
}

/// Free room on the disk of the store, octets.
pub(super) fn store_free(octets: u64) {
    gauge!(Metric::StoreFree.name()).set(octets as f64);
}

/// Whether commits succeed.
pub(super) fn store_well(well: bool) {
    gauge!(Metric::StoreWell.name()).set(f64::from(u8::from(well)));
}

/// So many messages more, or fewer, wait for a thread to inspect them.
pub(super) fn inspections_waiting(change: i32) {
    gauge!(Metric::InspectionsWaiting.name()).increment(f64::from(change));
}

/// So many recipients of one transaction with the smarthost had this outcome.
pub fn delivery(outcome: DeliveryOutcome, recipients: u64) {
    let word = match outcome {
        DeliveryOutcome::Delivered => "delivered",
        DeliveryOutcome::Deferred => "deferred",
        DeliveryOutcome::Failed => "failed",
        DeliveryOutcome::Unknown => "unknown",
    };
    counter!(Metric::Deliveries.name(), "outcome" => word).increment(recipients);
}

/// One transaction with the smarthost took this long.
pub fn delivery_took(took: Duration) {
    histogram!(Metric::DeliverySeconds.name()).record(took.as_secs_f64());
}

/// A token was had for this smarthost of the configuration, or not.
pub(super) fn token(host: &str, fetched: bool) {
    let outcome = if fetched { "fetched" } else { "failed" };
    counter!(Metric::TokenFetches.name(), "host" => host.to_owned(), "outcome" => outcome).increment(1);
    gauge!(Metric::TokenWell.name(), "host" => host.to_owned()).set(f64::from(u8::from(fetched)));
}

/// Whether this smarthost of the configuration can be used.
pub(super) fn smarthost_well(host: &str, well: bool) {
    gauge!(Metric::SmarthostWell.name(), "host" => host.to_owned()).set(f64::from(u8::from(well)));
}

/// A notice was queued; `kind` is a word of the program, never of a message.
pub fn notice(kind: &'static str) {
    counter!(Metric::Notices.name(), "kind" => kind).increment(1);
}

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The port.
    #[error("{0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// The recorder.
    #[error("metrics cannot be set up: {0}")]
    Recorder(#[from] metrics_exporter_prometheus::BuildError),
    /// Serving ended.
    #[error("monitor: {0}")]
    Serve(std::io::Error),
}

/// Starts recording; what is counted before is lost. May be called more than once.
pub fn install() -> Result<PrometheusHandle, MonitorError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let mut builder = PrometheusBuilder::new();
    for metric in Metric::ALL {
        let buckets = match metric.kind() {
            Kind::Seconds => SECONDS_BUCKETS,
            Kind::Octets => OCTETS_BUCKETS,
            Kind::Counter | Kind::Gauge => continue,
        };
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.name().to_owned()), buckets)?;
    }
    let handle = builder.install_recorder()?;
    for metric in Metric::ALL {
        match metric.kind() {
            Kind::Counter => metrics::describe_counter!(metric.name(), metric.help()),
            Kind::Gauge => metrics::describe_gauge!(metric.name(), metric.help()),
            Kind::Seconds | Kind::Octets => metrics::describe_histogram!(metric.name(), metric.help()),
        }
    }
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// The port, bound and not yet served.
#[derive(Debug)]
pub struct Monitor {
    socket: TcpListener,
    address: SocketAddr,
}

impl Monitor {
    /// Binds the port.
    pub async fn bind(address: SocketAddr) -> Result<Self, MonitorError> {
        let socket = TcpListener::bind(address).await.map_err(|e| MonitorError::Bind(address, e))?;
        let address = socket.local_addr().map_err(|e| MonitorError::Bind(address, e))?;
        Ok(Self { socket, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped.
    pub async fn serve(self, health: Health) -> Result<(), MonitorError> {
        let handle = install()?;
        let upkeep = {
            let handle = handle.clone();
            async move {
                let mut tick = tokio::time::interval(Duration::from_secs(limits::METRICS_UPKEEP_SECONDS));
                loop {
                    tick.tick().await;
                    handle.run_upkeep();
                }
            }
        };
        let pages = Router::new()
            .route("/metrics", get(metrics_page).with_state(handle))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready_page).with_state(health));
        tokio::select! {
            served = async { axum::serve(self.socket, pages).await } => served.map_err(MonitorError::Serve),
            () = upkeep => Ok(()),
        }
    }
}

/// Binds and serves until the future is dropped.
pub async fn serve(address: SocketAddr, health: Health) -> Result<(), MonitorError> {
    Monitor::bind(address).await?.serve(health).await
}

async fn metrics_page(State(handle): State<PrometheusHandle>, asked: HeaderMap) -> impl IntoResponse {
    let text = handle.render();
    let accept = asked.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (form, page) = match openmetrics::is_asked_for(accept) {
        true => (openmetrics::CONTENT_TYPE, openmetrics::from_text(&text)),
        false => ("text/plain; version=0.0.4; charset=utf-8", text),
    };
    // What a cache in between keeps for one is no answer to another.
    ([(header::CONTENT_TYPE, form), (header::VARY, "Accept")], page)
}

async fn ready_page(State(health): State<Health>) -> impl IntoResponse {
    let troubles = health.troubles(Instant::now());
    if troubles.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let reasons: String = troubles.iter().map(|trouble| format!("not ready: {trouble}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, reasons)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn pages() {
        let monitor = Monitor::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = monitor.address();
        let health = Health::new();
        install().unwrap();
        let served = tokio::spawn(monitor.serve(health.clone()));
        decided(Action::Hold, &["pupil-record-to-personal"], Duration::from_millis(30));
        queue(1, 2, 3, Duration::from_secs(4));
        delivery(DeliveryOutcome::Deferred, 2);

        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        let page = get(address, "/readyz").await;
        assert!(page.starts_with("HTTP/1.1 503") && page.ends_with("not ready: starting or stopping\n"), "{page}");
        health.set_serving(true);
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        let page = get(address, "/metrics").await;
        for line in [
            "schoolgate_messages_total{action=\"hold\"} 1",
            "schoolgate_inspection_seconds_bucket{le=\"0.05\"} 1",
            "schoolgate_rules_fired_total{rule=\"pupil-record-to-personal\"} 1",
            "schoolgate_queue_messages{state=\"held\"} 3",
            "schoolgate_deliveries_total{outcome=\"deferred\"} 2",
        ] {
            assert!(page.contains(line), "{line} is not in {page}");
        }
        assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
        served.abort();
    }

    #[test]
    fn names_are_well_formed() {
        for metric in Metric::ALL {
            let name = metric.name();
            assert!(
                name.starts_with("schoolgate_") && name.chars().all(|c| c == '_' || c.is_ascii_lowercase()),
                "{name}"
            );
            assert_eq!(metric.kind() == Kind::Counter, name.ends_with("_total"), "{name}");
        }
    }
}
