//! Groups: members, nesting to any depth, never in a circle, and the roles that reach through it.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{Person, TestApp, admin, column, delete, get, id_of, post, put};

struct Fixture {
    app: TestApp,
    acme: String,
    user: Person,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let user = app.person("ada", &json!({ "tenant_id": acme })).await;
    Fixture { app, acme, user }
}

impl Fixture {
    async fn group(&self, name: &str) -> String {
        self.app.group(Some(&self.acme), name).await
    }

    /// Groups `0` to `count - 1`, each inside the one before.
    async fn chain(&self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for index in 0..count {
            all.push(self.group(&format!("level-{index}")).await);
            if index > 0 {
                self.app.nest(&all[index - 1], &all[index]).await;
            }
        }
        all
    }

    async fn give(&self, group: &str, roles: &[&str]) {
        let body = json!({ "roles": roles });
        self.app.ok(put(&admin(&format!("groups/{group}/roles"))).json(&body)).await;
    }

    /// The permissions of the user with their sources, as the API lists them.
    async fn permissions(&self) -> Vec<Value> {
        let path = admin(&format!("users/{}/effective-permissions", self.user.id));
        self.app.ok(get(&path)).await["data"].as_array().unwrap().clone()
    }

    async fn names(&self) -> Vec<String> {
        let all = self.permissions().await;
        all.iter().map(|one| one["permission"].as_str().unwrap().to_owned()).collect()
    }
}

fn members(group: &str) -> String {
    admin(&format!("groups/{group}/members"))
}

fn nested(group: &str) -> String {
    admin(&format!("groups/{group}/nested"))
}

#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let body = json!({ "name": "Support", "tenant_id": it.acme });
    let reply = it.app.admin(post(&admin("groups")).json(&body)).await.expect(201, "a group");
    let made = reply.json();
    let id = id_of(&made);
    assert!(id.starts_with("grp_"), "{id}");
    assert_eq!((&made["name"], &made["tenant_id"]), (&json!("Support"), &json!(it.acme)));
    assert_eq!(made["roles"], json!([]));
    assert!(!reply.header("etag").is_empty());
    let added = it.app.admin(post(&members(&id)).json(&json!({ "user_id": it.user.id }))).await;
    added.expect(201, "a member");
    let again = it.app.admin(post(&members(&id)).json(&json!({ "user_id": it.user.id }))).await;
    again.expect(409, "a member already");
    let list = it.app.ok(get(&members(&id))).await;
    assert_eq!(column(&list, "id"), [it.user.id.as_str()]);
    assert_eq!(list["data"][0]["email"], it.user.email);
    assert_eq!(list["pagination"], json!({ "page": 1, "per_page": 20, "total": 1, "total_pages": 1 }));
    let member = format!("{}/{}", members(&id), it.user.id);
    it.app.admin(delete(&member)).await.expect(204, "removed");
    it.app.admin(delete(&member)).await.expect(404, "no member any more");
    it.app.join(&id, &it.user.id).await;
    it.app.admin(post(&admin("groups")).json(&body)).await.expect(409, "the name is taken in the tenant");
    let globex = it.app.tenant("globex").await;
    it.app.group(Some(&globex), "Support").await;
    it.app.group(None, "Support").await;
}

/// Nothing but users of the tenant, once, by identifier.
#[actix_web::test]
async fn members_that_are_refused() {
    let it = fixture().await;
    let group = it.group("support").await;
    let globex = it.app.tenant("globex").await;
    let stranger = it.app.person("eve", &json!({ "tenant_id": globex })).await;
    let gone = it.app.person("gone", &json!({ "tenant_id": it.acme })).await;
    it.app.remove(&format!("users/{}", gone.id)).await;
    for (name, id) in [
        ("another tenant's", stranger.id.as_str()),
        ("a deleted one", gone.id.as_str()),
        ("nobody", &format!("usr_{}", "0".repeat(26))),
    ] {
        let reply = it.app.admin(post(&members(&group)).json(&json!({ "user_id": id }))).await;
        reply.expect_error("/user_id", "unknown_reference", name);
    }
    for wrong in [json!("ada"), json!(group), json!(7), json!(null), json!([it.user.id])] {
        let reply = it.app.admin(post(&members(&group)).json(&json!({ "user_id": wrong }))).await;
        reply.expect_invalid("/user_id", &wrong.to_string());
    }
    let foreign = it.app.group(Some(&globex), "theirs").await;
    let reply = it.app.admin(post(&nested(&group)).json(&json!({ "group_id": foreign }))).await;
    reply.expect_error("/group_id", "unknown_reference", "another tenant's group");
    assert_eq!(it.app.ok(get(&members(&group))).await["data"], json!([]));
    it.app.join(&group, &it.user.id).await;
}

