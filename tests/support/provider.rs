//! An OpenID Connect provider on the loopback that does what is right, or what a test asks for. It checks what a provider checks: its client's secret,
//! that a code comes back once, to the address that it was given for, with the verifier of its challenge (RFC 7636).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use schoolgate::config::{MailboxProof, OidcConfig};
use schoolgate::review::Provider;
use serde_json::{Value, json};
use url::Url;

pub const CLIENT: &str = "desk-of-saltmere";
/// With what must be escaped on the way.
pub const SECRET: &str = "s~cret/of+the&desk";

/// Made for these tests (`openssl genpkey -algorithm RSA -outform DER`) and used nowhere else: ring makes no RSA keys.
const RSA: &str = "\
    MIIEowIBAAKCAQEAuw00IfuMfOS9GSIwlEjghJngiJtTsXxH7vOXLLywjPpRs3McRMd5Pbg8tHRvki0d8n7/u/tmpmf4CyCIKTh1dy4F9myLNy\
    XvOOg4eTCIDzuUUR3KhkJkXgPxSJgGNIGlSkt37in+5YuOrSFY1IM2IlCCsrMW4x1HOA7gBNg/Krol5uh8n1vSy7IDW2gYnUBvkFuhJ9NbPORH\
    BoRAZTTadgrb9ryxQIhIMSt4OOZ4k+f48u8QSPfGjhe3PHlIeG36ntQ8emf3MaK5UfMVhj7ITk0PecC/nZOrcuy6uzCqaCaSHi4Tf0yl/nptNJ\
    kvOgCP5KUhml9iipHOB95ZT/tYiwIDAQABAoIBABwXJYcc8cInz8Ygfk8miqEfQrsBKJZ05ZCbAE71n0XsqaxbUxl5I1oDewpWmhLHt8GdFOa0\
    IHxJDNUO86PNGMbnIHobXuTPS5euOBzrDuPKvMFZyfpTqiL8UJXoTrY/6gS4RLB9mgv641hYs7BmbBDHKnmPr5Y35WQjx7yyhPnzbEB1Q46vSe\
    ih1a202E0z7J3lO1RLaKjpczmJl+Gy9IEMS2DBSQTIevZajO/WPy31mzOaBe9kugGM+7I2dbwKrrBIszPOvbw7bPUhUYDy6r3QrxHw4dGN8rNj\
    bzStD6my3gSgTcFtAGqdSpLO6X7Gvt0ZCIVOjIhrB5OtbJKMzlECgYEA+juQ1hZLoVfzVi3WkNMhdwneMD8866aK+Ud/5/5UT8K3GUjktVUQMf\
    cAFXDK6HsH9gbXLmQkylzhdbpJXVLRwTFBK5Du94VRVaDULFPAqs27HgaSz/bmEb1QKkmPN+GILb1Ff6R9P8JI0IONJr1yNZl4RU5VuSaqYG1u\
    5IvzBacCgYEAv1zaluDNYa20NkSMbpwTX+XMU5Sa4owmUZHx1zKgFNGVTAqvhFHPLZ2LR+BRsPg8od6xGV1KLtq5yXZ6alPYz5camLpk7h3Ms9\
    feswkSfWliHKn1tOguCTWvpA2jNRFzld1WLYjbG7/rxImuBYeGxFGGS9K/K6DH9HpP0f1gen0CgYB5qaxp6r0q3RA6vl6sW3rR3cJhwt1j1b2M\
    Je9SZJ2pigpsCLzqTUlqgaVQx15gWjEstXa534bjvPUBwGkbLsE9JS2CeR02y2MYNvHx+2aZpR1tI9UNuAV0ao8ngExZ5xXG51d7EAa1kUjF2L\
    AwPbvhw5RuXf/f3aTI7WwVQtYN0QKBgQC9mJ3qhuh2MsguTFRm8rQve1qqJL4gX4NHpjXaZQo+Fji5koy7qOJ/62un1xSZJhnMtvr4inmJWqRg\
    esZmupRBeRCc6XA+i7/ZH7RB5mcvYk4W4D3U84VJEqvm+qwNVDEU9qr/imysXcaWf2Kvj8tyjuNkFHXcH/x8uQKEp2oDcQKBgGZ/TwshWQCSvu\
    VghqfS9lB5qWSTscIIsFW636HaUacXjQZcper1hdcFsbYKdhRpJT8UWTOnLXOCJNz4tVxmXIFpIWdP1VZmC6iNBvYG8NMLGFHaatKh59YHezo+\
    cMdCjnoxSj/jE/qafwPGq1nXOM2ncTqY7C+haCeuPHRe4Rkk\
";

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    Es256,
    Rs256,
    /// With another key that claims to be the provider's.
    Forged,
    /// As it should be, and then changed.
    Broken,
    /// Not at all: `alg: none`.
    Nothing,
    /// With the secret that the desk knows too (HS256).
    Secret,
    /// With a key that the provider does not publish.
    Unpublished,
}

