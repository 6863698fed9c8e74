//! `mparticle plan`.

use crate::process::{Ended, mparticle, run_with_input};
use crate::{Folder, lines};
use serde_json::{Value, json};

/// Version 3 of a plan, which is closed for the screen `/menu`.
const SHOP: &str = include_str!("../../examples/data_plan/shop.json");

fn plan(folder: &Folder, arguments: &[&str]) -> Ended {
    let mut command = mparticle();
    command.arg("plan").args(arguments).current_dir(folder.path(".")).output().unwrap().into()
}

pub(crate) fn menu(attributes: &Value) -> Value {
    json!({"event_type": "screen_view", "data": {"screen_name": "/menu", "custom_attributes": attributes}})
}

pub(crate) fn batch(events: &[Value]) -> String {
    json!({"environment": "development", "mpid": 7, "events": events}).to_string()
}

/// A good batch, and three that do not follow the plan. Their values are secrets.
pub(crate) fn batches() -> String {
    let choice = |item| {
        json!({"event_type": "custom_event", "data": {
            "event_name": "Choose Item", "custom_event_type": "other", "custom_attributes": item,
        }})
    };
    let wrong = choice(json!({"quantity": 2, "milk": true, "item": "s3cret"}));
    let missing = choice(json!({"quantity": 2, "item": "cortado"}));
    lines([
        batch(&[menu(&json!({"table": 4}))]),
        batch(&[menu(&json!({"table": 4, "waiter": "s3cret"})), wrong]),
        batch(&[missing]),
        json!({"user": {"mpid": 8}, "event": {"event_type": "screen_view", "data": {"screen_name": "Bill"}}})
            .to_string(),
    ])
}

pub(crate) const FINDINGS: [&str; 4] = [
    "invalidValue: 1 error\n  in.jsonl:2 at /events/1/data/custom_attributes/item: `item` should be equal to one of the allowed values\n",
    "missingAttribute: 1 error\n  in.jsonl:3 at /events/0/data/custom_attributes/milk: `milk` is missing\n",
    "unplannedAttribute: 1 error\n  in.jsonl:2 at /events/0/data/custom_attributes/waiter: `waiter` is not in the plan\n",
    "unplannedEvent: 1 error\n  in.jsonl:4 at /events/0: `Bill` is not in the plan\n",
];

pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("shop.json", SHOP);
    folder.write("in.jsonl", batches());
    folder
}

