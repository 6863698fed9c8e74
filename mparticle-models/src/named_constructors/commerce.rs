//! Commerce events, which have exactly one of products, promotions and impressions.

use crate::{
    CommerceEvent, Product, ProductAction, ProductActionKind, ProductImpression, Promotion,
    PromotionAction, PromotionActionKind,
};

impl CommerceEvent {
    /// Creates the event of an action on products, such as adding them to the cart.
    #[inline]
    #[must_use]
    pub fn product(action: ProductAction) -> Self {
        Self::new().with_product_action(action)
    }

    /// Creates the event of an action on promotions.
    #[inline]
    #[must_use]
    pub fn promotion(action: PromotionAction) -> Self {
        Self::new().with_promotion_action(action)
    }

    /// Creates the event of products that were shown to a user.
    #[inline]
    #[must_use]
    pub fn impression(impressions: impl IntoIterator<Item = ProductImpression>) -> Self {
        Self::new().with_product_impressions(impressions)
    }

    /// Creates the event of a purchase.
    #[inline]
    #[must_use]
    pub fn purchase(
        transaction_id: impl Into<String>,
        products: impl IntoIterator<Item = Product>,
    ) -> Self {
        let action = ProductAction::new(ProductActionKind::Purchase);
        Self::product(action.with_transaction_id(transaction_id).with_products(products))
    }

    /// Creates the event of promotions that were shown to a user.
    #[inline]
    #[must_use]
    pub fn promotion_view(promotions: impl IntoIterator<Item = Promotion>) -> Self {
        Self::promotion(PromotionAction::new(PromotionActionKind::View).with_promotions(promotions))
    }

    /// Creates the event of promotions that a user clicked.
    #[inline]
    #[must_use]
    pub fn promotion_click(promotions: impl IntoIterator<Item = Promotion>) -> Self {
        Self::promotion(
            PromotionAction::new(PromotionActionKind::Click).with_promotions(promotions),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_variant_is_written_alone_and_draws_no_violation() {
        let shoe =
            Product::new().with_id("sku-1").with_price(19.5).with_custom_attribute("size", "44");
        let banner = Promotion::new().with_id("p-1").with_position("top");
        let cases = [
            (
                CommerceEvent::purchase("t-1", [shoe.clone()]),
                json!({ "product_action": {
                    "action": "purchase",
                    "transaction_id": "t-1",
                    "products": [{ "id": "sku-1", "price": 19.5, "custom_attributes": { "size": "44" } }],
                } }),
            ),
            (
                CommerceEvent::promotion_view([banner.clone()]),
                json!({ "promotion_action": { "action": "view", "promotions": [{ "id": "p-1", "position": "top" }] } }),
            ),
            (
                CommerceEvent::promotion_click([banner]),
                json!({ "promotion_action": { "action": "click", "promotions": [{ "id": "p-1", "position": "top" }] } }),
            ),
            (
                CommerceEvent::impression([ProductImpression::new("search").with_product(shoe)]),
                json!({ "product_impressions": [{
                    "product_impression_list": "search",
                    "products": [{ "id": "sku-1", "price": 19.5, "custom_attributes": { "size": "44" } }],
                }] }),
            ),
        ];
        for (event, expected) in cases {
            assert_eq!(event.validate(), []);
            assert_eq!(serde_json::to_value(event).unwrap(), expected);
        }
    }
}
