//! What is known of the machines of hosted CI: `rules/ci/hosts.toml`.

use crate::facts::run::fnmatch;
use crate::facts::trace::Service;
use std::sync::OnceLock;

struct Host {
    service: Service,
    patterns: Vec<String>,
    /// None: the label holds it.
    cpus: Option<u32>,
}

fn table() -> &'static [Host] {
    static TABLE: OnceLock<Vec<Host>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../rules/ci/hosts.toml");
        let table: toml::Table = text.parse().unwrap_or_default();
        let hosts = table.get("host").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        hosts
            .iter()
            .filter_map(|host| {
                let service = match host.get("service")?.as_str()? {
                    "github" => Service::GitHub,
                    "forge" => Service::Forge,
                    "gitlab" => Service::GitLab,
                    "circle" => Service::Circle,
                    "azure" => Service::Azure,
                    _ => return None,
                };
                let patterns =
                    host.get("patterns")?.as_array()?.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
                let cpus = host.get("cpus").and_then(toml::Value::as_integer).and_then(|n| u32::try_from(n).ok());
                Some(Host { service, patterns, cpus })
            })
            .collect()
    })
}

/// How many CPUs the machine behind a label has, where that is known.
pub fn cpus(service: Service, label: &str) -> Option<u32> {
    let label = &label.trim().to_lowercase();
    table().iter().filter(|host| host.service == service).find_map(|host| {
        let plain = || host.patterns.iter().any(|pattern| fnmatch(&pattern.to_lowercase(), label));
        match host.cpus {
            Some(cpus) => plain().then_some(cpus),
            None => numbers(label).find_map(|(number, without)| {
                host.patterns.iter().any(|pattern| fnmatch(&pattern.to_lowercase(), &without)).then_some(number)
            }),
        }
    })
}

/// The numbers of a label, each with the label in which it is written `{n}`.
fn numbers(label: &str) -> impl Iterator<Item = (u32, String)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + label.get(at..)?.find(|c: char| c.is_ascii_digit())?;
        let rest = &label[start..];
        let end = start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        at = end;
        Some((&label[start..end], start, end))
    })
    .filter_map(move |(digits, start, end)| Some((digits.parse().ok()?, format!("{}{{n}}{}", &label[..start], &label[end..]))))
}

/// Both architectures of one operating system may stand behind the labels of a job.
pub fn is_arm(label: &str) -> bool {
    label.contains("arm") || label.contains("aarch64")
}

/// The operating system that a label names, as `runner.os` says it.
pub fn system(label: &str) -> Option<&'static str> {
    let label = label.to_lowercase();
    [("ubuntu", "Linux"), ("linux", "Linux"), ("windows", "Windows"), ("macos", "macOS")]
        .into_iter()
        .find(|(part, _)| label.contains(part))
        .map(|(_, system)| system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_their_sizes() {
        for (service, label, wanted) in [
            (Service::GitHub, "ubuntu-latest", Some(4)),
            (Service::GitHub, "ubuntu-24.04-arm", Some(4)),
            (Service::GitHub, "macos-latest", Some(3)),
            (Service::GitHub, "macos-latest-large", Some(12)),
            (Service::GitHub, "depot-ubuntu-22.04-32", Some(32)),
            (Service::GitHub, "depot-ubuntu-24.04", Some(2)),
            (Service::GitHub, "depot-ubuntu-24.04-arm-8", Some(8)),
            (Service::GitHub, "blacksmith-4vcpu-ubuntu-2404", Some(4)),
            (Service::GitHub, "namespace-profile-windows-4c-8g", Some(4)),
            (Service::GitHub, "namespace-profile-windows-2022-x86-64-16x32", Some(16)),
            (Service::GitHub, "namespace-profile-linux-x64-default", None),
            (Service::GitHub, "github-ubuntu-24.04-x86_64-8", Some(8)),
            (Service::GitHub, "benchmarks", None),
            (Service::Forge, "ubuntu-latest", None),
            (Service::Forge, "codeberg-small", Some(2)),
            (Service::GitLab, "saas-linux-large-amd64", Some(8)),
            (Service::Circle, "medium+", Some(3)),
            (Service::Azure, "ubuntu-22.04", Some(2)),
        ] {
            assert_eq!(cpus(service, label), wanted, "{label}");
        }
        assert_eq!((system("macos-14"), system("x")), (Some("macOS"), None));
        assert!(is_arm("ubuntu-24.04-arm") && !is_arm("ubuntu-24.04"));
    }
}
