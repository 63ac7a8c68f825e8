//! Where requests may go, in every notation.

use std::sync::Arc;

use keyward_federation::outbound::{Outbound, OutboundError, OutboundOptions, OutboundRequest};

use crate::support::{
    Names, rules,
    server::{Reply, Server},
};

/// Names whose addresses are anybody's choice.
fn names() -> Names {
    Names::new(&[
        ("public.example", &["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
        ("localhost", &["127.0.0.1", "::1"]),
        ("localhost.", &["127.0.0.1"]),
        ("private.example", &["10.0.0.1"]),
        ("mixed.example", &["93.184.215.14", "10.0.0.1"]),
        ("mapped.example", &["::ffff:192.168.0.1"]),
        ("metadata.example", &["169.254.169.254"]),
        ("nat64.example", &["64:ff9b::a00:1"]),
        ("nowhere.example", &[]),
    ])
}

fn guard(allow: &[&str]) -> Outbound {
    let options = OutboundOptions { allow: rules(allow), ..OutboundOptions::default() };
    Outbound::with_resolver(options, Arc::new(names()))
}

async fn reason(guard: &Outbound, url: &str) -> &'static str {
    guard.probe(url).await.err().map_or("good", |error| error.reason())
}

#[tokio::test]
async fn addresses_of_the_public_internet_are_good_in_any_notation() {
    for url in [
        "https://public.example",
        "https://PUBLIC.example:8443/path?query",
        "https://8.8.8.8/",
        "https://134744072/",
        "https://0x08.8.8.8/",
        "https://8.8.2056/",
        "https://[2606:4700:4700::1111]/",
        "https://[::ffff:8.8.8.8]/",
        "https://9.255.255.255/",
        "https://11.0.0.0/",
        "https://100.63.255.255/",
        "https://100.128.0.0/",
        "https://172.15.255.255/",
        "https://172.32.0.0/",
        "https://192.0.1.0/",
        "https://198.17.255.255/",
        "https://198.20.0.0/",
        "https://223.255.255.255/",
        "https://[2001:200::1]/",
        "https://[2001:db7::1]/",
        "https://[2003::1]/",
    ] {
        assert_eq!(reason(&guard(&[]), url).await, "good", "{url}");
    }
}

#[tokio::test]
async fn everything_else_is_refused_in_any_notation() {
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://127.255.255.255/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://0.255.255.255/",
        "https://10.0.0.1/",
        "https://10.255.255.255:8443/",
        "https://012.0.0.1/",
        "https://167772161/",
        "https://100.64.0.0/",
        "https://100.127.255.255/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0xa9fea9fe/",
        "https://172.16.0.0/",
        "https://172.31.255.255/",
        "https://192.0.0.1/",
        "https://192.0.2.1/",
        "https://192.88.99.1/",
        "https://192.168.0.1/",
        "https://198.18.0.0/",
        "https://198.19.255.255/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[64:ff9b::808:808]/",
        "https://[64:ff9b:1::1]/",
        "https://[100::1]/",
        "https://[2001::1]/",
        "https://[2001:db8::1]/",
        "https://[2002:7f00:1::]/",
        "https://[3fff::1]/",
        "https://[5f00::1]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST:443/",
        "https://private.example/",
        "https://mixed.example/",
        "https://mapped.example/",
        "https://metadata.example/",
        "https://nat64.example/",
    ] {
        assert_eq!(reason(&guard(&[]), url).await, "address_refused", "{url}");
        assert_eq!(reason(&guard(&["0.0.0.0/0", "::/0"]), url).await, "good", "the control: {url}");
    }
}

