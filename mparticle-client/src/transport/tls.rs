//! The TLS configuration, implemented with rustls and ring.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// The TLS settings of a client.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    pub(crate) trust: ServerTrust,
    /// Root certificates in PEM form.
    pub(crate) added_roots: Vec<Vec<u8>>,
    pub(crate) identity: Option<ClientIdentity>,
}

/// Which server certificates are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ServerTrust {
    /// Certificates issued under Mozilla's root certificates or the added ones.
    #[default]
    PublicAndAddedRoots,
    /// Certificates issued under the added root certificates.
    AddedRootsOnly,
    /// Any certificate.
    AnyCertificate,
}

/// A certificate chain and its private key, both in PEM form.
#[derive(Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) certificates: Vec<u8>,
    pub(crate) private_key: Vec<u8>,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("trust", &self.trust)
            .field("added_roots", &self.added_roots.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl TlsSettings {
    /// Returns the configuration of rustls, or describes every mistake in the settings.
    pub(crate) fn configure(&self) -> Result<ClientConfig, Vec<String>> {
        let mut problems = Vec::new();
        let roots = self.roots(&mut problems);
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| vec![format!("TLS cannot be set up: {error}")])?;
        let builder = if self.trust == ServerTrust::AnyCertificate {
            let verifier = Arc::new(AcceptAnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            builder.with_root_certificates(roots)
        };
        let config = match self.identity.as_ref().map(ClientIdentity::parse) {
            None => Some(builder.with_no_client_auth()),
            Some(Ok((chain, key))) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| {
                    problems.push(format!("the client identity cannot be used: {error}"));
                })
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
        match self.trust {
            ServerTrust::PublicAndAddedRoots => {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            ServerTrust::AddedRootsOnly if self.added_roots.is_empty() => {
                problems.push("no root certificate was added, and no other is trusted".to_owned());
            }
            ServerTrust::AddedRootsOnly | ServerTrust::AnyCertificate => {}
        }
        for pem in &self.added_roots {
            match certificates(pem, "root certificates") {
                Err(problem) => problems.push(problem),
                Ok(found) => {
                    for certificate in found {
                        if let Err(error) = roots.add(certificate) {
                            problems.push(format!("a root certificate cannot be used: {error}"));
                        }
                    }
                }
            }
        }
        roots
    }
}

impl ClientIdentity {
    fn parse(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain = certificates(&self.certificates, "client certificate")?;
        // The parser's error could quote the key.
        let key = PrivateKeyDer::from_pem_slice(&self.private_key)
            .map_err(|_| "the client identity contains no private key in PEM form".to_owned())?;
        Ok((chain, key))
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Err(error) => Err(format!("{what}: invalid PEM: {error}")),
        Ok(found) if found.is_empty() => Err(format!("{what}: no certificate in PEM form")),
        Ok(found) => Ok(found),
    }
}

/// Accepts any certificate, but still verifies the signatures that are made with its key.
#[derive(Debug)]
struct AcceptAnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyCertificate {
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
    fn mozillas_roots_are_trusted_unless_only_the_added_ones_are() {
        let mozillas = webpki_roots::TLS_SERVER_ROOTS.len();
        for (trust, count) in
            [(ServerTrust::PublicAndAddedRoots, mozillas), (ServerTrust::AddedRootsOnly, 0)]
        {
            let settings = TlsSettings { trust, ..TlsSettings::default() };
            assert_eq!(settings.roots(&mut Vec::new()).len(), count, "{trust:?}");
        }
    }
}