/// A sign-in that a person was let into.
struct Grant {
    nonce: String,
    challenge: String,
    back: String,
}

struct Inner {
    issuer: String,
    /// Where to sign in, where that is not here.
    elsewhere: Option<String>,
    key: (String, EcdsaKeyPair),
    grants: HashMap<String, Grant>,
    signing: Signing,
    change: fn(&mut Value),
    mailbox: String,
    keys_asked: usize,
    /// Spaces in front of the metadata.
    padding: usize,
}

type Shared = Arc<Mutex<Inner>>;

pub struct TestProvider {
    inner: Shared,
    pub issuer: String,
    served: tokio::task::JoinHandle<()>,
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        self.served.abort();
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

fn rsa_key() -> RsaKeyPair {
    RsaKeyPair::from_der(&STANDARD.decode(RSA).unwrap()).unwrap()
}

impl TestProvider {
    pub async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let issuer = format!("http://{}", socket.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            issuer: issuer.clone(),
            elsewhere: None,
            key: ("first".to_owned(), new_key()),
            grants: HashMap::new(),
            signing: Signing::Es256,
            change: |_| {},
            mailbox: "sue@saltmere.example".to_owned(),
            keys_asked: 0,
            padding: 0,
        }));
        let pages = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/authorize", get(authorize))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let served = tokio::spawn(async move { axum::serve(socket, pages).await.unwrap() });
        Self { inner, issuer, served }
    }

    /// The desk's side of it, as if configured so.
    pub fn configured(&self, directory: &Path, name: &str, proof: MailboxProof) -> Provider {
        configured(&self.issuer, directory, name, proof)
    }

    /// What the next tokens are like.
    pub fn will(&self, signing: Signing, change: fn(&mut Value)) {
        let mut inner = self.inner.lock().unwrap();
        (inner.signing, inner.change) = (signing, change);
    }

    /// Whose mailbox the next tokens name.
    pub fn is_signed_in(&self, mailbox: &str) {
        self.inner.lock().unwrap().mailbox = mailbox.to_owned();
    }

    /// Signs with a new key from now on.
    pub fn changes_key(&self, name: &str) {
        self.inner.lock().unwrap().key = (name.to_owned(), new_key());
    }

    pub fn names_itself(&self, issuer: &str) {
        self.inner.lock().unwrap().issuer = issuer.to_owned();
    }

    pub fn sends_people_to(&self, address: &str) {
        self.inner.lock().unwrap().elsewhere = Some(address.to_owned());
    }

    pub fn pads(&self, spaces: usize) {
        self.inner.lock().unwrap().padding = spaces;
    }

    /// How often its keys were asked for.
    pub fn keys_asked(&self) -> usize {
        self.inner.lock().unwrap().keys_asked
    }

    /// The person comes with the desk's address and is let in: the code and the state that go back.
    pub fn visit(&self, address: &Url) -> (String, String) {
        assert_eq!(address.path(), "/authorize");
        let (_, code, state) = let_in(&self.inner, address.query_pairs().into_owned().collect());
        (code, state)
    }
}

/// Looks at what the desk asks for, and lets the person in: the way back, the code, the state.
fn let_in(inner: &Shared, query: HashMap<String, String>) -> (String, String, String) {
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    let (state, nonce, back) = (query["state"].clone(), query["nonce"].clone(), query["redirect_uri"].clone());
    assert!(state.len() >= 43 && nonce.len() >= 43 && state != nonce);
    let code = encoded(ring::rand::generate::<[u8; 16]>(&SystemRandom::new()).unwrap().expose());
    let grant = Grant { nonce, challenge: query["code_challenge"].clone(), back: back.clone() };
    inner.lock().unwrap().grants.insert(code.clone(), grant);
    (back, code, state)
}

