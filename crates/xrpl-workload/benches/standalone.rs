//! How soon a ledger to develop on answers, what it takes, and how large it is: the figures of the
//! table in `docs/standalone.md`. Prints them; fails if the first answer takes 50 ms or longer.

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
    let mut stream = TcpStream::connect(&host).ok()?;
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n\
         {body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains(r#""Balance":"10000000000""#).then(|| (ledger, began.elapsed()))
}

/// Resident memory of a process, in kilobytes.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn main() {
    let mut times = Vec::new();
    let mut memory = None;
    for _ in 0..STARTS {
        let Some((ledger, time)) = start() else { panic!("{PROGRAM} did not answer") };
        memory = resident(ledger.0.id());
        times.push(time);
    }
    times.sort_unstable();
    let size = std::fs::metadata(PROGRAM).map(|file| file.len()).unwrap_or_default();
    println!("standalone: start to the first answer, ten accounts funded, {STARTS} starts");
    println!("  median  {:>7.1} ms", times[STARTS / 2].as_secs_f64() * 1e3);
    println!("  longest {:>7.1} ms", times[STARTS - 1].as_secs_f64() * 1e3);
    if let Some(memory) = memory {
        println!("  memory  {:>7.1} MB resident", memory as f64 / 1e3);
    }
    println!("  program {:>7.1} MB", size as f64 / 1e6);
    assert!(times[STARTS / 2] < Duration::from_millis(50), "the first answer takes too long");
}
