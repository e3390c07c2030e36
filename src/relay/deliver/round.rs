//! The loop that gives out work: to whom, and when. It comes round at least once per [`POLL`] whatever is in hand, for
//! all that may take time is a task of its own: a transaction, a look into the store, a record.
//!
//! While the store does not commit nothing is begun: what cannot be recorded would be sent again.
//! While a smarthost is out of order one message probes it, and others go to the next one; where there is none nothing else is
//! begun. What would be one too many in a minute waits for its place. A delivery that panics costs its
//! own message a try, and after some the message is set aside; others flow.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::courier::Courier;
use super::host::Host;
use super::route::{Choice, Turn};
use super::{GRACE, LEASE, POLL, RENEWAL, renew_leases};
use crate::limits;
use crate::relay::log::{Event, event};
use crate::relay::schedule::Admission;
use crate::store::{Leased, Outage, QueueId, StoreError};

/// What a task of the round does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    Deliver(QueueId),
    /// A delivery that shows whether the smarthost is back.
    Probe(QueueId),
    Lease,
    /// Asks whether a person asked for a try at once.
    Ask,
    GiveUp,
    /// Tells senders that their mail takes longer.
    TellOfDelays,
    KeepOutage,
    EndLease,
}

/// How a task ended.
enum Ended {
    Done,
    Leased(Result<Vec<Leased>, StoreError>),
    Asked(Result<Option<Timestamp>, StoreError>),
    Kept(Result<(), StoreError>),
}

pub(super) struct Round {
    pub courier: Arc<Courier>,
    /// Fresh mail, straight from the commit.
    handed: mpsc::Receiver<Leased>,
    /// Leased and not yet begun.
    backlog: VecDeque<Leased>,
    tasks: JoinSet<Ended>,
    /// What each task does; of one that panicked nothing else is known.
    running: HashMap<Id, Work>,
    /// For the next delivery.
    permit: Option<OwnedSemaphorePermit>,
    /// How often the delivery of a message panicked.
    panics: HashMap<QueueId, u32>,
    /// Something in the store may have changed.
    look: bool,
    /// When the next look is due in any case.
    tick: Instant,
    /// The outages as the store has them; `None` where that is not known.
    kept: Option<BTreeMap<String, Outage>>,
    /// When there is a place among the messages of this minute, where there was none.
    place_at: Option<Timestamp>,
    shutdown: watch::Receiver<bool>,
}

impl Round {
    pub fn new(courier: Arc<Courier>, handed: mpsc::Receiver<Leased>, shutdown: watch::Receiver<bool>) -> Self {
        Self {
            courier,
            handed,
            backlog: VecDeque::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            permit: None,
            panics: HashMap::new(),
            look: true,
            tick: Instant::now(),
            kept: None,
            place_at: None,
            shutdown,
        }
    }

    /// Gives out work until told to stop; meanwhile, and until the last outcome is recorded, leases are renewed.
    pub async fn run(self) {
        let store = self.courier.store.clone();
        tokio::select! {
            () = self.run_until_stopped() => {}
            () = renew_leases(&store, RENEWAL) => {}
        }
    }

    async fn run_until_stopped(mut self) {
        self.recall().await;
        while !*self.shutdown.borrow() && self.shutdown.has_changed().is_ok() {
            self.turn().await;
        }
        self.end().await;
    }

    /// Once round: takes [`POLL`] at most.
    pub async fn turn(&mut self) {
        self.begin();
        self.wait().await;
    }

    /// What was known of the smarthosts when the gateway ended.
    async fn recall(&mut self) {
        match self.courier.store.outages().await {
            Ok(outages) => {
                let route = self.courier.route.load();
                for host in &route.hosts {
                    host.recall(outages.get(&host.key()).copied(), self.courier.now(), &route.queue);
                }
                self.kept = Some(outages);
            }
            Err(error) => event!(Event::Trouble, what = "the last outage cannot be read", reason = %error),
        }
    }

    /// Begins all that can be begun now; waits for nothing.
    fn begin(&mut self) {
        self.courier.health.delivery_comes_round(std::time::Instant::now());
        let ticks = self.tick <= Instant::now();
        if ticks {
            self.tick = Instant::now() + POLL;
            self.look = true;
            self.courier.close_idle();
        }
        if !self.courier.health.may_send() {
            self.permit = None;
            return;
        }
        self.keep_outage(ticks);
        if ticks && !self.courier.route.load().outages().is_empty() {
            self.ask();
        }
        loop {
            match self.choose() {
                Choice::Closed(_) => return self.hold_back(ticks),
                Choice::Probed => return,
                Choice::Host(turn) => {
                    if !self.deliver_next(turn) {
                        return self.tell_of_delays(ticks, false);
                    }
                }
            }
        }
    }

    fn choose(&self) -> Choice {
        self.courier.route.load_full().choose(self.courier.now())
    }

