use super::*;

fn none(_: &str) -> Option<String> {
    None
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn config(text: &str, environment: &Environment<'_>) -> tokio_postgres::Config {
    let mut address = address(text);
    address.complete(environment).unwrap();
    address.target().unwrap().config
}

#[test]
fn an_address_has_the_parts_of_libpqs() {
    use tokio_postgres::config::Host;
    let whole = config("postgres://me:p%40ss%2F%3A@db.example:6000/runs?sslmode=require", &none);
    assert_eq!(whole.get_user(), Some("me"));
    assert_eq!(whole.get_password(), Some(&b"p@ss/:"[..]));
    assert_eq!(whole.get_hosts(), [Host::Tcp("db.example".into())]);
    assert_eq!(whole.get_ports(), [6000]);
    assert_eq!(whole.get_dbname(), Some("runs"));
    assert_eq!(whole.get_ssl_mode(), SslMode::Require);
    let several = config("postgresql://a:1,[::1],b/x?target_session_attrs=read-write", &none);
    assert_eq!(several.get_ports(), [1, 5432, 5432]);
    assert_eq!(several.get_hosts()[1], Host::Tcp("::1".into()));
    assert_eq!(several.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    let socket = config("postgres:///runs?host=/run/pg&port=7&sslmode=require&user=u", &none);
    assert_eq!(socket.get_hosts(), [Host::Unix("/run/pg".into())]);
    assert_eq!(socket.get_ssl_mode(), SslMode::Disable, "a socket has no TLS");
    let options = config("postgres://h/?options=-c%20search_path%3Dmine&connect_timeout=3", &none);
    assert_eq!(options.get_options(), Some("-c search_path=mine"));
    assert_eq!(options.get_connect_timeout(), Some(&Duration::from_secs(3)));
}

#[test]
fn what_is_left_out_comes_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let passfile = folder.path().join("passwords");
    std::fs::write(&passfile, "db.example:6000:runs:me:from the file\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&passfile, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let environment = |password: bool| {
        let passfile = passfile.display().to_string();
        move |name: &str| {
            let value = match name {
                "PGHOST" => "db.example",
                "PGPORT" => "6000",
                "PGUSER" => "me",
                "PGDATABASE" => "runs",
                "PGSSLMODE" => "require",
                "PGPASSFILE" => &passfile,
                "PGPASSWORD" if password => "from the variable",
                // As if it were not set.
                "PGCONNECT_TIMEOUT" => "",
                _ => return None,
            };
            Some(value.to_owned())
        }
    };
    let all = config("postgres://", &environment(true));
    assert_eq!((all.get_user(), all.get_dbname()), (Some("me"), Some("runs")));
    assert_eq!(all.get_ports(), [6000]);
    assert_eq!(all.get_password(), Some(&b"from the variable"[..]));
    assert_eq!(all.get_ssl_mode(), SslMode::Require);
    assert_eq!(
        config("postgres://", &environment(false)).get_password(),
        Some(&b"from the file"[..])
    );
    let other = config("postgres://you@:1/other?sslmode=disable", &environment(false));
    assert_eq!((other.get_user(), other.get_dbname()), (Some("you"), Some("other")));
    assert_eq!(other.get_password(), None, "the file has none for this user");
    assert_eq!(other.get_ssl_mode(), SslMode::Disable);
}

#[test]
fn a_wrong_address_is_explained_and_not_repeated() {
    for (text, why) in [
        ("postgres:hunter2@h", "postgres://USER"),
        ("postgres:/hunter2@h", "postgres://USER"),
        ("postgres://u:hunter2@h:port/db", "65535"),
        ("postgres://u:hunter2@h:0/db", "65535"),
        ("postgres://u:hun/ter2@h/db", "%2F"),
        ("postgres://u:hunter2@x@h/db", "%40"),
        ("postgres://u:hunter2?@h/db", "%3F"),
        ("postgres://u:hunter2@h/db?sslmode", "KEYWORD=VALUE"),
        ("postgres://u:hunter2@h/db?sslmode=allow", "verify-full"),
        ("postgres://u:hunter2@h/db?hunter2=1", "sslrootcert"),
        ("postgres://u:hunter2@h/db?connect_timeout=soon", "seconds"),
        ("postgres://u:hunter2%FF@h/db", "UTF-8"),
        ("postgres://u:hunter2@h%20/db", "the host is"),
        ("postgres://u:hunter2@h/db?target_session_attrs=primary", "read-write"),
    ] {
        assert!(Address::is_meant(text), "{text}");
        let error = Address::parse(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
        assert!(!error.contains("hunter") && !error.contains("ter2"), "{text}: {error}");
    }
    for file in ["run.db", "./postgres.db", "postgres/run.db", "memory"] {
        assert!(!Address::is_meant(file), "{file}");
    }
    let mut wrong = address("postgres://h/db");
    let error = wrong.complete(&|name| (name == "PGPORT").then(|| "hunter2".into())).unwrap_err();
    assert!(error.to_string().starts_with("PGPORT: "), "{error}");
}

#[test]
fn certificates_are_checked_as_far_as_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["h".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("root.crt"), made.cert.pem()).unwrap();
    std::fs::write(path("empty.crt"), "").unwrap();
    let check = |parameters: &str| {
        let mut address = address(&format!("postgres://h/db?{parameters}"));
        address.complete(&none).map(|()| address.check.unwrap())
    };
    let root = path("root.crt");
    let given = Roots::Given(vec![made.cert.der().clone()]);
    for (parameters, expected) in [
        (String::new(), Check::Nothing),
        ("sslmode=require".into(), Check::Nothing),
        (format!("sslmode=disable&sslrootcert={root}"), Check::Nothing),
        (format!("sslmode=require&sslrootcert={root}"), Check::Chain(given.clone())),
        (format!("sslmode=verify-ca&sslrootcert={root}"), Check::Chain(given.clone())),
        (format!("sslmode=verify-full&sslrootcert={root}"), Check::ChainAndName(given)),
        ("sslmode=verify-full".into(), Check::ChainAndName(Roots::System)),
    ] {
        assert_eq!(check(&parameters), Ok(expected), "{parameters}");
    }
    for (parameters, why) in [
        ("sslmode=verify-ca".to_owned(), "sslrootcert=FILE"),
        ("sslmode=require&sslrootcert=system".into(), "verify-full"),
        (format!("sslmode=verify-ca&sslrootcert={}", path("none.crt")), "cannot be read"),
        (format!("sslmode=verify-ca&sslrootcert={}", path("empty.crt")), "no certificate"),
    ] {
        let error = check(&parameters).unwrap_err().to_string();
        assert!(error.contains(why), "{parameters}: {error}");
    }
}

#[test]
fn an_address_is_shown_without_its_password() {
    for (text, shown) in [
        ("postgres://u:hunter2@h:1/db", "postgres://u@h:1/db"),
        ("postgres://h/db?password=hunter2&sslmode=require", "postgres://h/db?sslmode=require"),
        ("postgresql://a:1,[::1]:2/db", "postgres://a:1,[::1]:2/db"),
        ("postgres:///db?host=/run/pg&port=7", "postgres:///db?host=/run/pg&port=7"),
        ("postgres://", "postgres:///"),
    ] {
        let address = address(text);
        assert_eq!(address.to_string(), shown);
        assert_eq!(format!("{address:?}"), shown);
        // What is shown is an address again.
        assert_eq!(Address::parse(shown).unwrap().to_string(), shown);
    }
    assert_eq!(address("postgres://u:hunter2@h").password(), Some("hunter2"));
}
