//! Addresses of databases, as libpq takes them: a URL, and for what it leaves out the `PG*` variables
//! and the password file.

mod passfile;

use std::{collections::BTreeMap, fmt, net::IpAddr, path::Path, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use crate::tls::{Check, Roots, Tls};

/// Takes the value of an environment variable.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What an address may say besides, and the variable that says it otherwise.
const KEYWORDS: [(&str, &str); 12] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("application_name", "PGAPPNAME"),
    ("options", "PGOPTIONS"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

const SCHEMES: [&str; 2] = ["postgres:", "postgresql:"];

const FORM: &str = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";

const PORT: u16 = 5432;

/// Where servers put their sockets: Debian's, and PostgreSQL's own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// How long a server may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// After how long a server that says nothing is gone. The same is asked of the server about us, so that
/// the lock of a machine that lost its power is free again.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
pub(crate) const PROBE_AFTER: Duration = Duration::from_secs(15);
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(5);
pub(crate) const PROBES: u32 = 3;

/// What is wrong with an address. No password is ever in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

fn wrong<T>(why: impl Into<String>) -> Result<T, AddressError> {
    Err(AddressError(why.into()))
}

/// Where a store is. It is shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// By keyword. Of host and port there are several where they have commas.
    given: BTreeMap<&'static str, String>,
    /// What the server's certificate is checked against, once that is known.
    check: Option<Check>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.given.get("user") {
            write!(f, "{user}@")?;
        }
        let hosts: Vec<_> = self.list("host").collect();
        let ports: Vec<_> = self.list("port").collect();
        // A folder has no place before the path.
        let (sockets, before) = match hosts.iter().any(|host| host.starts_with('/')) {
            true => (Some(hosts.join(",")), Vec::new()),
            false => (None, hosts),
        };
        for (n, host) in before.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            let host = if host.contains(':') { format!("[{host}]") } else { (*host).to_owned() };
            write!(f, "{comma}{host}")?;
            if let Some(port) = ports.get(n).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.given.get("dbname").map_or("", String::as_str))?;
        let mut mark = '?';
        let mut also = |keyword: &str, value: &str| {
            let mark = std::mem::replace(&mut mark, '&');
            write!(f, "{mark}{keyword}={value}")
        };
        if let Some(sockets) = sockets {
            also("host", &sockets)?;
        }
        if before.is_empty() && !ports.is_empty() {
            also("port", &ports.join(","))?;
        }
        let apart = ["user", "host", "port", "dbname", "password", "passfile"];
        for (keyword, value) in self.given.iter().filter(|(keyword, _)| !apart.contains(keyword)) {
            also(keyword, value)?;
        }
        Ok(())
    }
}

