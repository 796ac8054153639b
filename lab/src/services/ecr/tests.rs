//! Calls ECR's API over HTTP.

use std::borrow::Borrow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::dispatch;
use crate::scenario::ImageFiles;
use crate::services::registry::digest_of;
use crate::world::World;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct Account(World);

impl Account {
    fn new() -> Account {
        let mut account = Account(World::new(1, "2026-01-05T09:00:00Z".parse().unwrap()));
        account.ok("CreateRepository", json!({ "repositoryName": "news" }));
        account
    }

    fn ask(&mut self, operation: &str, input: &Json) -> (u16, Json) {
        let scope = "Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/ecr/aws4_request";
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        let request = Request::post("/")
            .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("X-Amz-Target", target)
            .body(Bytes::from(input.to_string()))
            .unwrap();
        let response = dispatch::serve(&mut self.0, &request);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    fn ok(&mut self, operation: &str, input: impl Borrow<Json>) -> Json {
        let (status, answer) = self.ask(operation, input.borrow());
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    fn code(&mut self, operation: &str, input: impl Borrow<Json>) -> String {
        let (status, answer) = self.ask(operation, input.borrow());
        assert_eq!(status, 400, "{operation}: {answer}");
        answer["__type"].as_str().unwrap().to_owned()
    }

    fn part(&mut self, upload: &str, first: usize, bytes: &[u8]) -> (u16, Json) {
        let input = json!({
            "repositoryName": "news", "uploadId": upload, "partFirstByte": first,
            "partLastByte": (first + bytes.len()).saturating_sub(1),
            "layerPartBlob": STANDARD.encode(bytes),
        });
        self.ask("UploadLayerPart", &input)
    }

    fn begin(&mut self) -> String {
        let begun = self.ok("InitiateLayerUpload", json!({ "repositoryName": "news" }));
        begun["uploadId"].as_str().unwrap().to_owned()
    }

    fn upload(&mut self, bytes: &[u8]) -> String {
        let (upload, digest) = (self.begin(), digest_of(bytes));
        assert_eq!(self.part(&upload, 0, bytes).0, 200);
        self.ok(
            "CompleteLayerUpload",
            json!({ "repositoryName": "news", "uploadId": upload, "layerDigests": [digest] }),
        );
        digest
    }

    /// Pushes an image that differs by its labels, and returns its digest.
    fn push(&mut self, labels: &Json, tag: Option<&str>) -> String {
        let manifest = self.manifest(labels);
        let input = json!({ "repositoryName": "news", "imageManifest": manifest, "imageTag": tag });
        let put = self.ok("PutImage", input);
        put["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
    }

    fn manifest(&mut self, labels: &Json) -> String {
        let config = json!({ "config": { "Labels": labels } }).to_string();
        let config = self.upload(config.as_bytes());
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 1 },
            "layers": [],
        })
        .to_string()
    }

    fn hours(&mut self, hours: i64) {
        let until = self.0.now + SignedDuration::from_hours(hours);
        self.0.advance(until);
    }

    fn tags(&mut self) -> Vec<String> {
        let listed = self.ok("ListImages", json!({ "repositoryName": "news" }));
        let ids = listed["imageIds"].as_array().unwrap();
        let mut tags: Vec<String> =
            ids.iter().map(|id| id["imageTag"].as_str().unwrap_or("-").to_owned()).collect();
        tags.sort();
        tags
    }
}

#[test]
fn a_repository_is_created_tagged_and_deleted() {
    let mut account = Account::new();
    assert_eq!(
        account.code("CreateRepository", json!({ "repositoryName": "news" })),
        "RepositoryAlreadyExistsException"
    );
    let made = account.ok(
        "CreateRepository",
        json!({
            "repositoryName": "team/web", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{ "filterType": "WILDCARD", "filter": "dev-*" }],
            "tags": [{ "Key": "a", "Value": "b" }],
            "encryptionConfiguration": { "encryptionType": "KMS" },
        }),
    );
    let made = &made["repository"];
    assert_eq!(made["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(made["imageTagMutabilityExclusionFilters"][0]["filter"], "dev-*");
    assert!(
        made["encryptionConfiguration"]["kmsKey"].as_str().unwrap().starts_with("arn:aws:kms:")
    );
    let arn = made["repositoryArn"].clone();
    account
        .ok("TagResource", json!({ "resourceArn": arn, "tags": [{ "Key": "c", "Value": "d" }] }));
    account.ok("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a"] }));
    let tags = account.ok("ListTagsForResource", json!({ "resourceArn": arn }));
    assert_eq!(tags["tags"], json!([{ "Key": "c", "Value": "d" }]));

    account.push(&json!({}), Some("v1"));
    let news = json!({ "repositoryName": "news" });
    assert_eq!(account.code("DeleteRepository", news.clone()), "RepositoryNotEmptyException");
    account.ok("DeleteRepository", json!({ "repositoryName": "news", "force": true }));
    assert_eq!(account.code("ListImages", news), "RepositoryNotFoundException");
}

