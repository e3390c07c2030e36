//! More mail than can be inspected: load is shed at the door, nothing is lost, nothing doubled, and the gateway stays ready.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use support::{Client, Gateway, Sink, header};

const SENDER: &str = "w.carr@saltmere.example";
const RECIPIENT: &str = "bookings@shorelinecoaches.example";
/// Clients that send without a pause, within the limit of connections of one client.
const CLIENTS: usize = 45;
/// Twice as long as a message may wait for its inspection.
const LASTS: Duration = Duration::from_secs(30);
/// What each inspection lasts longer, so that a machine of any speed is overloaded.
const INSPECTION: &str = "inspection-takes:1000";

#[test]
fn half_a_minute_of_overload_sheds_load_and_loses_nothing() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    gateway.start(&[("SCHOOLGATE_FAULT", INSPECTION)]);
    let until = Instant::now() + LASTS;
    let (answered, shed) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<String, usize>::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (gateway, answered, shed) = (&gateway, &answered, &shed);
            scope.spawn(move || {
                let mut number = 0;
                while Instant::now() < until {
                    let id = format!("<{client}-{number}.overload@saltmere.example>");
                    let content = format!(
                        "From: Wendy Carr <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: Coach\r\nMessage-ID: {id}\r\n\r\nNine.\r\n"
                    );
                    let sent = Client::connect(gateway.port).and_then(|mut client| {
                        client.hello()?;
                        client.send(SENDER, &[RECIPIENT.to_owned()], content.as_bytes())
                    });
                    match sent {
                        Ok(reply) if reply.code == 250 => {
                            answered.lock().expect("a list").push(id);
                            number += 1;
                        }
                        refused => {
                            let why = match refused {
                                Ok(reply) => format!("{} {}", reply.code, reply.text()),
                                Err(error) => error.to_string(),
                            };
                            *shed.lock().expect("a list").entry(why).or_default() += 1;
                            std::thread::sleep(Duration::from_millis(200));
                        }
                    }
                }
            });
        }
        scope.spawn(|| {
            while Instant::now() < until {
                let (status, text) = gateway.page("/readyz");
                assert_eq!(status, 200, "{text}");
                std::thread::sleep(Duration::from_millis(200));
            }
        });
    });
    let (answered, shed) = (answered.into_inner().expect("a list"), shed.into_inner().expect("a list"));
    assert!(shed.keys().all(|why| why.contains("451") && why.contains("4.3.2")), "only load is shed: {shed:?}");
    assert!(!shed.is_empty(), "45 clients are more than two inspections a second on each processor can serve");
    sink.wait("all that was answered", |taken| taken.len() >= answered.len());
    let mut arrivals = BTreeMap::<String, usize>::new();
    for taken in sink.settled() {
        *arrivals.entry(header(&taken.content, "Message-ID").expect("a Message-ID")).or_default() += 1;
    }
    for id in &answered {
        assert_eq!(arrivals.remove(id), Some(1), "{id} came once");
    }
    assert!(arrivals.is_empty(), "what was not answered did not come: {arrivals:?}");
    assert!(!gateway.log().contains("undecided"), "nothing was set aside that only had to wait");
    let (_, metrics) = gateway.page("/metrics");
    assert!(metrics.contains("schoolgate_inspections_waiting 0"), "nothing is left waiting");
}
