//! One provider: its metadata and keys, the way to it, and what of its word is believed.
//!
//! Knows neither cookies nor pages nor accounts. What goes wrong is told in words of ours: nothing of a token, a code or an address.

use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IdToken, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use crate::config::{MailboxProof, OidcConfig};
use crate::limits;
use crate::smtp::Address;
use crate::web::{Web, WebError, is_safe, word};

/// Claims beyond those of the standard.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MoreClaims {
    /// Google: the Workspace that manages the account.
    #[serde(default)]
    hd: Option<String>,
    /// Entra ID: who signed the person in, where that is not the tenant itself, as for its guests.
    #[serde(default)]
    idp: Option<String>,
}

impl AdditionalClaims for MoreClaims {}

type Fields = IdTokenFields<
    MoreClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Token = IdToken<MoreClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = IdTokenClaims<MoreClaims, CoreGenderClaim>;
type OurClient = Client<
    MoreClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What providers sign with: both that we know of RS256, some ES256. Never `none`, and never with a secret that both sides know.
const SIGNED_WITH: [CoreJwsSigningAlgorithm; 2] =
    [CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, CoreJwsSigningAlgorithm::EcdsaP256Sha256];

/// Why a provider cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The secret.
    #[error("{} cannot be read: {error}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no client secret: one line is wanted, as the provider shows it", .0.display())]
    Secret(PathBuf),
    /// TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why somebody is not signed in, for the log.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It does not answer.
    #[error("it cannot be reached: {0}")]
    Web(#[from] WebError),
    /// It did not answer a moment ago, and is not asked yet.
    #[error("it could not be reached a moment ago")]
    Paused,
    /// What it answers is not what such a provider answers.
    #[error("{0}")]
    Provider(&'static str),
    /// It refuses the code.
    #[error("it refuses the code or our secret: {0}")]
    Refused(String),
    /// Its token is not believed.
    #[error("its token is not believed: {0}")]
    Token(&'static str),
}

impl OidcError {
    /// Nothing of the person was looked at: the provider itself cannot be used now.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Web(_) | Self::Paused | Self::Provider(_))
    }
}

/// What is sent along to the provider, and must come back with the person.
pub struct Begun {
    /// Comes back in the address.
    pub state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Begun {
    /// All at random.
    pub(super) fn new() -> Self {
        let state = CsrfToken::new_random_len(limits::OIDC_RANDOM_OCTETS);
        let (_, verifier) = PkceCodeChallenge::new_random_sha256();
        Self { state, nonce: Nonce::new_random_len(limits::OIDC_RANDOM_OCTETS), verifier }
    }
}

/// Somebody who vouches for people.
pub struct Provider {
    config: OidcConfig,
    secret: ClientSecret,
    web: Web,
    known: Mutex<Known>,
}

/// The way in which the crate asks.
struct Asks<'w>(&'w Web);

impl<'c> AsyncHttpClient<'c> for Asks<'_> {
    type Error = WebError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, WebError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.ask(request))
    }
}

/// What is known of it, and when it was asked.
#[derive(Default)]
struct Known {
    metadata: Option<(Instant, Arc<CoreProviderMetadata>)>,
    failed: Option<Instant>,
    /// Its keys were fetched because of one that nobody knew.
    renewed: Option<Instant>,
}

fn within(moment: Option<Instant>, seconds: u64) -> bool {
    moment.is_some_and(|moment| moment.elapsed() < Duration::from_secs(seconds))
}

