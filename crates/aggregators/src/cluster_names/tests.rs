use tokaki_core::Semantics;

use crate::testing::Cell::Text;
use crate::testing::{Job, line, shown};

#[test]
fn each_name_stands_once_a_day_and_null_is_a_name() {
    let pod = |hour, node: Option<&'static str>, namespace| {
        let mut cells = vec![("resource_id", Text("i-1")), ("namespace", Text(namespace))];
        cells.extend(node.map(|node| ("node", Text(node))));
        line("pod_usage", hour, &cells)
    };
    let volume = |hour, handle: Option<&'static str>| {
        let mut cells = vec![("persistentvolume", Text("pv"))];
        cells.extend(handle.map(|handle| ("csi_volume_handle", Text(handle))));
        line("storage_usage", hour, &cells)
    };
    let lines = [
        pod(0, Some("n1"), "shop"),
        pod(1, Some("n1"), "shop"),
        pod(2, None, "bank"),
        pod(24, Some("n1"), "shop"),
        volume(0, Some("vol-1")),
        volume(1, None),
    ];
    for piece in [1, 2, 100] {
        let rows = Job::new(Semantics::Koku, &[], &[]).run("cluster_names", &lines, piece).expect("runs");
        let names = shown(&rows, &["day", "named", "name", "second_name"]);
        assert_eq!(names.len(), 5 + 2 + 3, "{names:?}");
        assert_eq!(names.iter().filter(|name| name.contains("node")).count(), 3);
        assert!(names.iter().any(|name| name.contains("volume") && name.contains("vol-1")), "{names:?}");
    }
}