impl Address {
    /// Whether a text is meant as an address, right or wrong, and as no file.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let begins = |scheme: &&str| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        SCHEMES.iter().any(begins)
    }

    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?KEYWORD=VALUE`, of which every part may be
    /// left out; `postgresql://` too. Several hosts are tried in turn.
    ///
    /// # Errors
    /// It has another form, a keyword that is not known, or a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if Self::is_meant(&format!("{scheme}:")) => rest,
            _ => return wrong(format!("expected {FORM}")),
        };
        let mut address = Self { given: BTreeMap::new(), check: None };
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.split_once('@') {
            Some((credentials, hosts)) => (credentials, hosts),
            None => ("", authority),
        };
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, password),
            None => (credentials, ""),
        };
        address.put("user", user)?;
        address.put("password", password)?;
        address.put_hosts(hosts)?;
        address.put("dbname", database)?;
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let Some((name, value)) = parameter.split_once('=') else {
                return wrong("after the ? stands KEYWORD=VALUE, several with & between them");
            };
            let Some((keyword, _)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == name) else {
                let known = KEYWORDS.map(|(keyword, _)| keyword).join(", ");
                return wrong(format!("after the ? stands a keyword that is none of {known}"));
            };
            address.put(keyword, value)?;
        }
        Ok(address)
    }

    /// Hosts and their ports, as they stand before the path.
    fn put_hosts(&mut self, text: &str) -> Result<(), AddressError> {
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for one in text.split(',').filter(|_| !text.is_empty()) {
            let (host, port) = match one.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((host, "")) => (host, ""),
                Some((host, port)) => (host, port.trim_start_matches(':')),
                None => one.split_once(':').unwrap_or((one, "")),
            };
            hosts.push(host);
            ports.push(port);
        }
        self.put("host", &hosts.join(","))?;
        if ports.iter().all(|port| port.is_empty()) {
            return Ok(());
        }
        let port = PORT.to_string();
        let ports: Vec<_> =
            ports.into_iter().map(|given| if given.is_empty() { &port } else { given }).collect();
        self.put("port", &ports.join(","))
    }

    /// Notes what stands in an address, unless it is empty.
    fn put(&mut self, keyword: &'static str, encoded: &str) -> Result<(), AddressError> {
        if encoded.is_empty() {
            return Ok(());
        }
        let Ok(value) = percent_decode_str(encoded).decode_utf8() else {
            return wrong(format!("its {keyword} is no UTF-8 once the %XX in it are bytes"));
        };
        check(keyword, &value).map_err(AddressError)?;
        self.given.insert(keyword, value.into_owned());
        Ok(())
    }

    /// Takes what is left out from the `PG*` variables, the password from the password file, and reads
    /// the root certificates.
    ///
    /// # Errors
    /// A variable has a value that cannot be, or certificates cannot be read.
    pub fn complete(&mut self, environment: &Environment<'_>) -> Result<(), AddressError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        for (keyword, name) in KEYWORDS {
            if self.given.contains_key(keyword) {
                continue;
            }
            if let Some(value) = variable(name) {
                check(keyword, &value).map_err(|why| AddressError(format!("{name}: {why}")))?;
                self.given.insert(keyword, value);
            }
        }
        let home = variable("HOME");
        let user = variable("USER").or_else(|| variable("LOGNAME"));
        if !self.given.contains_key("password") {
            let file = self.given.get("passfile").cloned();
            let file = file.or_else(|| home.as_ref().map(|home| format!("{home}/.pgpass")));
            let password = file.and_then(|file| {
                let user = self.given.get("user").cloned().or(user).unwrap_or_default();
                let database = self.given.get("dbname").unwrap_or(&user);
                let host = self.list("host").next().unwrap_or("localhost");
                let port = self.list("port").next().map_or(PORT.to_string(), str::to_owned);
                passfile::find(Path::new(&file), [host, &port, database, &user])
            });
            self.given.extend(password.map(|password| ("password", password)));
        }
        self.check = Some(self.find_check(home.as_deref())?);
        Ok(())
    }

    /// What is checked of the server's certificate.
    fn find_check(&self, home: Option<&str>) -> Result<Check, AddressError> {
        let mode = self.given.get("sslmode").map_or("prefer", String::as_str);
        if mode == "disable" {
            return Ok(Check::Nothing);
        }
        let given = self.given.get("sslrootcert").map(String::as_str);
        let usual = home.map(|home| format!("{home}/.postgresql/root.crt"));
        let usual = usual.filter(|path| Path::new(path).exists());
        let roots = match (given, usual) {
            (Some("system"), _) if mode != "verify-full" => {
                return wrong(format!(
                    "sslrootcert=system with sslmode={mode}: whoever has a certificate of any of \
                     those authorities would do; give sslmode=verify-full"
                ));
            }
            (Some("system"), _) => Some(Roots::System),
            (Some(path), _) => Some(read_roots(path)?),
            (None, Some(path)) => Some(read_roots(&path)?),
            (None, None) if mode == "verify-full" => Some(Roots::System),
            (None, None) => None,
        };
        match (mode, roots) {
            ("verify-full", Some(roots)) => Ok(Check::ChainAndName(roots)),
            ("verify-ca", None) => wrong(
                "sslmode=verify-ca needs the authority's certificate: give sslrootcert=FILE, or \
                 sslmode=verify-full for those of the system",
            ),
            // As libpq does: who has a certificate to check against wants it checked.
            (_, Some(roots)) => Ok(Check::Chain(roots)),
            (_, None) => Ok(Check::Nothing),
        }
    }

    fn list(&self, keyword: &str) -> impl Iterator<Item = &str> {
        self.given.get(keyword).into_iter().flat_map(|list| list.split(','))
    }

    /// The password, so that it can be kept out of logs.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.given.get("password").map(String::as_str)
    }

    /// How connections are made.
    pub(crate) fn target(&self) -> xrpl_tracker::Result<Target> {
        let mut config = tokio_postgres::Config::new();
        config.connect_timeout(CONNECT).tcp_user_timeout(SILENCE);
        config.keepalives_idle(PROBE_AFTER).keepalives_interval(PROBE_EVERY);
        config.keepalives_retries(PROBES).application_name("xrpl-workload");
        let ports: Vec<u16> = self.list("port").filter_map(|port| port.parse().ok()).collect();
        let mut hosts: Vec<_> = self.list("host").map(str::to_owned).collect();
        if hosts.is_empty() {
            let port = ports.first().copied().unwrap_or(PORT);
            let socket =
                |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
            hosts.push(SOCKETS.iter().find(socket).map_or("localhost", |folder| folder).to_owned());
        }
        for host in &hosts {
            config.host(host);
        }
        for port in ports {
            config.port(port);
        }
        let mode = match self.given.get("sslmode").map_or("prefer", String::as_str) {
            // Nothing is encrypted on a socket of the machine's own.
            _ if hosts.iter().all(|host| host.starts_with('/')) => SslMode::Disable,
            "disable" => SslMode::Disable,
            "prefer" => SslMode::Prefer,
            _ => SslMode::Require,
        };
        config.ssl_mode(mode);
        for (keyword, value) in &self.given {
            match *keyword {
                "dbname" => drop(config.dbname(value)),
                "user" => drop(config.user(value)),
                "password" => drop(config.password(value)),
                "application_name" => drop(config.application_name(value)),
                "options" => drop(config.options(value)),
                "connect_timeout" => {
                    // 0 is for ever, as with libpq.
                    let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                    config.connect_timeout(Duration::from_secs(
                        seconds.unwrap_or(u64::from(u32::MAX)),
                    ));
                }
                "target_session_attrs" => drop(config.target_session_attrs(attributes(value))),
                _ => {}
            }
        }
        let check = match (&self.check, mode) {
            (_, SslMode::Disable) => Check::Nothing,
            (Some(check), _) => check.clone(),
            (None, _) => self.find_check(None).map_err(crate::columns::failed)?,
        };
        Ok(Target { config, tls: Tls::new(check)? })
    }
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: Tls,
}