/// The page where people sign in: they are, already.
async fn authorize(State(inner): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Redirect {
    let (back, code, state) = let_in(&inner, query);
    Redirect::to(&format!("{back}?code={code}&state={state}"))
}

/// The desk's side of a provider that need not be there.
pub fn configured(issuer: &str, directory: &Path, name: &str, proof: MailboxProof) -> Provider {
    let client_secret_file = directory.join("client.secret");
    std::fs::write(&client_secret_file, format!("{SECRET}\n")).unwrap();
    let config = OidcConfig {
        name: name.to_owned(),
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret_file,
        button: format!("Sign in with {name}"),
        proof,
    };
    Provider::load(config).unwrap()
}

/// JSON, and that it is.
type Json = ([(HeaderName, &'static str); 1], String);

fn as_json(text: String) -> Json {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

async fn metadata(State(inner): State<Shared>) -> Json {
    let inner = inner.lock().unwrap();
    let here = &inner.issuer;
    let sign_in = inner.elsewhere.clone().unwrap_or_else(|| format!("{here}/authorize"));
    let metadata = json!({
        "issuer": here,
        "authorization_endpoint": sign_in,
        "token_endpoint": format!("{here}/token"),
        "jwks_uri": format!("{here}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        // It would do all of these.
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    });
    as_json(" ".repeat(inner.padding) + &metadata.to_string())
}

async fn keys(State(inner): State<Shared>) -> Json {
    let mut inner = inner.lock().unwrap();
    inner.keys_asked += 1;
    let (name, key) = &inner.key;
    // A point that is not compressed: 4, x, y.
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(rsa_key().public());
    let keys = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "sig", "kid": name, "x": encoded(x), "y": encoded(y) },
        { "kty": "RSA", "use": "sig", "kid": "rsa", "n": encoded(rsa.n), "e": encoded(rsa.e) },
    ] });
    as_json(keys.to_string())
}

async fn token(State(inner): State<Shared>, Form(sent): Form<HashMap<String, String>>) -> (StatusCode, Json) {
    let mut inner = inner.lock().unwrap();
    let refused = |error: &str| {
        let answer = json!({ "error": error, "error_description": "sue@saltmere.example" });
        (StatusCode::BAD_REQUEST, as_json(answer.to_string()))
    };
    let said = |name: &str| sent.get(name).map_or("", String::as_str);
    if (said("client_id"), said("client_secret")) != (CLIENT, SECRET) {
        return refused("invalid_client");
    }
    let Some(grant) = inner.grants.remove(said("code")) else { return refused("invalid_grant") };
    let challenge = encoded(digest(&SHA256, said("code_verifier").as_bytes()));
    if said("grant_type") != "authorization_code" || grant.back != said("redirect_uri") || grant.challenge != challenge
    {
        return refused("invalid_grant");
    }
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": inner.issuer,
        "aud": CLIENT,
        "sub": "a-person",
        "nonce": grant.nonce,
        "iat": now,
        "exp": now + 3_600,
        "email": inner.mailbox,
        "email_verified": true,
    });
    (inner.change)(&mut claims);
    let token = signed(&inner, &claims);
    let answer = json!({ "access_token": "of-no-use", "token_type": "Bearer", "id_token": token });
    (StatusCode::OK, as_json(answer.to_string()))
}

fn signed(inner: &Inner, claims: &Value) -> String {
    let (algorithm, kid) = match inner.signing {
        Signing::Rs256 => ("RS256", "rsa"),
        Signing::Nothing => ("none", inner.key.0.as_str()),
        Signing::Secret => ("HS256", inner.key.0.as_str()),
        Signing::Unpublished => ("ES256", "unpublished"),
        Signing::Es256 | Signing::Forged | Signing::Broken => ("ES256", inner.key.0.as_str()),
    };
    let head = json!({ "alg": algorithm, "typ": "JWT", "kid": kid });
    let text = format!("{}.{}", encoded(head.to_string()), encoded(claims.to_string()));
    let random = SystemRandom::new();
    let signature = match inner.signing {
        Signing::Nothing => Vec::new(),
        Signing::Secret => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
            ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        }
        Signing::Rs256 => {
            let key = rsa_key();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
            signature
        }
        Signing::Forged | Signing::Unpublished => new_key().sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
        Signing::Es256 => inner.key.1.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
        Signing::Broken => {
            let mut signature = inner.key.1.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec();
            signature[40] ^= 1;
            signature
        }
    };
    format!("{text}.{}", encoded(signature))
}