#[tokio::test]
async fn what_is_no_address_of_the_web_is_refused() {
    for url in [
        "",
        "public.example",
        "//public.example/",
        "ftp://public.example/",
        "file:///etc/passwd",
        "gopher://public.example/",
        "javascript:alert(1)",
        "data:application/json,{}",
        "https://",
        "https://./",
        "https://user@public.example/",
        "https://user:password@public.example/",
        "https://:password@public.example/",
        "https://public.example@10.0.0.1/",
        "https://public.example/#fragment",
        "https://public.example:0/",
        "https://public.example:65536/",
        "https://public.example:https/",
        "https://1.2.3.4.5/",
        "https://256.0.0.1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://public example/",
        "https://public%00.example/",
    ] {
        assert_eq!(reason(&guard(&["0.0.0.0/0", "::/0"]), url).await, "bad_address", "{url:?}");
    }
    let long = format!("https://public.example/{}", "x".repeat(4_100));
    assert_eq!(reason(&guard(&[]), &long).await, "bad_address");
    for unknown in ["https://unknown.example/", "https://nowhere.example/"] {
        assert_eq!(reason(&guard(&["0.0.0.0/0"]), unknown).await, "unknown_host");
    }
}

#[tokio::test]
async fn rules_open_what_they_name() {
    for (rule, url, outcome) in [
        ("10.0.0.0/8", "https://10.0.0.1/", "good"),
        ("10.0.0.0/8", "https://private.example/", "good"),
        ("10.0.0.0/8", "http://private.example/", "good"),
        ("10.0.0.1", "https://[::ffff:10.0.0.1]/", "good"),
        ("10.0.0.2", "https://10.0.0.1/", "address_refused"),
        ("10.0.0.0/8", "https://192.168.0.1/", "address_refused"),
        ("10.0.0.0/8", "https://mixed.example/", "good"),
        ("10.0.0.0/8", "http://mixed.example/", "not_encrypted"),
        ("private.example", "https://private.example/", "good"),
        ("Private.Example.", "https://private.example:8443/", "good"),
        ("private.example", "http://private.example/", "good"),
        ("private.example", "https://10.0.0.1/", "address_refused"),
        ("private.example", "https://metadata.example/", "address_refused"),
        ("example", "https://private.example/", "address_refused"),
        ("localhost", "https://localhost./", "good"),
        ("localhost", "https://127.0.0.1/", "address_refused"),
        ("::1", "https://[::1]/", "good"),
        ("public.example", "http://public.example/", "good"),
    ] {
        assert_eq!(reason(&guard(&[rule]), url).await, outcome, "{rule} and {url}");
    }
    assert_eq!(reason(&guard(&[]), "http://public.example/").await, "not_encrypted");
    assert_eq!(reason(&guard(&[]), "http://8.8.8.8/").await, "not_encrypted");
}

#[test]
fn rules_are_networks_addresses_or_names() {
    use keyward_federation::outbound::AllowRule;
    for good in ["10.0.0.0/8", "10.1.2.3/8", "::1", "fd00::/8", "idp.corp.example", "localhost"] {
        assert!(good.parse::<AllowRule>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "https://idp.example",
        "idp.example:8443",
        "10.0.0.0/33",
        "2130706433",
        "0x7f.1",
        "*.example",
        "[::1]",
    ] {
        assert!(bad.parse::<AllowRule>().is_err(), "{bad:?}");
    }
    assert_eq!("10.1.2.3/8".parse::<AllowRule>(), "10.0.0.0/8".parse());
}

/// What is refused is not connected to, either, with the system's resolver and a server that is really there.
#[tokio::test]
async fn nothing_reaches_this_machine_unless_it_is_opened() {
    let server = Server::start(|_| Reply::json("{}")).await;
    let port = server.address.port();
    let (closed, open) = (
        Outbound::new(OutboundOptions::default()),
        Outbound::new(OutboundOptions {
            allow: rules(&["127.0.0.0/8", "::1"]),
            ..OutboundOptions::default()
        }),
    );
    let hosts = ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "localhost"];
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let outcome = closed.send(OutboundRequest::get(&url)).await.map(|fetched| fetched.status);
        assert!(matches!(outcome, Err(OutboundError::Refused(_))), "{url}: {outcome:?}");
    }
    assert_eq!(server.connections(), 0);
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let outcome = open.send(OutboundRequest::get(&url)).await.map(|fetched| fetched.status);
        assert_eq!(outcome, Ok(200), "the control: {url}");
    }
    assert_eq!(server.connections(), hosts.len());
}