fn attributes(value: &str) -> TargetSessionAttrs {
    match value {
        "read-write" => TargetSessionAttrs::ReadWrite,
        "read-only" => TargetSessionAttrs::ReadOnly,
        _ => TargetSessionAttrs::Any,
    }
}

fn read_roots(path: &str) -> Result<Roots, AddressError> {
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
    let mend = "give the authority's certificate as PEM";
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => {
            wrong(format!("sslrootcert={path} has no certificate: {mend}"))
        }
        Ok(found) => Ok(Roots::Given(found)),
        Err(error) => wrong(format!("sslrootcert={path} cannot be read: {error}; {mend}")),
    }
}

/// Whether a keyword's value can be. Values are not repeated: where an address is cut wrongly, a part of
/// the password may stand anywhere.
fn check(keyword: &str, value: &str) -> Result<(), String> {
    let of = |values: &[&str]| match values.contains(&value) {
        true => Ok(()),
        false => Err(format!("{keyword} is one of {}", values.join(", "))),
    };
    match keyword {
        _ if value.contains('\0') => Err(format!("a byte 0 cannot be in {keyword}")),
        "port" if value.split(',').any(|port| !port.parse().is_ok_and(|port: u16| port > 0)) => {
            Err("the port is a number from 1 to 65535 (in user and password : / ? # @ are written \
                 %3A %2F %3F %23 %40)"
                .into())
        }
        "host" if !value.split(',').all(may_be_host) => {
            Err("the host is a name, an address, or the folder of a socket (in user and password \
                 : / ? # @ are written %3A %2F %3F %23 %40)"
                .into())
        }
        "sslmode" => of(&["disable", "prefer", "require", "verify-ca", "verify-full"]),
        "target_session_attrs" => of(&["any", "read-write", "read-only"]),
        "connect_timeout" if value.parse::<u32>().is_err() => {
            Err("connect_timeout is a number of seconds, 0 for ever".into())
        }
        _ => Ok(()),
    }
}

fn may_be_host(host: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    host.starts_with('/')
        || host.parse::<IpAddr>().is_ok()
        || (!host.is_empty() && host.chars().all(in_name))
}

#[cfg(test)]
mod tests;