    /// While all smarthosts are away.
    fn hold_back(&mut self, ticks: bool) {
        self.permit = None;
        if ticks || !self.backlog.is_empty() {
            self.let_go();
        }
        if ticks && !self.runs(&Work::GiveUp) {
            let courier = Arc::clone(&self.courier);
            self.spawn(Work::GiveUp, async move {
                courier.give_up_old().await;
                Ended::Done
            });
        }
        self.tell_of_delays(ticks, true);
        if self.look {
            self.look = false;
            self.ask();
        }
    }

    /// Begins to see whether a person asked for a try at once.
    fn ask(&mut self) {
        if !self.runs(&Work::Ask) {
            let courier = Arc::clone(&self.courier);
            self.spawn(Work::Ask, async move { Ended::Asked(courier.store.retry_asked().await) });
        }
    }

    /// Whoever is to be tried soon may yet be delivered in time: `all` are told of a delay while nothing is tried.
    fn tell_of_delays(&mut self, ticks: bool, all: bool) {
        if ticks && !self.runs(&Work::TellOfDelays) {
            let courier = Arc::clone(&self.courier);
            self.spawn(Work::TellOfDelays, async move {
                courier.tell_of_delays(all).await;
                Ended::Done
            });
        }
    }

    /// Begins to end the leases of what was not begun.
    fn let_go(&mut self) {
        let ids = self.not_begun();
        if ids.is_empty() {
            return;
        }
        let courier = Arc::clone(&self.courier);
        self.spawn(Work::EndLease, async move {
            courier.end_lease(ids).await;
            Ended::Done
        });
    }

    /// Gives whether there may be more to begin. What probes is alone.
    fn deliver_next(&mut self, turn: Turn) -> bool {
        let probes = turn.claim.probes();
        if !self.has_place() || !self.has_permit() {
            return false;
        }
        let place = match self.courier.place(&turn.route) {
            Ok(place) => place,
            Err(at) => {
                self.place_at = at;
                return false;
            }
        };
        self.place_at = None;
        let most = if probes { 1 } else { u32::try_from(self.courier.in_hand()).unwrap_or(u32::MAX) };
        let Some(message) = self.next(most, probes) else { return false };
        let Some(permit) = self.permit.take() else {
            self.backlog.push_front(message);
            return false;
        };
        let work = if probes { Work::Probe(message.id.clone()) } else { Work::Deliver(message.id.clone()) };
        let courier = Arc::clone(&self.courier);
        self.spawn(work, async move {
            courier.deliver(message, permit, turn, place).await;
            Ended::Done
        });
        true
    }

    /// The next message in hand; where there is none, more are leased.
    fn next(&mut self, limit: u32, probes: bool) -> Option<Leased> {
        let mut next = self.backlog.pop_front();
        if next.is_none() && self.takes_fresh(probes) {
            next = self.handed.try_recv().ok();
        }
        if next.is_none() && self.look && !self.runs(&Work::Lease) {
            self.look = false;
            let courier = Arc::clone(&self.courier);
            self.spawn(Work::Lease, async move {
                Ended::Leased(courier.store.lease_due(courier.now(), limit, LEASE).await)
            });
        }
        next
    }

    /// Fresh mail goes first, but what a person wants tried probes the smarthost before it.
    fn takes_fresh(&self, probes: bool) -> bool {
        !probes || (!self.look && !self.runs(&Work::Lease))
    }

    fn has_place(&self) -> bool {
        let delivering = self.running.values().filter(|work| matches!(work, Work::Deliver(_) | Work::Probe(_))).count();
        delivering < self.courier.in_hand()
    }

    fn has_permit(&mut self) -> bool {
        if self.permit.is_none() {
            self.permit = Arc::clone(&self.courier.permits).try_acquire_owned().ok();
        }
        self.permit.is_some()
    }

    /// The store is to know what is known of the smarthosts. What could not be kept is tried again with the next tick.
    fn keep_outage(&mut self, ticks: bool) {
        let outages = self.courier.route.load().outages();
        if self.kept.as_ref() != Some(&outages) && (ticks || self.kept.is_some()) && !self.runs(&Work::KeepOutage) {
            self.kept = Some(outages.clone());
            let courier = Arc::clone(&self.courier);
            self.spawn(Work::KeepOutage, async move { Ended::Kept(courier.store.keep_outages(&outages).await) });
        }
    }

    fn spawn(&mut self, work: Work, task: impl Future<Output = Ended> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.running.insert(id, work);
    }

    fn runs(&self, work: &Work) -> bool {
        self.running.values().any(|running| running == work)
    }

