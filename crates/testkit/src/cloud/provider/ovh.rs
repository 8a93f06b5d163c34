//! OVH's managed Kubernetes: OpenStack's controller.

use super::{Change, Cloud, Seen, Shows, Wish, WithoutPublic};

pub(super) const CLOUD: Cloud = Cloud {
    name: "OVH",
    classes: &[],
    read,
    change: Change::Live,
    shows: Shows::Ip,
    without_public: WithoutPublic::Private,
    written: &[],
};

fn read(seen: &Seen) -> Result<Wish, String> {
    super::openstack::read(seen)
}
