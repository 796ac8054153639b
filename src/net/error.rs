//! Why no answer came.

/// Why no answer came. Names the host and the cause; never a path, a query or a header, since those
/// may carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing can be sent at all.
    #[error("HTTPS cannot be set up: {cause}")]
    Setup {
        /// What the library says, or which file is wrong.
        cause: String,
    },
    /// No connection could be made: the request was surely not delivered.
    #[error("no connection to {host}: {cause}")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system says.
        cause: String,
    },
    /// Whoever answers could not prove to be `host`: the request was surely not delivered.
    #[error(
        "{host} cannot be trusted: {cause}. If an authority of your own vouches for it, name its \
         certificate (PEM): in AWS_CA_BUNDLE or, for a registry, as /etc/docker/certs.d/{host}/ca.crt, \
         besides those of the system; or in SSL_CERT_FILE, in their place. A server's own certificate must \
         not be an authority itself (openssl req -addext basicConstraints=critical,CA:FALSE)"
    )]
    Untrusted {
        /// Host and port.
        host: String,
        /// What the library says.
        cause: String,
    },
    /// It does not speak TLS: the request was surely not delivered.
    #[error(
        "{host} answers, but without TLS. Nothing is sent in plain text but to this machine itself \
         (localhost, 127.0.0.1): give it a certificate, or reach it through one that has"
    )]
    PlainText {
        /// Host and port.
        host: String,
    },
    /// The time ran out: the request may have been delivered.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Host and port.
        host: String,
    },
    /// Anything else: the request may have been delivered.
    #[error("the exchange with {host} failed: {cause}")]
    Other {
        /// Host and port.
        host: String,
        /// What the library says.
        cause: String,
    },
}

impl TransportError {
    pub(super) fn new(host: &str, error: &dyn std::error::Error) -> TransportError {
        TransportError::Other { host: host.to_owned(), cause: innermost(error) }
    }

    pub(super) fn of_setup(error: &dyn std::error::Error) -> TransportError {
        let cause = innermost(error);
        let hint = match cause.contains("No CA certificates") {
            true => {
                ". Install the system's (`ca-certificates`), or check SSL_CERT_FILE and SSL_CERT_DIR"
            }
            false => "",
        };
        TransportError::Setup { cause: format!("{cause}{hint}") }
    }

    pub(super) fn of_reqwest(host: &str, error: &reqwest::Error) -> TransportError {
        let (host, cause) = (host.to_owned(), innermost(error));
        // By rustls' words: its errors come as those of input and output.
        if cause.starts_with("invalid peer certificate") {
            TransportError::Untrusted { host, cause }
        } else if cause.contains("InvalidContentType") {
            TransportError::PlainText { host }
        } else if error.is_connect() {
            TransportError::Connect { host, cause }
        } else if error.is_timeout() {
            TransportError::Timeout { host }
        } else {
            TransportError::Other { host, cause }
        }
    }

    /// The same, told to be about what `name` names.
    pub(super) fn named(self, name: &str) -> TransportError {
        match self {
            TransportError::Setup { cause } => {
                TransportError::Setup { cause: format!("{name} names {cause}") }
            }
            other => other,
        }
    }

    /// Whether the same may well succeed in a moment.
    pub fn is_passing(&self) -> bool {
        !matches!(
            self,
            TransportError::Setup { .. }
                | TransportError::Untrusted { .. }
                | TransportError::PlainText { .. }
        )
    }
}

/// The last cause in the chain: libraries' outer messages repeat the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