    /// Waits until there may be something to begin, at most until the next look: another process may have released
    /// something.
    async fn wait(&mut self) {
        // The right to probe, if there is one, is not used here.
        let (closed, probes) = match self.choose() {
            Choice::Closed(until) => (Some(until), true),
            Choice::Probed => (None, true),
            Choice::Host(turn) => (None, turn.claim.probes()),
        };
        let until = match closed.or(self.place_at) {
            Some(until) => {
                let left = self.courier.now().duration_until(until).unsigned_abs();
                self.tick.min(Instant::now() + left.min(POLL))
            }
            None => self.tick,
        };
        let open = closed.is_none() && self.courier.health.may_send();
        let permits = Arc::clone(&self.courier.permits);
        let wants_permit = open && self.permit.is_none() && self.has_place();
        let wants_mail =
            closed.is_none() && self.place_at.is_none() && self.takes_fresh(probes) && self.backlog.is_empty();
        tokio::select! {
            Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
            Some(message) = self.handed.recv(), if wants_mail && self.permit.is_some() => self.backlog.push_back(message),
            Ok(permit) = permits.acquire_owned(), if wants_permit => self.permit = Some(permit),
            () = self.courier.store.wait_for_mail() => self.look = true,
            () = sleep_until(until) => self.look = true,
            _ = self.shutdown.changed() => {}
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok(ended) => ended,
            Err(error) => return self.broke_off(&error),
        };
        let work = self.running.remove(&id);
        if let Some(Work::Deliver(message) | Work::Probe(message)) = work {
            self.panics.remove(&message);
        }
        match ended {
            Ended::Done | Ended::Asked(Ok(None)) | Ended::Kept(Ok(())) => {}
            Ended::Leased(Ok(due)) => {
                // Where there was something there may be more.
                self.look |= !due.is_empty();
                self.backlog.extend(due);
            }
            Ended::Asked(Ok(Some(at))) => {
                let now = self.courier.now();
                let closed = |host: &Arc<Host>| matches!(host.admission(now), Admission::Closed(_));
                let route = self.courier.route.load_full();
                let before = route.hosts.iter().filter(|host| closed(host)).count();
                route.hosts.iter().for_each(|host| host.asked(at));
                if route.hosts.iter().filter(|host| closed(host)).count() < before {
                    self.let_go();
                    self.look = true;
                }
            }
            Ended::Leased(Err(error)) | Ended::Asked(Err(error)) => {
                event!(Event::Trouble, what = "the queue cannot be read", reason = %error);
            }
            Ended::Kept(Err(error)) => {
                self.kept = None;
                event!(Event::Trouble, what = "the outages of smarthosts cannot be recorded", reason = %error);
            }
        }
    }

    /// A task did not come to its end. What it panicked with may hold anything, and is not logged here.
    fn broke_off(&mut self, error: &JoinError) {
        let work = self.running.remove(&error.id());
        let Some(Work::Deliver(id) | Work::Probe(id)) = work else {
            return event!(Event::Trouble, what = "a task of delivery broke off", reason = ?work);
        };
        let times = self.panics.entry(id.clone()).or_default();
        *times += 1;
        event!(Event::Trouble, id = %id, what = "its delivery broke off", reason = "panic", times = *times, possible_duplicate = true);
        let hopeless = *times >= limits::DELIVERY_PANICS;
        let courier = Arc::clone(&self.courier);
        if hopeless {
            self.panics.remove(&id);
        }
        self.spawn(Work::EndLease, async move {
            if !hopeless {
                sleep(POLL).await;
                courier.end_lease(vec![id]).await;
            } else {
                courier.set_aside(&id, "its delivery broke off each time").await;
            }
            Ended::Done
        });
    }

    /// Takes what was not begun out of hand.
    fn not_begun(&mut self) -> Vec<QueueId> {
        let mut ids: Vec<QueueId> = self.backlog.drain(..).map(|message| message.id).collect();
        while let Ok(message) = self.handed.try_recv() {
            ids.push(message.id);
        }
        ids
    }

    /// Ends the leases of what was not begun.
    async fn give_back(&mut self) {
        let ids = self.not_begun();
        if !ids.is_empty() {
            self.courier.end_lease(ids).await;
        }
    }

    /// What is in hand ends, the rest is given back.
    async fn end(mut self) {
        self.permit = None;
        self.give_back().await;
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.ended(ended);
            }
        };
        if timeout(GRACE, all).await.is_err() {
            event!(Event::Trouble, what = "stopping", reason = "messages were under way", messages = self.tasks.len());
        }
        // A commit may have handed over its message while we ended.
        self.handed.close();
        self.give_back().await;
        let route = self.courier.route.load_full();
        let outages = route.outages();
        if self.kept.as_ref() != Some(&outages)
            && let Err(error) = self.courier.store.keep_outages(&outages).await
        {
            event!(Event::Trouble, what = "the outages of smarthosts cannot be recorded", reason = %error);
        }
        for connection in route.hosts.iter().flat_map(|host| host.retire()) {
            connection.close().await;
        }
    }
}