#[test]
fn a_push_is_refused_with_the_error_of_its_reason() {
    let mut account = Account::new();
    let manifest = account.manifest(&json!({ "a": "1" }));
    let put = |manifest: &str, tag: &str| json!({ "repositoryName": "news", "imageManifest": manifest, "imageTag": tag });
    account.ok("PutImage", put(&manifest, "v1"));
    assert_eq!(account.code("PutImage", put(&manifest, "v1")), "ImageAlreadyExistsException");
    account.ok(
        "PutImageTagMutability",
        json!({ "repositoryName": "news", "imageTagMutability": "IMMUTABLE" }),
    );
    let other = account.manifest(&json!({ "a": "2" }));
    assert_eq!(account.code("PutImage", put(&other, "v1")), "ImageTagAlreadyExistsException");
    let dangling = manifest.replace(&digest_in(&manifest), &digest_of(b""));
    assert_eq!(account.code("PutImage", put(&dangling, "v2")), "LayersNotFoundException");
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{ "mediaType": MANIFEST, "digest": digest_of(b"x"), "size": 1 }],
    });
    let index = put(&index.to_string(), "v2");
    assert_eq!(account.code("PutImage", index), "ReferencedImagesNotFoundException");
    let mut claimed = put(&other, "v2");
    claimed["imageDigest"] = digest_of(b"else").into();
    assert_eq!(account.code("PutImage", claimed), "ImageDigestDoesNotMatchException");
    for bad in ["{", "{}", r#"{"schemaVersion":2,"mediaType":"text/plain","config":{}}"#] {
        assert_eq!(account.code("PutImage", put(bad, "v2")), "InvalidParameterException", "{bad}");
    }
    assert_eq!(account.code("PutImage", put(&other, "-")), "InvalidParameterException");
    account.0.ecr.quotas.images = 1;
    assert_eq!(account.code("PutImage", put(&other, "v2")), "LimitExceededException");
}