impl Provider {
    /// Reads the secret; asks nobody yet.
    ///
    /// # Errors
    /// The secret cannot be read, or TLS not be set up.
    pub fn load(config: OidcConfig) -> Result<Self, ProviderError> {
        let file = &config.client_secret_file;
        let mut text = Zeroizing::new(String::new());
        let read = std::fs::File::open(file)
            .and_then(|opened| opened.take(limits::OIDC_SECRET_OCTETS).read_to_string(&mut text));
        read.map_err(|error| ProviderError::Read { file: file.clone(), error })?;
        let secret = text.trim();
        if secret.is_empty() || secret.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ProviderError::Secret(file.clone()));
        }
        let secret = ClientSecret::new(secret.to_owned());
        Ok(Self { secret, web: Web::new()?, known: Mutex::default(), config })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Words on its button.
    pub fn button(&self) -> &str {
        &self.config.button
    }

    /// Where it sends people back to, as it must be registered there. Each provider has its own, so that what one says is
    /// never taken for another's word (RFC 9700 4.4.2).
    pub fn redirect_url(&self, origin: &str) -> String {
        format!("{origin}/sign-in/back/{}", self.config.name)
    }

    /// Whether it can be reached.
    ///
    /// # Errors
    /// Why not.
    pub async fn reach(&self) -> Result<(), OidcError> {
        self.metadata().await.map(|_| ())
    }

    /// The address to go to, and what must come back from there.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn begin(&self, origin: &str) -> Result<(Url, Begun), OidcError> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata, origin)?;
        let begun = Begun::new();
        let (state, nonce) = (begun.state.clone(), begun.nonce.clone());
        let (address, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&begun.verifier))
            .url();
        if is_safe(&address).is_none() {
            return Err(OidcError::Provider("it names an address to sign in at that is not https"));
        }
        Ok((address, begun))
    }

    /// The mailbox that it vouches for, in exchange for the code that it gave.
    ///
    /// # Errors
    /// It cannot be reached, or what it says is not believed.
    pub async fn finish(&self, origin: &str, begun: Begun, code: &str) -> Result<Address, OidcError> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata, origin)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| OidcError::Provider("it names no address for tokens"))?
            .set_pkce_verifier(begun.verifier);
        let tokens = request.request_async(&Asks(&self.web)).await.map_err(|error| match error {
            RequestTokenError::Request(error) => OidcError::Web(error),
            RequestTokenError::ServerResponse(refusal) => OidcError::Refused(word(refusal.error().as_ref())),
            _ => OidcError::Token("there is none, or it is of another form"),
        })?;
        let token = tokens.id_token().ok_or(OidcError::Token("there is none"))?;
        let claims = match verified(&client, token, &begun.nonce) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let metadata = self.renewed().await?;
                verified(&self.client(&metadata, origin)?, token, &begun.nonce).cloned()
            }
            claims => claims.cloned(),
        };
        self.mailbox(&claims.map_err(|error| OidcError::Token(reason(&error)))?).map_err(OidcError::Token)
    }

    /// The mailbox of a token that is genuine, where it proves one.
    fn mailbox(&self, claims: &Claims) -> Result<Address, &'static str> {
        let more = claims.additional_claims();
        let text = match &self.config.proof {
            MailboxProof::Tenant => {
                if more.idp.as_ref().is_some_and(|idp| *idp != self.config.issuer) {
                    return Err("the person is a guest of the tenant");
                }
                // Without a mailbox in the directory the user principal name is all there is; it lies in a domain of the tenant.
                claims.email().map(|email| email.as_str()).or(claims.preferred_username().map(|name| name.as_str()))
            }
            MailboxProof::Workspace(hosted) => {
                let of = more.hd.as_deref().ok_or("no Workspace manages the account")?;
                if hosted.as_ref().is_some_and(|hosted| !hosted.eq_ignore_ascii_case(of)) {
                    return Err("another Workspace manages the account");
                }
                verified_email(claims)?
            }
            MailboxProof::Verified => verified_email(claims)?,
        };
        let text = text.ok_or("it names no mailbox")?;
        Address::parse(text).map_err(|_| "its mailbox is no e-mail address")
    }

    fn client(&self, metadata: &CoreProviderMetadata, origin: &str) -> Result<OurClient, OidcError> {
        let redirect = RedirectUrl::new(self.redirect_url(origin));
        let redirect = redirect.map_err(|_| OidcError::Provider("the way back has no address"))?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        // In the body, as Microsoft and Google write it themselves; OpenID Connect Discovery 1.0 3: Basic where nothing is said.
        let in_body = methods.is_some_and(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretPost));
        let auth = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let id = ClientId::new(self.config.client_id.clone());
        let client = OurClient::from_provider_metadata(metadata.clone(), id, Some(self.secret.clone()));
        Ok(client.set_redirect_uri(redirect).set_auth_type(auth))
    }

    /// Its metadata with its keys, as kept or fetched.
    async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && within(Some(*at), limits::OIDC_METADATA_SECONDS)
        {
            return Ok(Arc::clone(metadata));
        }
        self.fetch(&mut known).await
    }

    /// The same, fetched because of a key that nobody knows: providers change theirs. As kept where that was done a moment ago.
    async fn renewed(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = &known.metadata
            && within(known.renewed, limits::OIDC_AGAIN_SECONDS)
        {
            return Ok(Arc::clone(metadata));
        }
        known.renewed = Some(Instant::now());
        self.fetch(&mut known).await
    }

    async fn fetch(&self, known: &mut Known) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        if within(known.failed, limits::OIDC_AGAIN_SECONDS) {
            return Err(OidcError::Paused);
        }
        // Put back where it succeeds; so it stands too where the browser goes away meanwhile.
        known.failed = Some(Instant::now());
        let issuer =
            IssuerUrl::new(self.config.issuer.clone()).map_err(|_| OidcError::Provider("its issuer is no URL"))?;
        let metadata =
            CoreProviderMetadata::discover_async(issuer, &Asks(&self.web)).await.map_err(|error| match error {
                DiscoveryError::Request(error) => OidcError::Web(error),
                DiscoveryError::Response(..) => OidcError::Provider("it has no metadata or keys at its address"),
                DiscoveryError::Validation(_) => OidcError::Provider("it calls itself otherwise than `issuer` does"),
                _ => OidcError::Provider("its metadata or keys cannot be read"),
            })?;
        let metadata = Arc::new(metadata);
        known.failed = None;
        known.metadata = Some((Instant::now(), Arc::clone(&metadata)));
        Ok(metadata)
    }
}

/// Signature, issuer, audience, time and nonce (OpenID Connect Core 1.0 3.1.3.7).
fn verified<'t>(client: &OurClient, token: &'t Token, nonce: &Nonce) -> Result<&'t Claims, ClaimsVerificationError> {
    token.claims(&client.id_token_verifier().set_allowed_algs(SIGNED_WITH), nonce)
}

fn verified_email(claims: &Claims) -> Result<Option<&str>, &'static str> {
    match claims.email_verified() {
        Some(true) => Ok(claims.email().map(|email| email.as_str())),
        _ => Err("its mailbox is not verified"),
    }
}

/// What is wrong with a token, in words that hold nothing of it.
fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "it has expired",
        ClaimsVerificationError::InvalidAudience(_) => "it is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "it is from somebody else",
        ClaimsVerificationError::InvalidNonce(_) => "it is not of this sign-in",
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey => "its key is none of the provider's",
            SignatureVerificationError::NoSignature => "it has no signature",
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_) => {
                "it is signed in a way that is not taken"
            }
            _ => "its signature is wrong",
        },
        _ => "it is of another form",
    }
}