#[test]
fn findings_are_grouped_by_kind_and_contain_no_values() {
    let folder = folder();
    for arguments in [
        ["lint", "--plan", "shop.json", "in.jsonl"].as_slice(),
        &["lint", "shop.json", "in.jsonl"],
        &["lint", "--plan=shop.json", "--plan-version=3", "--plan-id=example_shop", "in.jsonl"],
    ] {
        let ended = plan(&folder, arguments).with_code(1);
        assert_eq!(ended.out, FINDINGS.concat() + "4 batches, 4 errors, 0 warnings\n");
        assert_eq!(ended.err, "");
    }
    folder.write("good.jsonl", batches().lines().next().unwrap());
    plan(&folder, &["lint", "shop.json", "good.jsonl"])
        .with_code(0)
        .prints(&["1 batch, 0 errors, 0 warnings\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lint_reads_what_validate_reads_and_ignores_other_violations() {
    let folder = folder();
    let refused = batch(&[menu(&json!({"table": 4}))]).replace("development", "mars");
    let mut command = mparticle();
    command.args(["plan", "lint", "--format", "json", "--plan"]).arg(folder.path("shop.json"));
    let ended = run_with_input(command, format!("[{refused},\n{{}}, {{\"mpid\":}}]")).await;
    let report: Value = serde_json::from_str(&ended.with_code(1).out).unwrap();
    let rules: Vec<_> =
        report["violations"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((&report["batches"], rules), (&3.into(), vec!["noContent", "syntax"]));
}

#[test]
fn lint_compares_a_batch_as_it_was_written() {
    let folder = folder();
    // A number as text, which the platform accepts. Reading a batch makes it a number.
    let purchase = json!({"event_type": "commerce_event", "data": {"product_action": {
        "action": "purchase", "transaction_id": "1",
        "products": [{"id": "1", "price": "2.5", "custom_attributes": {"size": "S"}}],
    }}});
    let written = batch(&[purchase]);
    folder.write(
        "in.jsonl",
        lines([written.clone(), format!("{{\"failed\":{{}},\"batch\":{written}}}")]),
    );
    plan(&folder, &["lint", "shop.json", "in.jsonl"]).with_code(0);
    let ended = plan(&folder, &["lint", "--rules", "node", "shop.json", "in.jsonl"]).with_code(1);
    ended.prints(&[
        "invalidValue: 2 errors\n  in.jsonl:1 at /events/0/data/product_action/products/0/price: `price` should be number\n",
        "  in.jsonl:2 at ",
    ]);
}

#[test]
fn faults_of_the_plan_are_noted_and_the_other_rules_apply() {
    let folder = folder();
    folder.write("shop.json", SHOP.replace("\"maxLength\": 80", "\"format\": \"haiku\""));
    let ended = plan(&folder, &["lint", "shop.json", "in.jsonl"]).with_code(1);
    ended.prints(&FINDINGS);
    ended.complains(&["warning: shop.json has 1 fault, ", "run: mparticle plan check shop.json\n"]);
}

#[test]
fn a_batch_of_another_plan_is_a_warning() {
    let folder = folder();
    let context = r#""context":{"data_plan":{"plan_id":"example_shop","plan_version":2}},"mpid""#;
    folder.write("in.jsonl", batches().replace("\"mpid\"", context));
    let ended = plan(&folder, &["lint", "shop.json", "in.jsonl"]).with_code(1);
    ended
        .prints(&["otherPlan: 4 warnings\n", ": should name version 3 of the plan example_shop\n"]);
}

#[test]
fn a_check_lists_the_faults_of_all_versions_with_their_places() {
    let folder = folder();
    plan(&folder, &["check", "shop.json"])
        .with_code(0)
        .prints(&["1 version, 4 points, 0 faults\n"]);
    let mut version: Value = serde_json::from_str(SHOP).unwrap();
    let points = version["version_document"]["data_points"].as_array_mut().unwrap();
    points.push(points[1].clone());
    let table =
        "/validator/definition/properties/data/properties/custom_attributes/properties/table";
    *points[4].pointer_mut(table).unwrap() = json!({"pattern": "(?=x)", "format": "haiku"});
    let document = version["version_document"].clone();
    version["data_plan_id"].take();
    let whole = json!({"data_plan_id": "shop", "data_plan_versions": [{"version": 2}, version]});
    folder.write("plan.json", whole.to_string());
    folder.write("document.json", document.to_string());
    let ended = plan(&folder, &["check", "plan.json"]).with_code(1);
    ended.prints(&[
        "plan.json: shop, version 2: at /version_document: the version has no document\n",
        "plan.json: shop, version 3: at /version_document/data_points/4/match: an earlier point matches `screen_view::/menu` as well\n",
        &format!("/data_points/4{table}/format: the format `haiku` is unknown; it is not checked\n"),
        &format!("/data_points/4{table}/pattern: the pattern is not checked: "),
        "2 versions, 5 points, 4 faults\n",
    ]);
    let ended = plan(&folder, &["check", "document.json"]).with_code(1);
    ended.prints(&[
        "document.json: the plan: at /data_points/4/match: ",
        "1 version, 5 points, 3 faults",
    ]);
}

#[test]
fn a_check_names_the_place_of_what_cannot_be_read() {
    let folder = folder();
    for (text, message) in [
        (
            "{\n  \"version\": }",
            "x.json: the file is not JSON: expected value at line 2 column 14\n",
        ),
        ("{\"data_points\": [7]}", "x.json: at /data_points/0: "),
        ("{\"events\": []}", "x.json: the file is not a data plan: "),
        ("[]", "x.json: the file has no version of a plan\n"),
    ] {
        folder.write("x.json", text);
        plan(&folder, &["check", "x.json"]).with_code(1).prints(&[message]);
    }
    plan(&folder, &["check", "absent.json"]).with_code(2).complains(&["error: absent.json: "]);
}

#[test]
fn differences_are_sorted_by_what_they_break() {
    let folder = folder();
    folder.write("same.json", SHOP.replace("of a small shop", "of the shop"));
    let ended = plan(&folder, &["diff", "shop.json", "same.json"]).with_code(0);
    assert_eq!(
        ended.out,
        "0 changes from example_shop, version 3 to example_shop, version 3, 0 breaking\n"
    );

    let wider = SHOP.replace("\"maximum\": 20", "\"maximum\": 30");
    folder.write("wider.json", &wider);
    let ended = plan(&folder, &["diff", "shop.json", "wider.json"]).with_code(0);
    ended.prints(&[
        "custom_attributes/quantity: widened: maximum from 20 to 30\n",
        "1 change from",
        ", 0 breaking\n",
    ]);
    plan(&folder, &["diff", "wider.json", "shop.json"]).with_code(1).prints(&[" (breaks data)\n"]);

    let renamed =
        wider.replace("\"/menu\"", "\"/card\"").replace("\"maxLength\": 80", "\"maxLength\": 40");
    folder.write("renamed.json", renamed);
    let ended = plan(&folder, &["diff", "shop.json", "renamed.json"]).with_code(1);
    let lines: Vec<_> =
        ended.out.lines().map(|line| line.split(": ").nth(1).unwrap_or(line)).collect();
    assert_eq!(lines[..4], ["removed", "narrowed", "widened", "possibly renamed"], "{}", ended.out);
    ended.prints(&["4 changes from ", ", 2 breaking\n"]);

    let arguments = ["diff", "--format", "json", "shop.json", "renamed.json"];
    let report: Value = serde_json::from_str(&plan(&folder, &arguments).with_code(1).out).unwrap();
    assert_eq!((&report["breaks_code"], &report["breaks_data"]), (&true.into(), &true.into()));
    let first = &report["changes"][0];
    assert_eq!(
        (&first["point"], &first["kind"]),
        (&"screen_view::/menu".into(), &"removed".into())
    );
}

/// Writes a file with two plans, and the versions 1 and 2 of the second.
fn write_plans(folder: &Folder) {
    let version = |number: i64, screen: &str| {
        json!({"version": number, "activated_environment": "production", "version_document": {"data_points": [{
            "description": "A screen.\nOf the shop.",
            "match": {"type": "screen_view", "criteria": {"screen_name": screen}},
            "validator": {"type": "json_schema", "definition": {}},
        }]}})
    };
    let plans = json!([
        {"data_plan_id": "blog", "data_plan_versions": [version(7, "Post")]},
        {"data_plan_id": "shop", "data_plan_versions": [version(1, "Bill"), version(2, "Menu")]},
    ]);
    folder.write("plans.json", plans.to_string());
}

#[test]
fn a_version_is_chosen_by_plan_and_number() {
    let folder = folder();
    write_plans(&folder);
    let lint = ["lint", "--plan", "plans.json", "--plan-id", "shop", "in.jsonl"];
    plan(&folder, &lint).with_code(1).prints(&["`Bill` is not in the plan"]);
    let ended = plan(&folder, &[&lint[..], &["--plan-version", "1"]].concat()).with_code(1);
    assert!(ended.out.contains("`/menu`") && !ended.out.contains("`Bill`"), "{}", ended.out);
    let diff = [
        "diff",
        "--plan-id=shop",
        "--old-version=1",
        "--new-version=2",
        "plans.json",
        "plans.json",
    ];
    plan(&folder, &diff)
        .with_code(1)
        .prints(&["2 changes from shop, version 1 to shop, version 2"]);
    for (arguments, message) in [
        (
            ["lint", "plans.json", "in.jsonl"].as_slice(),
            "plans.json: the file has several plans; select one of blog, shop\n  hint: --plan-id chooses a plan\n",
        ),
        (
            &["show", "--plan-id=x", "plans.json"],
            "plans.json: there is no plan `x`; select one of blog, shop",
        ),
        (
            &["lint", "--plan-version=9", "shop.json", "in.jsonl"],
            "there is no version 9; select one of 3",
        ),
        (&["lint", "--plan=in.jsonl", "in.jsonl"], "in.jsonl: the file is not JSON"),
        (&["lint"], "no data plan is named\n  hint: name its file with --plan"),
        (&["lint", "--plan", "shop.json", "absent.jsonl"], "absent.jsonl: "),
        (&["diff", "shop.json"], "<NEW>"),
        (&["lnt"], "a similar subcommand exists: 'lint'"),
    ] {
        plan(&folder, arguments).with_code(2).complains(&[message]);
    }
}

#[test]
fn a_plan_is_shown_with_its_versions_points_and_attributes() {
    let folder = folder();
    let ended = plan(&folder, &["show", "shop.json"]).with_code(0);
    ended.prints(&[
        "example_shop, version 3: 4 points, active in development: The events of a small shop for coffee.\n",
        "\ncustom_event:other:Choose Item: The visitor chose a drink on the menu.\n",
        "  /data/custom_attributes/quantity: number, required, maximum 20, minimum 1: How many cups were chosen.\n",
        "  /data/custom_attributes/item: string, required, enum [\"espresso\",\"cortado\",\"flat white\"]: The drink.\n",
        "  /data/custom_attributes: nothing else is allowed\n",
        "  /data/product_action/products/*/price: number, required, minimum 0\n",
        "\nuser_attributes: User Attributes\n  /: nothing else is allowed\n  /$FirstName: string\n",
    ]);
    assert!(
        !ended.out.contains("/data: ") && !ended.out.contains("/products: array"),
        "{}",
        ended.out
    );
    write_plans(&folder);
    let ended = plan(&folder, &["show", "plans.json"]).with_code(0);
    ended.prints(&[
        "blog, version 7: 1 point",
        "shop, version 2: 1 point",
        "choose its plan with --plan-id.\n",
    ]);
    let ended = plan(&folder, &["show", "--plan-id", "shop", "plans.json"]).with_code(0);
    assert_eq!(
        ended.out,
        "blog, version 7: 1 point, active in production\n\
         shop, version 1: 1 point, active in production\n\
         shop, version 2: 1 point, active in production\n\
         \nshop, version 2:\n\
         \nscreen_view::Menu: A screen.\\nOf the shop.\n"
    );
}
