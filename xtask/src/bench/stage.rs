//! The temporary directory of a run, with everything that all proxies share: certificate and requests.
//!
//! It is removed when the run ends, also by an error, Ctrl-C or SIGTERM.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::rivals::Certificate;
use super::routes::{HOST, Routing};

pub(crate) struct Stage {
    directory: TempDir,
    pub(crate) certificate: Certificate,
}

impl Stage {
    pub(crate) fn new() -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("daemun-bench-")
            .tempdir()
            .map_err(|error| format!("There is no temporary directory: {error}."))?;
        clean_up_when_interrupted(directory.path().to_owned())?;
        let certificate = certificate(directory.path())?;
        let openssl = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMinProtocol = TLSv1.3\nCiphersuites = TLS_AES_128_GCM_SHA256\nGroups = X25519\n";
        write(&directory.path().join("openssl.cnf"), openssl)?;
        Ok(Self {
            directory,
            certificate,
        })
    }

    /// OpenSSL's settings for a client that cannot be told on its command line: one suite, one curve.
    pub(crate) fn openssl(&self) -> PathBuf {
        self.directory.path().join("openssl.cnf")
    }

    /// A directory of the run, made anew.
    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.directory.path().join(name);
        fs::create_dir_all(&path)
            .map_err(|error| format!("{} cannot be made: {error}.", path.display()))?;
        Ok(path)
    }

    /// Writes the requests of a scenario to a file, as `bench-rig load` reads them.
    pub(crate) fn requests(&self, routing: Routing) -> Result<PathBuf, String> {
        let mut lines = String::new();
        for request in routing.requests() {
            let _ = write!(lines, "{}\t{}", request.host, request.target);
            if let Some(tenant) = request.tenant {
                let _ = write!(lines, "\tx-tenant: {tenant}");
            }
            lines.push('\n');
        }
        let path = self.directory.path().join("requests.tsv");
        write(&path, &lines)?;
        Ok(path)
    }
}

/// One self-signed certificate with a P-256 key (rcgen's default), for everybody.
fn certificate(directory: &Path) -> Result<Certificate, String> {
    let made = KeyPair::generate().and_then(|key| {
        let names = vec![HOST.to_owned(), format!("*.{HOST}")];
        CertificateParams::new(names)?
            .self_signed(&key)
            .map(|certificate| (certificate, key))
    });
    let (certificate, key) = made.map_err(|error| format!("No certificate was made: {error}."))?;
    let files = Certificate {
        chain: directory.join("tls.crt"),
        key: directory.join("tls.key"),
        both: directory.join("tls.pem"),
        der: directory.join("tls.der"),
    };
    let (chain, key) = (certificate.pem(), key.serialize_pem());
    write(&files.chain, &chain)?;
    write(&files.key, &key)?;
    write(&files.both, format!("{chain}{key}"))?;
    write(&files.der, certificate.der())?;
    Ok(files)
}

fn clean_up_when_interrupted(directory: PathBuf) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("Signals cannot be watched: {error}."))?;
    thread::spawn(move || {
        runtime.block_on(async {
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            // The programs that were started end with this process; see `bench-rig pinned`.
            let _gone = fs::remove_dir_all(directory);
            exit(130);
        });
    });
    Ok(())
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(path, content)
        .map_err(|error| format!("{} cannot be written: {error}.", path.display()))
}
