"""A bucket is inspected as S3 describes it, and only its own lifecycle rule is changed."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from include.errors import ConfigurationError
from include.storage.bucket import UPLOAD_RULE, LakeBucket
from include.storage.lake import Lake

BLOCKED = {
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
}  # fmt: skip
OTHER_RULE = {"ID": "others", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}


@pytest.fixture
def bucket(s3_lake_url: str) -> LakeBucket:
    return LakeBucket(s3_lake_url)


def problems(bucket: LakeBucket) -> dict[str, str]:
    return {finding.what: finding.problem for finding in bucket.inspect() if finding.problem}


def set_rules(bucket: LakeBucket, *rules: dict[str, Any]) -> None:
    bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": list(rules)})


def aborting(**changes: Any) -> dict[str, Any]:
    rule = {
        "ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }  # fmt: skip
    return {name: value for name, value in (rule | changes).items() if value is not None}


def well_set_up(bucket: LakeBucket) -> None:
    bucket.client.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=BLOCKED)
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    bucket.client.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration=encryption)
    bucket.abort_unfinished_uploads()


def test_a_bucket_that_is_set_up_well_has_no_problem(bucket: LakeBucket) -> None:
    well_set_up(bucket)
    findings = bucket.inspect()
    assert [finding for finding in findings if finding.problem] == []
    assert len(findings) == 6
    assert not any("not checked" in finding.what for finding in findings)


def test_a_bare_bucket_has_a_problem_with_a_remedy_for_each_thing_that_is_missing(bucket: LakeBucket) -> None:
    found = problems(bucket)
    assert "aws s3api put-public-access-block" in found["the bucket blocks public access"]
    assert "check --set-upload-rule" in found["unfinished uploads are removed"]


def test_public_access_that_is_blocked_in_part_is_named(bucket: LakeBucket) -> None:
    well_set_up(bucket)
    changed = BLOCKED | {"BlockPublicPolicy": False}
    bucket.client.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=changed)
    assert problems(bucket)["the bucket blocks public access"].startswith("BlockPublicPolicy are off")


def test_a_missing_encryption_is_a_problem(bucket: LakeBucket) -> None:
    well_set_up(bucket)
    bucket.client.delete_bucket_encryption(Bucket=bucket.name)
    assert "put-bucket-encryption" in problems(bucket)["the bucket encrypts what it holds"]


def test_another_region_is_named_with_the_setting_that_helps(
    bucket: LakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    problem = problems(LakeBucket(f"s3://{bucket.name}"))["the bucket is in the region of the settings"]
    assert problem.endswith("set AWS_DEFAULT_REGION=eu-west-3")


@pytest.mark.parametrize(
    ("endpoint", "location", "region"),
    [
        ("http://127.0.0.1:9000", None, None),
        ("https://s3.eu-west-3.amazonaws.com", None, "us-east-1"),
        ("https://s3.eu-west-3.amazonaws.com", "EU", "eu-west-1"),
        ("https://s3.eu-west-3.amazonaws.com", "eu-west-3", None),
    ],
)
def test_a_region_without_a_name_is_that_of_aws_and_none_elsewhere(
    s3_lake_url: str, monkeypatch: pytest.MonkeyPatch, endpoint: str, location: str | None, region: str | None
) -> None:
    bucket = LakeBucket(s3_lake_url)
    monkeypatch.setattr(bucket.client, "get_bucket_location", lambda **_request: {"LocationConstraint": location})
    monkeypatch.setattr(bucket.client.meta, "_endpoint_url", endpoint)
    problem = problems(bucket).get("the bucket is in the region of the settings", "")
    assert problem.endswith(f"set AWS_DEFAULT_REGION={region}") if region else problem == ""


def test_versions_that_nothing_expires_are_a_problem_until_a_rule_does(bucket: LakeBucket) -> None:
    well_set_up(bucket)
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    assert set(problems(bucket)) == {"replaced files do not pile up"}
    expiring = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
    }
    set_rules(bucket, aborting(), expiring)
    assert problems(bucket) == {}


def test_a_bucket_that_is_not_there_is_the_only_finding(s3_lake_url: str) -> None:
    [finding] = LakeBucket("s3://no-such-bucket/lake").inspect()
    assert "there is no such bucket" in finding.problem
    assert "CUVEE_LAKE_URL" in finding.problem


def test_a_server_that_does_not_answer_is_the_only_finding(s3_lake_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    [finding] = LakeBucket(s3_lake_url).inspect()
    assert "AWS_ENDPOINT_URL" in finding.problem


def test_missing_credentials_are_the_only_finding(
    s3_lake_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    [finding] = LakeBucket(s3_lake_url).inspect()
    assert "credentials" in finding.problem


@pytest.mark.parametrize(
    ("code", "note"),
    [("AccessDenied", "the credentials lack s3:GetBucketVersioning"), ("NotImplemented", "does not support it")],
)
def test_what_may_not_be_asked_is_said_to_be_unchecked_and_is_no_problem(
    bucket: LakeBucket, monkeypatch: pytest.MonkeyPatch, code: str, note: str
) -> None:
    def refuse(**_request: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetBucketVersioning")

    well_set_up(bucket)
    monkeypatch.setattr(bucket.client, "get_bucket_versioning", refuse)
    findings = bucket.inspect()
    assert [finding.problem for finding in findings if finding.problem] == []
    assert any("not checked" in finding.what and note in finding.what for finding in findings)


def test_the_upload_rule_is_added_once_and_leaves_other_rules_alone(bucket: LakeBucket) -> None:
    set_rules(bucket, OTHER_RULE)
    assert bucket.abort_unfinished_uploads()
    assert not bucket.abort_unfinished_uploads()
    rules = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    assert {rule["ID"] for rule in rules} == {"others", UPLOAD_RULE}
    assert next(rule for rule in rules if rule["ID"] == "others")["Expiration"] == {"Days": 3}
    (added,) = (rule for rule in rules if rule["ID"] == UPLOAD_RULE)
    assert added["Filter"]["Prefix"] == "lake/"
    assert added["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize(
    ("changes", "enough"),
    [
        ({}, True),
        ({"Filter": {"Prefix": "la"}}, True),
        ({"Filter": {"Prefix": "lake/"}}, True),
        ({"Filter": {"Prefix": "lake/landing/"}}, False),
        ({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}, False),
        ({"Status": "Disabled"}, False),
        ({"AbortIncompleteMultipartUpload": None, "Expiration": {"Days": 400}}, False),
    ],
)
def test_a_rule_of_somebody_else_is_enough_if_it_covers_the_whole_lake(
    bucket: LakeBucket, changes: dict[str, Any], enough: bool
) -> None:
    set_rules(bucket, aborting(**changes))
    assert ("unfinished uploads are removed" not in problems(bucket)) is enough


def test_a_refused_rule_says_which_permission_it_needs(s3_lake_url: str) -> None:
    with pytest.raises(ConfigurationError, match="s3:PutLifecycleConfiguration"):
        LakeBucket("s3://no-such-bucket").abort_unfinished_uploads()


def test_a_link_opens_one_file_as_a_page_without_credentials(bucket: LakeBucket, s3_lake_url: str) -> None:
    Lake(s3_lake_url).write_bytes("reports/a b/index.html", b"<p>page</p>")
    answer = requests.get(bucket.link("reports/a b/index.html", "text/html"), timeout=10)
    assert answer.content == b"<p>page</p>"
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_link_expires_and_loses_its_signature_in_messages(bucket: LakeBucket) -> None:
    from include.security.redaction import redact

    link = bucket.link("reports/x.html", "text/html", seconds=60)
    assert "X-Amz-Expires=60" in link
    assert "X-Amz-Signature=REDACTED" in redact(link)
    assert "X-Amz-Credential=REDACTED" in redact(link)


def test_a_folder_is_no_bucket() -> None:
    with pytest.raises(ConfigurationError, match="s3://bucket/prefix"):
        LakeBucket("/srv/lake")


def test_inspecting_changes_nothing(bucket: LakeBucket) -> None:
    bucket.inspect()
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        boto3.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket.name)