fn digest_in(manifest: &str) -> String {
    let json: Json = serde_json::from_str(manifest).unwrap();
    json["config"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn layer_parts_must_have_the_right_size_and_order() {
    let mut account = Account::new();
    account.0.ecr.quotas.part_min = 4;
    account.0.ecr.quotas.part_max = 8;
    let upload = account.begin();
    let complete = |upload: &str, digest: String| json!({ "repositoryName": "news", "uploadId": upload, "layerDigests": [digest] });
    let empty = complete(&upload, digest_of(b""));
    assert_eq!(account.code("CompleteLayerUpload", empty), "EmptyUploadException");
    assert_eq!(account.part(&upload, 0, b"abc").0, 200);
    let (status, gap) = account.part(&upload, 5, b"defg");
    assert_eq!((status, &gap["__type"]), (400, &json!("InvalidLayerPartException")));
    assert_eq!(gap["lastValidByteReceived"], 2, "{gap}");
    assert_eq!(account.part(&upload, 3, b"ninebytes").0, 400, "too large");
    assert_eq!(account.part(&upload, 3, b"de").0, 200);
    let small = complete(&upload, digest_of(b"abcde"));
    assert_eq!(account.code("CompleteLayerUpload", small), "LayerPartTooSmallException");

    let digest = account.upload(b"layer");
    let again = account.begin();
    account.part(&again, 0, b"layer");
    let wrong = complete(&again, digest_of(b"other"));
    assert_eq!(account.code("CompleteLayerUpload", wrong), "InvalidLayerException");
    let twice = complete(&again, digest.clone());
    assert_eq!(account.code("CompleteLayerUpload", twice), "LayerAlreadyExistsException");
    let check =
        json!({ "repositoryName": "news", "layerDigests": [digest, digest_of(b"no"), "x"] });
    let checked = account.ok("BatchCheckLayerAvailability", check);
    assert_eq!(checked["layers"][0]["layerAvailability"], "AVAILABLE");
    assert_eq!(checked["layers"][1]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(checked["failures"][0]["failureCode"], "InvalidLayerDigest");
    let download = json!({ "repositoryName": "news", "layerDigest": digest });
    assert_eq!(
        account.code("GetDownloadUrlForLayer", download),
        "LayerInaccessibleException",
        "it belongs to no image"
    );
}

#[test]
fn images_are_found_listed_and_deleted() {
    let mut account = Account::new();
    let one = account.push(&json!({ "a": "1" }), Some("v1"));
    account.push(&json!({ "a": "1" , "b": "" }), None);
    let again = account.0.registry.ecr.repositories["news"].images[&one].manifest.clone();
    let again = String::from_utf8(again.to_vec()).unwrap();
    account.ok(
        "PutImage",
        json!({ "repositoryName": "news", "imageManifest": again, "imageTag": "latest" }),
    );
    assert_eq!(account.tags(), ["-", "latest", "v1"]);
    let page = account.ok("DescribeImages", json!({ "repositoryName": "news", "maxResults": 1 }));
    assert_eq!(page["imageDetails"].as_array().unwrap().len(), 1);
    let token = &page["nextToken"];
    let rest =
        account.ok("DescribeImages", json!({ "repositoryName": "news", "nextToken": token }));
    assert_eq!(
        (rest["imageDetails"].as_array().unwrap().len(), &rest["nextToken"]),
        (1, &Json::Null)
    );
    let ids = json!([
        { "imageTag": "v1" }, { "imageDigest": "x" }, {}, { "imageTag": "no" },
        { "imageTag": "v1", "imageDigest": digest_of(b"x") },
    ]);
    let got = account.ok("BatchGetImage", json!({ "repositoryName": "news", "imageIds": ids }));
    assert_eq!(got["images"][0]["imageId"]["imageDigest"], one);
    let codes: Vec<&str> = got["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| failure["failureCode"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "InvalidImageDigest",
            "MissingDigestAndTag",
            "ImageNotFound",
            "ImageTagDoesNotMatchDigest"
        ]
    );
    let delete = |id: Json| json!({ "repositoryName": "news", "imageIds": [id] });
    account.ok("BatchDeleteImage", delete(json!({ "imageTag": "v1" })));
    assert_eq!(account.tags(), ["-", "latest"], "only the tag is deleted");
    account.ok("BatchDeleteImage", delete(json!({ "imageTag": "latest" })));
    assert_eq!(account.tags(), ["-"], "the image is deleted with its last tag");
}

#[test]
fn a_lifecycle_policy_expires_images_by_count_and_age() {
    let mut account = Account::new();
    for number in 1..=4 {
        account.push(&json!({ "n": number.to_string() }), Some(&format!("v{number}")));
        account.hours(1);
    }
    account.push(&json!({ "n": "untagged" }), None);
    account.push(&json!({ "n": "keep" }), Some("prod-1"));
    let rule = |priority: u32, selection: Json| json!({ "rulePriority": priority, "selection": selection, "action": { "type": "expire" } });
    let policy = json!({ "rules": [
        rule(1, json!({ "tagStatus": "tagged", "tagPatternList": ["prod-*"],
                        "countType": "imageCountMoreThan", "countNumber": 5 })),
        rule(2, json!({ "tagStatus": "untagged", "countType": "sinceImagePushed",
                        "countUnit": "days", "countNumber": 1 })),
        rule(9, json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3 })),
    ]});
    let put = json!({ "repositoryName": "news", "lifecyclePolicyText": policy.to_string() });
    let (news, preview) = (json!({ "repositoryName": "news" }), "GetLifecyclePolicyPreview");
    account.ok("StartLifecyclePolicyPreview", put.clone());
    assert_eq!(account.ok(preview, news.clone())["status"], "IN_PROGRESS");
    account.hours(1);
    let seen = account.ok(preview, news.clone());
    assert_eq!(
        (&seen["status"], &seen["summary"]["expiringImageTotalCount"]),
        (&json!("COMPLETE"), &json!(3))
    );
    assert_eq!(account.tags().len(), 6, "a preview expires nothing");

    account.ok("PutLifecyclePolicy", put);
    account.hours(13);
    // The three youngest images are prod-1, the untagged one and v4; earlier rules apply to the first two.
    assert_eq!(account.tags(), ["-", "prod-1", "v4"]);
    assert!(account.ok("GetLifecyclePolicy", news.clone())["lastEvaluatedAt"].is_number());
    account.hours(24);
    assert_eq!(account.tags(), ["prod-1", "v4"], "a day after its push");
    account.ok("DeleteLifecyclePolicy", news.clone());
    assert_eq!(account.code("GetLifecyclePolicy", news), "LifecyclePolicyNotFoundException");
    let bad = json!({ "rules": [rule(1, json!({ "tagStatus": "any" }))] });
    let bad = json!({ "repositoryName": "news", "lifecyclePolicyText": bad.to_string() });
    assert_eq!(account.code("PutLifecyclePolicy", bad), "InvalidParameterException");
}