/// Twenty deep: the roles of the outermost group reach the member of the innermost, with the way by which they come.
#[actix_web::test]
async fn roles_reach_through_twenty_groups() {
    let it = fixture().await;
    let chain = it.chain(20).await;
    it.app.join(&chain[19], &it.user.id).await;
    assert_eq!(it.names().await, Vec::<String>::new());
    let role = it.app.role(Some(&it.acme), "clerk", &["points:read"]).await;
    it.give(&chain[0], &[&role]).await;
    let found = it.permissions().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["permission"], "points:read");
    let sources = found[0]["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1, "{sources:?}");
    let text = sources[0].to_string();
    assert!(text.contains(&role), "the role is named: {text}");
    assert!(text.contains(&chain[0]) && text.contains(&chain[19]), "the groups are named: {text}");
    let direct = it.app.role(Some(&it.acme), "direct", &["points:read", "points:adjust"]).await;
    it.app.roles_of(&it.user.id, &[&direct]).await;
    let found = it.permissions().await;
    let sources: Vec<(Value, usize)> = found
        .iter()
        .map(|one| (one["permission"].clone(), one["sources"].as_array().unwrap().len()))
        .collect();
    assert_eq!(sources, [(json!("points:adjust"), 1), (json!("points:read"), 2)]);
    let token = crate::support::decode(&it.app.user_token(&it.user.email).await);
    let mut roles: Vec<&str> =
        token.claims["roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
    roles.sort_unstable();
    let mut expected = [role.as_str(), direct.as_str()];
    expected.sort_unstable();
    assert_eq!(roles, expected, "all roles, those through groups included");
}

/// Whatever takes a group, a nesting, a membership or a role away takes the right away, at the next request.
#[actix_web::test]
async fn rights_end_with_the_way() {
    for way in ["member", "nesting", "middle group", "outer group", "role of the group", "role", "permission"]
    {
        let it = fixture().await;
        let chain = it.chain(3).await;
        it.app.join(&chain[2], &it.user.id).await;
        let role = it.app.role(Some(&it.acme), "lookers", &["keyward:groups:read"]).await;
        it.give(&chain[0], &[&role]).await;
        let look = async || it.app.by(&it.user, get(&admin("groups"))).await.status;
        assert_eq!(look().await, 200, "{way}: before, with a token from before");
        match way {
            "member" => it.app.remove(&format!("groups/{}/members/{}", chain[2], it.user.id)).await,
            "nesting" => it.app.remove(&format!("groups/{}/nested/{}", chain[0], chain[1])).await,
            "middle group" => it.app.remove(&format!("groups/{}", chain[1])).await,
            "outer group" => it.app.remove(&format!("groups/{}", chain[0])).await,
            "role of the group" => it.give(&chain[0], &[]).await,
            "role" => it.app.remove(&format!("roles/{role}")).await,
            _ => drop(it.app.edit(&format!("roles/{role}"), &json!({ "permissions": [] })).await),
        }
        assert_eq!(look().await, 403, "{way}: after");
        assert_eq!(it.names().await, Vec::<String>::new(), "{way}");
    }
}

/// Direct members, and all that are inside, each once, in pages.
#[actix_web::test]
async fn effective_members() {
    let it = fixture().await;
    let chain = it.chain(4).await;
    let side = it.group("side").await;
    // A second way to the same group.
    it.app.nest(&chain[0], &side).await;
    it.app.nest(&side, &chain[3]).await;
    let mut people = vec![it.user.id.clone()];
    for index in 0..4 {
        people.push(it.app.person(&format!("p{index}"), &json!({ "tenant_id": it.acme })).await.id);
    }
    for (group, user) in [(0, 0), (1, 0), (3, 0), (1, 1), (2, 2), (3, 3)] {
        it.app.join(&chain[group], &people[user]).await;
    }
    it.app.join(&side, &people[1]).await;
    let effective = async |group: &str| {
        let list = it.app.ok(get(&admin(&format!("groups/{group}/effective-members")))).await;
        let mut ids = column(&list, "id");
        assert_eq!(list["pagination"]["total"], ids.len());
        ids.sort();
        ids
    };
    let of = |indices: &[usize]| -> Vec<String> {
        let mut ids: Vec<String> = indices.iter().map(|index| people[*index].clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(effective(&chain[0]).await, of(&[0, 1, 2, 3]));
    assert_eq!(effective(&chain[2]).await, of(&[0, 2, 3]));
    assert_eq!(effective(&chain[3]).await, of(&[0, 3]));
    assert_eq!(effective(&side).await, of(&[0, 1, 3]));
    let mut paged = Vec::new();
    for page in 1..=4 {
        let path = admin(&format!("groups/{}/effective-members?per_page=1&page={page}", chain[0]));
        paged.extend(column(&it.app.ok(get(&path)).await, "id"));
    }
    paged.sort();
    assert_eq!(paged, of(&[0, 1, 2, 3]), "page by page");
    it.app.remove(&format!("users/{}", people[3])).await;
    assert_eq!(effective(&chain[3]).await, of(&[0]), "a deleted user is nowhere");
}

/// No circle, however long: 409 with the way that would close it.
#[actix_web::test]
async fn circles() {
    let it = fixture().await;
    let chain = it.chain(20).await;
    let close = |outside: usize, inside: usize| {
        post(&nested(&chain[outside])).json(&json!({ "group_id": chain[inside] }))
    };
    for (outside, inside, named) in [
        (0, 0, vec![0]),
        (19, 19, vec![19]),
        (1, 0, vec![0, 1]),
        (19, 0, vec![0, 7, 19]),
        (10, 3, vec![3, 6, 10]),
    ] {
        let reply =
            it.app.admin(close(outside, inside)).await.expect(409, &format!("{inside} into {outside}"));
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        for index in named {
            assert!(detail.contains(&format!("level-{index}")), "{inside} into {outside}: {detail}");
        }
    }
    it.app.admin(close(0, 1)).await.expect(409, "it is inside already");
    it.app.admin(close(0, 19)).await.expect(201, "a second way is no circle");
    it.app.remove(&format!("groups/{}", chain[5])).await;
    it.app.admin(close(19, 6)).await.expect(409, "still a circle without the part that went");
    it.app.admin(close(4, 6)).await.expect(201, "past the part that went");
}

/// Two nestings at once that would close a circle together: at most one of them is made, however it comes.
#[actix_web::test]
async fn circles_closed_by_two() {
    let it = fixture().await;
    it.app.admin_token().await;
    it.app.at_once();
    for round in 0..40 {
        let name = |part: &str| format!("{part}-{round}");
        // a > b and c > d, then b > c and d > a at once; with round a multiple of two, simply a > b and b > a.
        let (a, b) = (it.group(&name("a")).await, it.group(&name("b")).await);
        let (first, second) = if round % 2 == 0 {
            ((a.clone(), b.clone()), (b, a.clone()))
        } else {
            let (c, d) = (it.group(&name("c")).await, it.group(&name("d")).await);
            it.app.nest(&a, &b).await;
            it.app.nest(&c, &d).await;
            ((b, c), (d, a.clone()))
        };
        let close = |(outside, inside): &(String, String)| {
            it.app.admin(post(&nested(outside)).json(&json!({ "group_id": inside })))
        };
        let (one, two) = join(close(&first), close(&second)).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "round {round}: {} {}", one.text(), two.text());
        // Whoever walks down never comes back to where they were.
        let (mut at, mut seen) = (vec![a.clone()], Vec::new());
        while let Some(group) = at.pop() {
            let children = column(&it.app.ok(get(&nested(&group))).await, "id");
            assert!(!children.contains(&a), "round {round}: a circle");
            seen.push(group);
            assert!(seen.len() < 10, "round {round}: round and round");
            at.extend(children);
        }
    }
}

/// The same race for one place: a member or a nesting is made once.
#[actix_web::test]
async fn the_same_twice_at_once() {
    let it = fixture().await;
    let (group, child) = (it.group("outside").await, it.group("inside").await);
    it.app.admin_token().await;
    it.app.at_once();
    let twice = async |path: String, body: Value| {
        let add = || it.app.admin(post(&path).json(&body));
        let (one, two) = join(add(), add()).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        statuses
    };
    assert_eq!(twice(members(&group), json!({ "user_id": it.user.id })).await, [201, 409]);
    assert_eq!(twice(nested(&group), json!({ "group_id": child })).await, [201, 409]);
    assert_eq!(it.app.ok(get(&members(&group))).await["pagination"]["total"], 1);
    assert_eq!(it.app.ok(get(&nested(&group))).await["pagination"]["total"], 1);
}
