//! OVH's managed Kubernetes: OpenStack's controller.

use super::{Change, Cloud, Seen, Shows, Wish};

pub(super) const CLOUD: Cloud = Cloud {
    name: "OVH",
    classes: &[],
    read,
    change: Change::Live,
    shows: Shows::Ip,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    super::openstack::read(seen)
}
