//! Uploads events whose types were generated from a data plan.
//!
//! ```console
//! cargo run --example data_plan --features data-plan
//! ```
//!
//! `shop.json` is a version of a data plan as mParticle exports it. This command generated `plan.rs` from it:
//!
//! ```console
//! cd mparticle-client/examples/data_plan
//! mparticle-codegen plan shop.json --overrides names.toml --out plan.rs
//! ```

#[path = "../support/mod.rs"]
mod support;

mod plan;

use mparticle_client::models::{Batch, Environment, UnixMillis, UserIdentities};
use plan::commerce::{
    Purchase, PurchaseProduct, PurchaseProductRequired, PurchaseProductSize, PurchaseRequired,
};
use plan::custom::{ChooseItem, ChooseItemItem, ChooseItemRequired};
use plan::screen::MenuShown;
use plan::user::{Attributes, AttributesFavouriteDrinks};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    // Forgetting one of the required attributes would not compile.
    let choice = ChooseItem::new(ChooseItemRequired {
        quantity: 2.into(),
        milk: true,
        item: ChooseItemItem::Cortado,
    })
    .with_note("to take away")
    .with_extra("store", "s-1");

    // The plan allows at most 20 cups. The type does not know this, but the linter does.
    let too_many = ChooseItem::new(ChooseItemRequired {
        quantity: 200.into(),
        milk: false,
        item: ChooseItemItem::Espresso,
    });
    for finding in too_many.findings() {
        println!("The data plan does not allow this: {finding}");
    }

    let user = Attributes::new()
        .with_first_name("Ada")
        .with_favourite_drinks([AttributesFavouriteDrinks::Cortado])
        .with_regular(true);
    let batch = Batch::new(Environment::Development)
        .with_data_plan(plan::CONTEXT)
        .with_user_identities(UserIdentities::new().with_customer_id("42"))
        .with_planned_user_attributes(user)
        .with_event(MenuShown::new(7))
        .with_event(choice.into_event().with_timestamp_unixtime_ms(UnixMillis::now()))
        .with_event(purchase());
    for finding in plan::linter().lint(&batch) {
        println!("The data plan does not allow this: {finding}");
    }
    client.upload_events(&batch).await?;

    destination.print_received();
    Ok(())
}

fn purchase() -> Purchase {
    let cortado = PurchaseProduct::new(PurchaseProductRequired {
        id: "cortado".to_owned(),
        price: 3.5,
        size: PurchaseProductSize::M,
    });
    Purchase::new(PurchaseRequired {
        transaction_id: "receipt-1".to_owned(),
        products: vec![cortado.with_quantity(2.0)],
    })
    .with_total_amount(7.0)
}
