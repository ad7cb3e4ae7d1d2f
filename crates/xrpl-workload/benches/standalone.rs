//! How soon a ledger to develop on answers, what it takes, and how large it is: the figures of the
//! table in `docs/standalone.md`. Prints them; fails if the first answer takes 50 ms or longer. With
//! `ANVIL=/path/to/anvil` that program is measured in the same way beside it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xrpl-workload");
const STARTS: usize = 21;

struct Ledger(Child);

impl Drop for Ledger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program with its ten accounts; the time to the end of the first answer about one.
fn start() -> Option<(Ledger, Duration)> {
    let began = Instant::now();
    let mut child = Command::new(PROGRAM)
        .args(["standalone", "--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let out = child.stdout.take()?;
    let ledger = Ledger(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).ok()?;
    let told: serde_json::Value = serde_json::from_str(&line).ok()?;
    let host = told["rpc"].as_str()?.strip_prefix("http://")?.to_owned();
    let address = &told["accounts"][9]["address"];
    let body = format!(r#"{{"method":"account_info","params":[{{"account":{address}}}]}}"#);
    asked(&host, &body, r#""Balance":"10000000000""#)?;
    Some((ledger, began.elapsed()))
}

/// One request over HTTP; none unless somebody answers with these words.
fn asked(host: &str, body: &str, words: &str) -> Option<()> {
    let mut stream = TcpStream::connect(host).ok()?;
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains(words).then_some(())
}

/// The same for anvil: it does not tell when it listens, and is asked until it answers.
fn start_anvil(program: &str) -> Option<(Ledger, Duration)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
    let began = Instant::now();
    let child = Command::new(program)
        .args(["--silent", "--port", &free.port().to_string()])
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let ledger = Ledger(child);
    let account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["{account}","latest"]}}"#
    );
    while began.elapsed() < Duration::from_secs(20) {
        if asked(&free.to_string(), &body, r#""result":"0x"#).is_some() {
            return Some((ledger, began.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// Resident memory of a process, in kilobytes.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Starts a program several times; prints and returns the median.
fn measure(name: &str, program: &str, start: impl Fn() -> Option<(Ledger, Duration)>) -> Duration {
    let mut times = Vec::new();
    let mut memory = None;
    for _ in 0..STARTS {
        let Some((ledger, time)) = start() else { panic!("{program} did not answer") };
        memory = resident(ledger.0.id());
        times.push(time);
    }
    times.sort_unstable();
    let size = std::fs::metadata(program).map(|file| file.len()).unwrap_or_default();
    println!("{name}: start to the first answer, {STARTS} starts");
    println!("  median  {:>7.1} ms", times[STARTS / 2].as_secs_f64() * 1e3);
    println!("  longest {:>7.1} ms", times[STARTS - 1].as_secs_f64() * 1e3);
    if let Some(memory) = memory {
        println!("  memory  {:>7.1} MB resident", memory as f64 / 1e3);
    }
    println!("  program {:>7.1} MB", size as f64 / 1e6);
    times[STARTS / 2]
}

fn main() {
    let median = measure("standalone with ten funded accounts", PROGRAM, start);
    if let Ok(anvil) = std::env::var("ANVIL") {
        let other = measure("anvil with ten funded accounts", &anvil, || start_anvil(&anvil));
        println!("ratio    {:>7.1}", other.as_secs_f64() / median.as_secs_f64());
    }
    assert!(median < Duration::from_millis(50), "the first answer takes too long");
}
