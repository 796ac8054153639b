//! Errors of the transport.

/// Why there is no response. Names the host and the cause; never a path, a query or a header, since those may
/// carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// HTTPS cannot be set up, so nothing can be sent.
    #[error("HTTPS cannot be set up: {cause}")]
    Setup {
        /// The library's error, or the file that is wrong.
        cause: String,
    },
    /// The connection failed: the request was certainly not delivered.
    #[error("no connection to {host}: {cause}")]
    Connect {
        /// Host and port.
        host: String,
        /// The system's error.
        cause: String,
    },
    /// The server's certificate is not trusted: the request was certainly not delivered.
    #[error(
        "the certificate of {host} is not trusted: {cause}. If it was issued by a CA of your own, provide the \
         CA's certificate (PEM): in AWS_CA_BUNDLE or, for a registry, as /etc/docker/certs.d/{host}/ca.crt, \
         in addition to the system's; or in SSL_CERT_FILE, instead of them. A server's certificate must \
         not be a CA itself (openssl req -addext basicConstraints=critical,CA:FALSE)"
    )]
    Untrusted {
        /// Host and port.
        host: String,
        /// The library's error.
        cause: String,
    },
    /// The server does not use TLS: the request was certainly not delivered.
    #[error(
        "{host} answers without TLS, and plain text is sent only to this machine (localhost, 127.0.0.1). \
         Give it a certificate, or put it behind a proxy that has one"
    )]
    PlainText {
        /// Host and port.
        host: String,
    },
    /// The request timed out: it may have been delivered.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Host and port.
        host: String,
    },
    /// Any other error: the request may have been delivered.
    #[error("the request to {host} failed: {cause}")]
    Other {
        /// Host and port.
        host: String,
        /// The library's error.
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
                ". Install the package `ca-certificates`, or check SSL_CERT_FILE and SSL_CERT_DIR"
            }
            false => "",
        };
        TransportError::Setup { cause: format!("{cause}{hint}") }
    }

    pub(super) fn of_reqwest(host: &str, error: &reqwest::Error) -> TransportError {
        let (host, cause) = (host.to_owned(), innermost(error));
        // Reported apart by rustls' messages: its errors arrive as I/O errors.
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

    /// Names the variable that an error of setup is about.
    pub(super) fn named(self, name: &str) -> TransportError {
        match self {
            TransportError::Setup { cause } => {
                TransportError::Setup { cause: format!("{name} names {cause}") }
            }
            other => other,
        }
    }

    /// Returns whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        !matches!(
            self,
            TransportError::Setup { .. }
                | TransportError::Untrusted { .. }
                | TransportError::PlainText { .. }
        )
    }
}

/// Returns the last cause in the chain: libraries' outer messages repeat the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
