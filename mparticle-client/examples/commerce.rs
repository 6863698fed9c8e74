//! Uploads the commerce events of a shopper, from the first promotion to a refund.
//!
//! ```console
//! cargo run --example commerce
//! ```
//!
//! A commerce event describes exactly one of a product action, a promotion action or product impressions.

mod support;

use mparticle_client::models::{
    Batch, CommerceEvent, Environment, Product, ProductAction, ProductActionKind,
    ProductImpression, Promotion, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    let steps = [
        ("saw a promotion", CommerceEvent::promotion_view([spring_sale()])),
        ("clicked the promotion", CommerceEvent::promotion_click([spring_sale()])),
        (
            "was shown products",
            CommerceEvent::impression([
                ProductImpression::new("search results").with_products([shoe(), laces()])
            ]),
        ),
        ("added a shoe to the cart", action(ProductActionKind::AddToCart, [shoe()])),
        ("started the checkout", checkout()),
        ("bought two products", purchase()),
        ("returned one product", refund()),
    ];
    for (step, event) in steps {
        let batch = Batch::new(Environment::Development)
            .with_user_identities(UserIdentities::new().with_customer_id("42"))
            .with_event(event.with_timestamp_unixtime_ms(UnixMillis::now()));
        let receipt = client.upload_events(&batch).await?;
        println!("The shopper {step}, attempts: {}.", receipt.attempts());
    }

    destination.print_received();
    Ok(())
}

fn spring_sale() -> Promotion {
    Promotion::new().with_id("spring-sale").with_name("Spring sale").with_position("top")
}

fn shoe() -> Product {
    Product::new()
        .with_id("sku-1")
        .with_name("Running shoe")
        .with_brand("Acme")
        .with_category("Shoes")
        .with_price(49.95)
        .with_quantity(1)
        .with_custom_attribute("size", "44")
}

fn laces() -> Product {
    Product::new().with_id("sku-2").with_name("Laces").with_price(3.5).with_quantity(1)
}

fn action(kind: ProductActionKind, products: impl IntoIterator<Item = Product>) -> CommerceEvent {
    CommerceEvent::product(ProductAction::new(kind).with_products(products))
        .with_currency_code("EUR")
}

fn checkout() -> CommerceEvent {
    let checkout = ProductAction::new(ProductActionKind::Checkout)
        .with_checkout_step(1)
        .with_checkout_options("express delivery")
        .with_products([shoe(), laces()]);
    CommerceEvent::product(checkout).with_currency_code("EUR")
}

/// The total amount includes tax and shipping.
fn purchase() -> CommerceEvent {
    let purchase = ProductAction::new(ProductActionKind::Purchase)
        .with_transaction_id("order-1")
        .with_total_amount(59.95)
        .with_tax_amount(9.57)
        .with_shipping_amount(6.5)
        .with_coupon_code("SPRING")
        .with_products([shoe(), laces()]);
    CommerceEvent::product(purchase).with_currency_code("EUR")
}

fn refund() -> CommerceEvent {
    let refund = ProductAction::new(ProductActionKind::Refund)
        .with_transaction_id("order-1")
        .with_total_amount(3.5)
        .with_product(laces());
    CommerceEvent::product(refund).with_currency_code("EUR")
}