#[test]
fn a_scan_finds_what_the_labels_say() {
    let mut account = Account::new();
    let digest = account.push(&json!({ "lab.findings": "HIGH:2,LOW:1" }), Some("v1"));
    let image = json!({ "repositoryName": "news", "imageId": { "imageTag": "v1" } });
    let (start, describe) = ("StartImageScan", "DescribeImageScanFindings");
    assert_eq!(account.code(describe, image.clone()), "ScanNotFoundException");
    assert_eq!(account.ok(start, image.clone())["imageScanStatus"]["status"], "IN_PROGRESS");
    assert_eq!(account.code(start, image.clone()), "LimitExceededException");
    assert!(account.ok(describe, image.clone())["imageScanFindings"].is_null());
    account.hours(1);
    let done = account.ok(describe, image.clone());
    assert_eq!(done["imageScanStatus"]["status"], "COMPLETE");
    assert_eq!(done["imageScanFindings"]["findingSeverityCounts"], json!({ "HIGH": 2, "LOW": 1 }));
    assert_eq!(done["imageScanFindings"]["findings"][0]["severity"], "HIGH");
    assert_eq!(done["imageId"]["imageDigest"], digest);

    let rule = json!({ "scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{ "filter": "ne*", "filterType": "WILDCARD" }] });
    let enhanced = json!({ "scanType": "ENHANCED", "rules": [rule] });
    account.ok("PutRegistryScanningConfiguration", enhanced);
    assert_eq!(account.code(start, image), "ValidationException");
    account.push(&json!({ "lab.findings": "CRITICAL:1", "n": "2" }), Some("v2"));
    account.push(&json!({ "lab.scan": "UNSUPPORTED_IMAGE" }), Some("v3"));
    let image = |tag: &str| json!({ "repositoryName": "news", "imageId": { "imageTag": tag } });
    assert_eq!(account.ok(describe, image("v2"))["imageScanStatus"]["status"], "PENDING");
    account.hours(1);
    let active = account.ok(describe, image("v2"));
    assert_eq!(active["imageScanStatus"]["status"], "ACTIVE");
    assert_eq!(active["imageScanFindings"]["enhancedFindings"][0]["severity"], "CRITICAL");
    let unsupported = account.ok(describe, image("v3"));
    assert_eq!(unsupported["imageScanStatus"]["status"], "UNSUPPORTED_IMAGE");
    let listed = account.ok(
        "DescribeImages",
        json!({
        "repositoryName": "news", "imageIds": [{ "imageTag": "v2" }] }),
    );
    let summary = &listed["imageDetails"][0]["imageScanFindingsSummary"];
    assert_eq!(summary["findingSeverityCounts"]["CRITICAL"], 1);
}

#[test]
fn registry_settings_are_stored_and_applied() {
    let mut account = Account::new();
    let setting = json!({ "name": "BLOB_MOUNTING" });
    assert_eq!(account.ok("GetAccountSetting", setting.clone())["value"], "DISABLED");
    account.ok("PutAccountSetting", json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" }));
    assert_eq!(account.ok("GetAccountSetting", setting)["value"], "ENABLED");
    let template = json!({
        "prefix": "team", "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": "IMMUTABLE" });
    account.ok("CreateRepositoryCreationTemplate", template.clone());
    assert_eq!(
        account.code("CreateRepositoryCreationTemplate", template),
        "TemplateAlreadyExistsException"
    );
    let listed = account.ok("DescribeRepositoryCreationTemplates", json!({}));
    assert_eq!(listed["repositoryCreationTemplates"][0]["imageTagMutability"], "IMMUTABLE");
    super::before_upload(&mut account.0, "team/web");
    super::before_upload(&mut account.0, "teams/web");
    let repositories = account.ok("DescribeRepositories", json!({}))["repositories"].take();
    let names: Vec<&Json> =
        repositories.as_array().unwrap().iter().map(|r| &r["repositoryName"]).collect();
    assert_eq!(names, ["news", "team/web"]);
    let policy = json!({ "policyText": r#"{"Version":"2012-10-17","Statement":[]}"# });
    account.ok("PutRegistryPolicy", policy);
    account.ok("DeleteRegistryPolicy", json!({}));
    assert_eq!(account.code("GetRegistryPolicy", json!({})), "RegistryPolicyNotFoundException");
    assert_eq!(account.code("PutReplicationConfiguration", json!({})), "UnknownOperationException");
}

#[test]
fn a_scenario_image_counts_as_old() {
    let mut account = Account::new();
    ImageFiles::news_site().store(&mut account.0.registry, "news", "first").unwrap();
    let rule = json!({ "rulePriority": 1, "action": { "type": "expire" }, "selection": {
        "tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1 } });
    let policy = json!({ "rules": [rule] }).to_string();
    account.push(&json!({}), Some("new"));
    let put = json!({ "repositoryName": "news", "lifecyclePolicyText": policy });
    account.ok("PutLifecyclePolicy", put);
    account.hours(12);
    assert_eq!(account.tags(), ["new"]);
}
