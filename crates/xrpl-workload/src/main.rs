//! The program.

fn main() -> std::process::ExitCode {
    xrpl_workload::cli::main()
}
