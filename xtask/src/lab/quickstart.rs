//! What the pages of docs/ begin with, as they say it: `deploy/quickstart.yaml` is applied, the Gateway is waited for,
//! the backend is asked, and all of it is deleted. Once as it stands, and once after `deploy/nks.yaml`, as the page of NKS
//! has it.

use std::fs;
use std::net::IpAddr;

use super::kubectl::Kubectl;
use super::playground::until;
use crate::{http, repository};

const NAMESPACE: &str = "daemun-quickstart";
/// The image that the file names; the pages replace it, as is done here.
const IMAGE: &str = concat!("image: daemun:", env!("CARGO_PKG_VERSION"), "\n");

/// Follows the pages, with an image that the nodes have.
pub(crate) fn run(kubectl: &Kubectl, image: &str) -> Result<(), String> {
    if kubectl.output(&["get", "gatewayclass", "daemun"]).is_ok() {
        println!(
            "The cluster has a GatewayClass daemun of somebody's: the quickstart is left out."
        );
        return Ok(());
    }
    let objects = objects(image)?;
    follow(kubectl, &objects)?;
    let class = read("deploy/nks.yaml")?;
    kubectl.apply_as("operator", &class)?;
    let done = follow(kubectl, &objects);
    let gone = kubectl.delete(&class);
    done?;
    gone
}

fn follow(kubectl: &Kubectl, objects: &str) -> Result<(), String> {
    kubectl.apply(objects)?;
    let done = ask(kubectl);
    let gone = kubectl.delete(objects);
    done?;
    gone
}

fn read(file: &str) -> Result<String, String> {
    let read = fs::read_to_string(repository::root().join(file));
    read.map_err(|error| format!("{file} cannot be read: {error}."))
}

fn objects(image: &str) -> Result<String, String> {
    let file = "deploy/quickstart.yaml";
    let text = read(file)?;
    if !text.contains(IMAGE) {
        return Err(format!("{file} does not name the image of this version."));
    }
    Ok(text.replace(IMAGE, &format!("image: {image}\n")))
}

fn ask(kubectl: &Kubectl) -> Result<(), String> {
    let shop = |arguments: &[&str]| {
        let all = [&["-n", NAMESPACE], arguments].concat();
        kubectl.output(&all)
    };
    let programmed = "--for=condition=Programmed";
    shop(&["wait", "gateway/shop", programmed, "--timeout=120s"])?;
    let address = "jsonpath={.status.addresses[0].value}";
    let address = shop(&["get", "gateway", "shop", "-o", address])?;
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("The Gateway's address is {address:?}, which is no IP address."))?;
    until("the quickstart's backend answers", || match http::get_from(
        (address, 80).into(),
        "shop.example.com",
        "/hello",
    )? {
        (200, _) => Ok(()),
        (other, _) => Err(format!("/hello is answered {other}")),
    })?;
    println!("deploy/quickstart.yaml answers at {address}.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::objects;

    #[test]
    fn the_file_names_an_image_that_can_be_replaced() {
        let text = objects("daemun:lab-1").expect("it names the version's image");
        assert_eq!(text.matches("image: daemun:lab-1\n").count(), 1);
        assert_eq!(text.matches("image:").count(), 1);
    }
}
