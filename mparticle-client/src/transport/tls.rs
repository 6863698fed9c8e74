//! The TLS configuration: rustls with ring, Mozilla's root certificates unless others are given.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// What a builder was told about TLS.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    pub(crate) trust: Trust,
    /// PEM files of further root certificates.
    pub(crate) extra_roots: Vec<Vec<u8>>,
    pub(crate) identity: Option<Identity>,
}

/// Which servers are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those with a certificate that leads to one of Mozilla's roots or of the given ones.
    #[default]
    Public,
    /// Those with a certificate that leads to one of the given roots.
    GivenRootsAlone,
    /// Anyone.
    Anyone,
}

/// A certificate chain and its private key, as PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificates: Vec<u8>,
    pub(crate) private_key: Vec<u8>,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("trust", &self.trust)
            .field("extra_roots", &self.extra_roots.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl TlsSettings {
    /// The configuration of rustls, or every mistake in the settings.
    pub(crate) fn configure(&self) -> Result<ClientConfig, Vec<String>> {
        let mut problems = Vec::new();
        let roots = self.roots(&mut problems);
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| vec![format!("TLS cannot be set up: {error}")])?;
        let builder = if self.trust == Trust::Anyone {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider)))
        } else {
            builder.with_root_certificates(roots)
        };
        let config = match self.identity.as_ref().map(Identity::parse) {
            None => Some(builder.with_no_client_auth()),
            Some(Ok((chain, key))) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| problems.push(format!("client identity cannot be used: {error}")))
                .ok(),
            Some(Err(problem)) => {
                problems.push(problem);
                None
            }
        };
        config.filter(|_| problems.is_empty()).ok_or(problems)
    }

    fn roots(&self, problems: &mut Vec<String>) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        if self.trust == Trust::Public {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for pem in &self.extra_roots {
            match certificates(pem, "root certificates") {
                Err(problem) => problems.push(problem),
                Ok(found) => {
                    for certificate in found {
                        if let Err(error) = roots.add(certificate) {
                            problems.push(format!("root certificate cannot be used: {error}"));
                        }
                    }
                }
            }
        }
        roots
    }
}

impl Identity {
    fn parse(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain = certificates(&self.certificates, "client certificate")?;
        // The error of the parser could quote the key.
        let key = PrivateKeyDer::from_pem_slice(&self.private_key)
            .map_err(|_| "client identity has no private key in PEM form".to_owned())?;
        Ok((chain, key))
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Err(error) => Err(format!("{what}: not readable as PEM: {error}")),
        Ok(found) if found.is_empty() => Err(format!("{what}: no certificate in PEM form")),
        Ok(found) => Ok(found),
    }
}

/// Takes any certificate; what is signed with it is verified all the same.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mozillas_roots_are_trusted_unless_only_the_given_ones_are() {
        let mozillas = webpki_roots::TLS_SERVER_ROOTS.len();
        for (trust, count) in [(Trust::Public, mozillas), (Trust::GivenRootsAlone, 0)] {
            let settings = TlsSettings { trust, ..TlsSettings::default() };
            assert_eq!(settings.roots(&mut Vec::new()).len(), count, "{trust:?}");
        }
    }
}
