//! What this aggregator computes. That chunks, order and workers change nothing is shown for every registered one.

use tokaki_core::testkit::{Job, lines, own_section, shown};
use tokaki_core::{PluginKind, plugin};

fn rows(job: &Job) -> Vec<String> {
    let lines = lines(
        "pod_usage",
        "
        hour | namespace | pod_request_cpu_core_seconds
        0    | shop      | 3600
        1    | shop      | 1800
        1    | bank      | 360
        25   | shop      | 7200
        25   | -         | 3600
        25   | bank      | -
        ",
    );
    let rows = job.run("new_plugin", &lines, 2).expect("good lines");
    shown(&rows, &["namespace", "request_core_hours"])
}

#[test]
fn requests_are_added_up_by_day_and_namespace() {
    assert_eq!(rows(&Job::default()), ["bank 0.1", "shop 1.5", "shop 2"]);
}

#[test]
fn small_namespaces_are_left_out_if_asked_for() {
    let plugin = plugin::find(PluginKind::Aggregator, "new_plugin", "test").expect("registered");
    let job = Job { own: own_section(plugin), ..Job::default() };
    assert_eq!(rows(&job), ["shop 1.5", "shop 2"]);
}
