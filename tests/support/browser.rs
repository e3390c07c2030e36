//! A real browser, told what to do as a person would: pages opened, fields filled, buttons and keys pressed.
//!
//! It is Chromium without a window, driven over its DevTools protocol on two pipes (`--remote-debugging-pipe`: JSON that ends in a
//! zero octet), so no crate, no port and no second program is needed. What it reports by itself (requests, complaints of the console,
//! dialogs) is kept, and asked for at the end. <https://chromedevtools.github.io/devtools-protocol/>

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use super::{PATIENCE, installed};

/// Between two looks at whether a page still moves.
const SETTLES: Duration = Duration::from_millis(30);

/// One browser with one tab and a profile of its own. Killed when dropped.
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    tab: String,
    events: Vec<Value>,
    /// Presses of a pointer or of a key that does something, so far.
    pub presses: usize,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Where one lies: what `SCHOOLGATE_BROWSER` names, or Chromium or Chrome of the system.
    pub fn program() -> Option<PathBuf> {
        match std::env::var_os("SCHOOLGATE_BROWSER").filter(|named| !named.is_empty()) {
            Some(named) if Path::new(&named).is_absolute() => Some(named.into()),
            Some(named) => Some(installed(&named.to_string_lossy()).expect("SCHOOLGATE_BROWSER is installed")),
            None => ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(installed),
        }
    }

    /// Starts it with an empty tab. Its own sandbox is off: it would not start for root, and sees our pages only.
    pub fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a profile");
        // It reads commands from descriptor 3 and answers on 4.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage"])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--hide-scrollbars",
                "--disable-lcd-text",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let commands = child.stdin.take().expect("its input");
        let mut answers = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                let told = serde_json::from_slice(message.strip_suffix(&[0]).unwrap_or(&message));
                if told.is_ok_and(|told| tell.send(told).is_err()) {
                    break;
                }
                message.clear();
            }
        });
        let (tab, events) = (String::new(), Vec::new());
        let mut browser = Self { child, commands, messages, last: 0, tab, events, presses: 0, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let tab = browser.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.tab = tab["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Network", "Log", "Audits"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// One command of the protocol and its result.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.ask(method, parameters);
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// One command of the protocol and all that is answered.
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.tab.is_empty() {
            command["sessionId"] = json!(self.tab);
        }
        write!(self.commands, "{command}\0").and_then(|()| self.commands.flush()).expect("the browser listens");
        let wanted = json!(self.last);
        self.wait(method, |message| message["id"] == wanted)
    }

    /// Waits for a message; keeps whatever else is told.
    fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).unwrap_or_else(|e| panic!("the browser, {what}: {e}"));
            if message["method"].is_string() {
                self.events.push(message.clone());
            }
            if wanted(&message) {
                return message;
            }
        }
    }

    /// How many pages have come.
    fn pages(&self) -> usize {
        self.events.iter().filter(|event| event["method"] == "Page.loadEventFired").count()
    }

    /// Waits until one more has come than before; it may have come beside the answer to a command.
    fn wait_for_page(&mut self, before: usize) {
        if self.pages() == before {
            self.wait("a page", |message| message["method"] == "Page.loadEventFired");
        }
    }

    /// A window this wide, in CSS pixels; below 600 a telephone.
    pub fn wide(&mut self, width: u32) {
        self.window(width, if width < 600 { 812 } else { 900 });
    }

    fn window(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// The reader's own setting: light on dark, or dark on light.
    pub fn dark(&mut self, dark: bool) {
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [scheme] }));
    }

    /// Whether pages may run scripts, from the next page on.
    pub fn scripts(&mut self, run: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !run }));
    }

    /// Opens an address.
    pub fn open(&mut self, url: &str) {
        let before = self.pages();
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_for_page(before);
    }

    /// What an expression is in the page, asked by the browser itself: page policies do not bind it.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self
            .call("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Whether an expression is true in the page; of a page that is left just then nothing is.
    pub fn holds(&mut self, expression: &str) -> bool {
        let answer = self.ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        answer["result"]["result"]["value"] == true
    }

    /// As [`Browser::value`], where it is text.
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// Sends a form of the page by a script, as it stands and unchecked, with a word in every field of text.
    pub fn submit(&mut self, nth: usize) {
        let before = self.pages();
        self.value(&format!(
            "for (const field of document.forms[{nth}].querySelectorAll('textarea, input[type=text]')) field.value = 'x'; \
             document.forms[{nth}].submit()"
        ));
        self.wait_for_page(before);
    }

    /// The text of the page.
    pub fn words(&mut self) -> String {
        self.text("document.body.innerText")
    }

    /// Presses with the pointer in the middle of an element.
    pub fn press(&mut self, selector: &str) {
        self.presses += 1;
        // Where it stands once nothing moves any more: what scrolls and what sticks settle one after the other.
        let mut place = self.place(selector);
        loop {
            std::thread::sleep(SETTLES);
            let again = self.place(selector);
            if again == place {
                break;
            }
            place = again;
        }
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// The middle of what is found, brought into view.
    fn place(&mut self, selector: &str) -> Value {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); if (!e) return null;
               e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const r = e.getBoundingClientRect();
               return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        ));
        assert!(place.is_array(), "no {selector} on {}", self.words());
        place
    }

    /// Presses what leads to another page, and waits for it.
    pub fn follow(&mut self, selector: &str) {
        let before = self.pages();
        self.press(selector);
        self.wait_for_page(before);
    }

    /// Presses on a field and types into it, in place of what stands there.
    pub fn fill(&mut self, selector: &str, text: &str) {
        self.press(selector);
        self.value("document.activeElement.select()");
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses a key: a letter, a space, or `Tab`.
    pub fn key(&mut self, key: &str) {
        self.presses += usize::from(key != "Tab");
        let code = if key == "Tab" { 9 } else { u32::from(key.to_ascii_uppercase().as_bytes()[0]) };
        let mut event = json!({ "type": "rawKeyDown", "key": key, "windowsVirtualKeyCode": code });
        if key == " " {
            event["type"] = json!("keyDown");
            event["text"] = json!(key);
        }
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Goes by Tab to what is wanted.
    pub fn tab_to(&mut self, selector: &str) {
        for _ in 0..150 {
            if self.value(&format!("document.activeElement.matches({selector:?})")) == true {
                return;
            }
            self.key("Tab");
        }
        panic!("Tab does not come to {selector}");
    }

    /// Presses a space on what leads to another page, and waits for it.
    pub fn follow_by_key(&mut self, selector: &str) {
        self.tab_to(selector);
        let before = self.pages();
        self.key(" ");
        self.wait_for_page(before);
    }

    /// The page as a PNG picture, from its top, at most so many pixels high.
    pub fn picture(&mut self, most: u32) -> Vec<u8> {
        let size = self.value("[document.documentElement.clientWidth, document.documentElement.scrollHeight]");
        let height = size[1].as_f64().unwrap_or(0.0).min(f64::from(most));
        // As in a window of that height: what stays at its foot stands there.
        let width = size[0].as_f64().unwrap_or(0.0);
        self.window(width as u32, height as u32);
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let answer = self.call("Page.captureScreenshot", wanted);
        self.wide(width as u32);
        let engine = base64::engine::general_purpose::STANDARD;
        engine.decode(answer["data"].as_str().expect("a picture")).expect("base64")
    }

    /// Every address that was asked for.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        asked.filter_map(|event| event["params"]["request"]["url"].as_str()).map(str::to_owned).collect()
    }

    /// What the browser complains of: breaches of a page's policy, errors of scripts, dialogs. An answer of 4xx is none, nor is advice,
    /// of which each version has more.
    pub fn complaints(&mut self) -> Vec<String> {
        // What came before the answer to a command is here with it.
        self.value("0");
        let complaint = |event: &&Value| match event["method"].as_str() {
            Some("Log.entryAdded") => {
                let entry = &event["params"]["entry"];
                let text = entry["text"].as_str().unwrap_or_default();
                entry["source"] != "recommendation"
                    && !text.starts_with("Failed to load resource: the server responded with a status of 4")
            }
            Some("Audits.issueAdded") => event["params"]["issue"]["code"] == "ContentSecurityPolicyIssue",
            Some(method) => ["Page.javascriptDialogOpening", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"]
                .contains(&method),
            None => false,
        };
        self.events.iter().filter(complaint).map(|event| event["params"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
