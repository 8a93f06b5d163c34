//! Who made an object: what its field managers, owners and labels say. A field manager is a program's name; persons
//! are not named.

use super::seen::{Seen, moment};

/// The field manager under which the controller applies.
const OUR_MANAGER: &str = "daemun";

/// The last program besides the controller that wrote an object, status aside, and when.
pub(super) fn last_foreign_change(object: Seen<'_>) -> Option<(String, String)> {
    let managers = object.list("/metadata/managedFields").iter().map(Seen);
    let foreign = managers.filter(|it| {
        it.text("/subresource").is_empty() && !it.text("/manager").starts_with(OUR_MANAGER)
    });
    let last = foreign.max_by_key(|it| it.text("/time"))?;
    let manager = last.text("/manager").to_owned();
    Some((manager, moment(last.text("/time"))))
}
