//! One piece of work with elevated rights.

use keyward_client::{Error, Narrowing};

use crate::support::{Answer, Fake};

#[tokio::test]
async fn work_with_the_token() {
    let fake = Fake::start();
    let client = fake.client().narrowed(Narrowing::new().scope("points:adjust"));
    for _ in 0..3 {
        let text = client
            .elevate(|api| async move {
                let (first, second) =
                    tokio::join!(api.send(api.post("points").body("250")), api.send(api.get("members")));
                assert_eq!(second?.status(), 200);
                Ok::<_, Error>(first?.text().await.unwrap())
            })
            .await;
        assert_eq!(text.unwrap(), "250");
    }
    assert_eq!((fake.asked(), fake.bearers().len()), (1, 6), "one token for all of it");
    // An error of the work's own, and the other form of a closure, which may borrow.
    let path = "forbidden".to_owned();
    let failed = client
        .elevate(async |api| -> Result<(), Box<dyn std::error::Error>> {
            api.send(api.get(&path)).await?.error_for_status()?;
            Ok(())
        })
        .await;
    assert!(failed.unwrap_err().to_string().contains("403"));
    assert!(fake.bearers().iter().all(|bearer| bearer == "Bearer t1"));
}

/// It can run on any thread.
#[tokio::test]
async fn in_a_task() {
    let fake = Fake::start();
    let client = fake.client();
    let task = tokio::spawn(async move {
        let one = client.elevate(|api| async move { api.send(api.get("points")).await }).await?;
        let two = client.elevate(async |api| api.send(api.get("points")).await).await?;
        Ok::<_, Error>((one.status(), two.status()))
    });
    let (one, two) = task.await.unwrap().unwrap();
    assert_eq!((one.as_u16(), two.as_u16()), (200, 200));
}

#[tokio::test]
async fn no_work_without_a_token() {
    let fake = Fake::start();
    fake.answers(Answer::error(401, "invalid_client", "No."));
    let begun = std::cell::Cell::new(false);
    let refused = fake
        .client()
        .elevate(async |_| {
            begun.set(true);
            Ok::<_, Error>(())
        })
        .await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert!(!begun.get());
}

#[tokio::test]
async fn the_handle_is_gone_afterwards() {
    let fake = Fake::start();
    let client = fake.client();
    let smuggled = client.elevate(|api| async move { Ok::<_, Error>(api) }).await.unwrap();
    let sent = smuggled.send(smuggled.get("points")).await;
    assert!(matches!(sent, Err(Error::Invalid(_))), "{sent:?}");
    let request = smuggled.get("points").build().unwrap();
    assert!(matches!(smuggled.execute(request).await, Err(Error::Invalid(_))));
    // Nor does it outlive work that was cancelled.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = client.elevate(|api| async move {
        let _ = sender.send(api);
        std::future::pending::<Result<(), Error>>().await
    });
    let smuggled = tokio::select! {
        _ = work => panic!("it never ends"),
        smuggled = receiver => smuggled.unwrap(),
    };
    assert!(matches!(smuggled.send(smuggled.get("points")).await, Err(Error::Invalid(_))));
    assert_eq!(fake.calls().len(), 0);
}
